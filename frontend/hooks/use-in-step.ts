import { type RefObject, useEffect, useRef, useState } from "react";
import { type Cue, type InStep, inStep, LOOPED, type Reel } from "@/lib/in-step";

type Side = "SRC" | "OUTPUT";

/** Plays a source and an output video together. If one of them is `broken`, the other plays alone. */
export function useInStep(broken: Record<Side, boolean>) {
  const source = useRef<HTMLVideoElement>(null);
  const output = useRef<HTMLVideoElement>(null);
  /** Whether a video was last told to play. */
  const told = useRef(new WeakMap<HTMLVideoElement, boolean>());
  const known = useRef(0);
  /** `keep` as of the last render: the user may have paused since a video was told to play. */
  const latestKeep = useRef<() => void>(null);
  const [playing, setPlaying] = useState(true);
  const [shown, setShown] = useState<Pick<InStep, "time" | "length">>({ time: 0, length: Infinity });

  const videos = () => [source.current, output.current].filter((video) => video !== null);
  const step = () =>
    inStep(reelOf(output.current, broken.OUTPUT), reelOf(source.current, broken.SRC), playing, known.current);
  const seek = (time: number) => {
    known.current = time;
    // A video that has ended is paused, and has to be told again.
    told.current = new WeakMap();
    for (const video of videos()) goTo(video, time);
    setShown((before) => ({ ...before, time }));
  };
  const obey = (video: HTMLVideoElement | null, cue: Cue) => {
    if (!video) return;
    if (cue.seek !== null) goTo(video, cue.seek);
    video.playbackRate = cue.rate;
    // One that could not be loaded is about to be replaced, and does not play.
    const play = cue.play && !video.error;
    told.current.set(video, play);
    // If the browser does not let it play, `keep` finds it paused.
    if (play && video.paused) video.play().catch(() => latestKeep.current?.());
    if (!play) video.pause();
  };
  const keep = () => {
    // Paused by the browser, or by a key of the keyboard or of headphones.
    const isStopped = (video: HTMLVideoElement) =>
      told.current.get(video) && video.paused && !video.ended && !video.error;
    if (playing && videos().some(isStopped)) return setPlaying(false);
    const { time, length, ended, ...cues } = step();
    known.current = time;
    setShown((before) => (before.time === time && before.length === length ? before : { time, length }));
    obey(output.current, cues.output);
    obey(source.current, cues.source);
    if (!ended || !playing) return;
    if (length <= LOOPED) seek(0);
    else setPlaying(false);
  };
  useEffect(() => {
    latestKeep.current = keep;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: each changes what the videos have to do
  useEffect(() => latestKeep.current?.(), [playing, broken.SRC, broken.OUTPUT]);

  const propsOf = (element: RefObject<HTMLVideoElement | null>) => ({
    element,
    preload: "auto",
    // One that was loaded again goes on where it was.
    onLoadedMetadata: () => element.current && known.current > 0 && goTo(element.current, known.current),
    onDurationChange: keep,
    onCanPlay: keep,
    onTimeUpdate: keep,
    onSeeked: keep,
    onWaiting: keep,
    onPause: keep,
    onEnded: keep,
  });
  return {
    playing,
    ...shown,
    seek,
    toggle: () => {
      const { time, ended } = step();
      // Paused pictures are compared, so they have to be of exactly the same time: no video may play on after the seek.
      for (const video of videos()) video.pause();
      seek(ended && !playing ? 0 : time);
      setPlaying(!playing);
    },
    SRC: { ...propsOf(source), muted: true },
    OUTPUT: propsOf(output),
  };
}

function reelOf(video: HTMLVideoElement | null, broken: boolean): Reel {
  if (broken) return { time: 0, length: 0, ready: true };
  if (!video || Number.isNaN(video.duration)) return { time: 0, length: Infinity, ready: false };
  const { duration: length, ended, currentTime, readyState, seeking } = video;
  const ready = !seeking && (ended || readyState >= HTMLMediaElement.HAVE_FUTURE_DATA);
  return { time: ended ? length : currentTime, length, ready };
}

/** The shorter of two videos stays at its last picture. */
function goTo(video: HTMLVideoElement, time: number): void {
  if (!Number.isNaN(video.duration)) video.currentTime = Math.min(time, video.duration);
}
