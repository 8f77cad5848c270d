import { createContext, useContext, useState } from "react";

type State = "loading" | "ready" | "renewing" | "broken";

/** Counts how often the list has been loaded. What was broken before may work then. */
export const Loads = createContext(0);

/**
 * Loads a picture or a video from a signed URL. The first error asks for a new URL, once; when that does not work
 * either, the medium is broken, until there is another URL or the list has been loaded again.
 */
export function useMediaSource(url: string | null, renew: () => Promise<unknown>) {
  const [state, setState] = useState<State>("loading");
  const [renewed, setRenewed] = useState(false);
  // The same URL again would not be loaded again by itself.
  const [attempt, setAttempt] = useState(0);

  const loads = useContext(Loads);
  const [seen, setSeen] = useState({ url, loads });
  if (seen.url !== url || seen.loads !== loads) {
    setSeen({ url, loads });
    if (state === "broken") {
      setState("loading");
      setRenewed(false);
    }
  }

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
