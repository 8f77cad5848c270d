/** What is needed of an event of a video. */
interface Happened {
  currentTarget: HTMLVideoElement;
}

/** Keeps where a video is. With a renewed URL there is a new element, which goes on from there. */
export function keptPlace() {
  const place = { time: 0, paused: false };
  // The browser pauses one that has left the page.
  const counts = (video: HTMLVideoElement) => video.isConnected && video.readyState > 0;
  return {
    /** Call it once the new element knows its length. */
    goOn: (video: HTMLVideoElement) => {
      if (place.time > 0) video.currentTime = place.time;
      if (place.paused) video.pause();
    },
    noteTime: ({ currentTarget: video }: Happened) => {
      if (counts(video)) place.time = video.currentTime;
    },
    /** Call it when the video is paused or played. At other times, one that is about to play is still paused. */
    notePaused: ({ currentTarget: video }: Happened) => {
      if (counts(video)) place.paused = video.paused;
    },
  };
}
