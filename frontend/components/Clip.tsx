import { useEffect, useRef } from "react";
import type { MediaSource } from "@/hooks/use-media-source";

interface Props {
  source: MediaSource;
  /** Else it stands at its first frame. */
  playing: boolean;
  className: string;
}

/** A video without sound or controls, for decoration: what it shows is said and opened by what is around it. */
export function Clip({ source, playing, className }: Props) {
  const { url, key } = source;
  const video = useRef<HTMLVideoElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: with another source or element it has to begin anew
  useEffect(() => {
    const element = video.current;
    if (!element || !playing) return;
    // Leaving before it has begun breaks the promise: that is no error.
    element.play().catch(() => undefined);
    return () => {
      element.pause();
      element.currentTime = 0;
    };
  }, [playing, url, key]);
  return (
    <video
      key={key}
      ref={video}
      // The fragment makes Safari show the first frame: https://www.w3.org/TR/media-frags/#naming-time
      src={`${url}#t=0.001`}
      preload="metadata"
      muted
      loop
      playsInline
      disablePictureInPicture
      aria-hidden
      tabIndex={-1}
      className={`pointer-events-none ${className}`}
      onLoadedData={source.onReady}
      onError={source.onError}
    />
  );
}
