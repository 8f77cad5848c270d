import { useState } from "react";

type State = "loading" | "ready" | "renewing" | "broken";

/**
 * Loads a picture or a video from a signed URL. The first error asks for a new URL, once; when that does not work
 * either, the medium is broken. A medium that has worked may be renewed again.
 */
export function useMediaSource(url: string | null, renew: () => Promise<unknown>) {
  const [state, setState] = useState<State>("loading");
  const [renewed, setRenewed] = useState(false);
  // The same URL again would not be loaded again by itself.
  const [attempt, setAttempt] = useState(0);

  const onReady = () => {
    setState("ready");
    setRenewed(false);
  };
  const onError = async () => {
    if (state === "renewing") return;
    if (renewed) return setState("broken");
    setRenewed(true);
    setState("renewing");
    try {
      await renew();
      setAttempt((number) => number + 1);
      setState("loading");
    } catch {
      setState("broken");
    }
  };
  return {
    key: attempt,
    ready: state === "ready",
    broken: url === null || state === "broken",
    onReady,
    onError: () => void onError(),
  };
}
