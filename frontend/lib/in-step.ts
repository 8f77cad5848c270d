/** How a source and an output video are kept in step. All times are in seconds. */

/** One of the two videos. */
export interface Reel {
  time: number;
  /** Infinity until it is known, which for a video that a browser recorded may be at its end; 0 for a video that cannot be played. */
  length: number;
  /** Whether it could play on from here at once. */
  ready: boolean;
}

/** What a video has to do. */
export interface Cue {
  play: boolean;
  rate: number;
  /** Where to jump to, or null. */
  seek: number | null;
}

export interface InStep {
  time: number;
  /** The longer video's length, as far as it is known; Infinity if none is. */
  length: number;
  /** Whether both have been played to their ends. */
  ended: boolean;
  output: Cue;
  source: Cue;
}

/** Videos up to this long start again at their end: they are over before one has looked. */
export const LOOPED = 5;

/** A video this close to its end is over. */
const END = 0.05;
/** A difference that nobody sees: a frame. */
const FRAME = 0.04;
/** A difference that is too big to be caught up with: the source jumps. */
const JUMP = 0.25;
/** How much faster or slower the source plays to make up for a difference. */
const CATCH_UP = 0.05;

/**
 * Returns what both videos have to do now. The output tells the time, so that its sound is never altered; after the end
 * of an output that is shorter, the source does. The shorter one stays at its last picture. While one has to load, the
 * other waits. `known` is the time last told, which holds while the video that tells it cannot play.
 */
export function inStep(output: Reel, source: Reel, playing: boolean, known: number): InStep {
  const length = Math.max(output.length, source.length);
  const sourceLeads = isOver(output, output.time) && source.length > output.length;
  const leader = sourceLeads ? source : output;
  const time = leader.ready ? leader.time : known;
  const ended = time >= length - END;
  // One that is not ready is told to play all the same: some browsers do not load a video before that.
  const plays = (reel: Reel, other: Reel) =>
    playing && !isOver(reel, time) && (!reel.ready || other.ready || isOver(other, time));
  const both = playing && output.ready && source.ready && !isOver(output, time) && !isOver(source, time);
  const drift = both ? source.time - time : 0;
  return {
    time,
    length: lengthToShow(output, source, time),
    ended,
    output: { play: plays(output, source), rate: 1, seek: null },
    source: {
      play: plays(source, output),
      rate: Math.abs(drift) > FRAME ? 1 - Math.sign(drift) * CATCH_UP : 1,
      seek: Math.abs(drift) > JUMP ? time : null,
    },
  };
}

/** The total grows with the time of a video that does not tell its length. */
function lengthToShow(output: Reel, source: Reel, time: number): number {
  const longer = Math.max(output.length, source.length);
  const shorter = Math.min(output.length, source.length);
  return longer === Infinity && shorter > 0 ? Math.max(shorter, time) : longer;
}

function isOver({ length }: Reel, time: number): boolean {
  return time >= length - END;
}

/** Formats a time in a video: "0:07", "12:30". */
export function formatTime(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
