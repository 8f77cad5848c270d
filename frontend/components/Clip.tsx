import { useEffect, useRef } from "react";
import type { MediaSource } from "@/hooks/use-media-source";
import { whenLoaded } from "@/lib/loaded";
import { releasedOnLeave } from "@/lib/release";

interface Props {
  source: MediaSource;
  /** If false, the video shows its first frame. */
  playing: boolean;
  className: string;
}

/** A silent video without controls. It is decorative: the button around it is labelled and opens the medium. */
export function Clip({ source, playing, className }: Props) {
  const { url, key } = source;
  const video = useRef<HTMLVideoElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new source or element has to start playing again
  useEffect(() => {
    const element = video.current;
    if (!element || !playing) return;
    // Stopping before playback has started rejects the promise, which is not an error.
    element.play().catch(() => undefined);
    return () => {
      element.pause();
      element.currentTime = 0;
    };
  }, [playing, url, key]);
  return (
    <video
      key={key}
      ref={(element) => {
        video.current = element;
        return releasedOnLeave(element);
      }}
      // This fragment makes Safari show the first frame: https://www.w3.org/TR/media-frags/#naming-time
      src={`${url}#t=0.001`}
      preload="metadata"
      muted
      loop
      playsInline
      disablePictureInPicture
      aria-hidden
      tabIndex={-1}
      className={`pointer-events-none ${className}`}
      {...whenLoaded(source)}
    />
  );
}
