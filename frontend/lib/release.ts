type Medium = HTMLMediaElement | HTMLImageElement;

/**
 * A ref for a picture or video. When the element has left the page, its download ends. By itself a browser goes on
 * downloading a video that nobody can see, and six of them take all of its connections to Cloud Storage:
 * https://html.spec.whatwg.org/multipage/media.html#best-practices-for-authors-using-media-elements
 */
export function releasedOnLeave(element: Medium | null): (() => void) | undefined {
  if (!element) return undefined;
  // React calls this just before it removes the element and, in strict mode, also for one that stays.
  return () => queueMicrotask(() => element.isConnected || release(element));
}

function release(element: Medium): void {
  element.removeAttribute("src");
  if ("load" in element) element.load();
}
