import { useEffect, useEffectEvent } from "react";

/** TypeScript does not know it yet: https://developer.mozilla.org/en-US/docs/Web/API/CloseWatcher */
declare const CloseWatcher: new () => { onclose: (() => void) | null; destroy: () => void };

/**
 * Calls `onClose` when the user asks the browser to close what is on top, as Android's Back does, which would otherwise
 * leave the page. Of Escape, Radix tells first. Browsers without a CloseWatcher change nothing.
 */
export function useCloseRequest(onClose: () => void): void {
  const close = useEffectEvent(onClose);
  useEffect(() => {
    if (typeof CloseWatcher === "undefined") return;
    let destroy: () => void;
    // Each watcher tells once, and what is asked to close may stay.
    const watch = () => {
      const watcher = new CloseWatcher();
      destroy = () => watcher.destroy();
      watcher.onclose = () => {
        watch();
        close();
      };
    };
    watch();
    return () => destroy();
  }, []);
}
