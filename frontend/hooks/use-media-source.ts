import { createContext, useContext, useState } from "react";
import { urlToShow } from "@/lib/media";

type State = "loading" | "ready" | "renewing" | "broken";

/** Counts how often the list has been loaded. What was broken before may work then. */
export const Loads = createContext(0);

/**
 * Loads a picture or a video from the first of the signed URLs that works. When none does, new ones are asked for,
 * once; when these do not work either, the medium is broken, until there are other URLs or the list has been loaded
 * again.
 */
export function useMediaSource(urls: string[], renew: () => Promise<unknown>) {
  const [state, setState] = useState<State>("loading");
  const [renewed, setRenewed] = useState(false);
  const [shown, setShown] = useState<string>();
  const [failed, setFailed] = useState<string[]>([]);
  // The same URL again would not be loaded again by itself.
  const [attempt, setAttempt] = useState(0);
  const url = urlToShow(urls, shown, failed);

  const loads = useContext(Loads);
  const given = urls.join(" ");
  const [seen, setSeen] = useState({ given, loads });
  if (seen.given !== given || seen.loads !== loads) {
    setSeen({ given, loads });
    if (state === "broken") {
      setState("loading");
      setRenewed(false);
      setFailed([]);
    }
  }

  const onReady = () => {
    setState("ready");
    setShown(url ?? undefined);
    setRenewed(false);
  };
  const onError = async () => {
    if (state === "renewing") return;
    if (url && url !== urls.at(-1)) {
      setFailed((before) => [...before, url]);
      setShown(undefined);
      return setState("loading");
    }
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
    /** null where there is none. */
    url,
    key: attempt,
    ready: state === "ready",
    broken: url === null || state === "broken",
    onReady,
    onError: () => void onError(),
  };
}

export type MediaSource = ReturnType<typeof useMediaSource>;
