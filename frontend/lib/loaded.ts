interface Source {
  onReady: () => void;
  onError: () => void;
}

/** Returns event handlers for a video. A browser that plays only its sound tells no error: it has loaded without a picture. */
export function whenLoaded({ onReady, onError }: Source) {
  return {
    onLoadedData: ({ currentTarget: video }: { currentTarget: HTMLVideoElement }) =>
      video.videoWidth > 0 ? onReady() : onError(),
    onError,
  };
}
