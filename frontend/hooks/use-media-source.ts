import { createContext, useContext, useEffect, useState } from "react";
import { NetworkError } from "@/lib/errors";
import { renewalCanHelp, urlToShow } from "@/lib/media";
import { afterBeingLookedAt, backOff, INTERVAL } from "@/lib/polling";

type State = "loading" | "ready" | "renewing" | "unreachable" | "broken";

/** How often the list has been loaded. After each load, broken media are tried again. */
export const Loads = createContext(0);

/**
 * Loads a picture or a video from the first of the signed URLs that works. If none works, `renew` is called to get new
 * ones. If these soon fail too, the medium is broken until the URLs change or the list is loaded again. Without a
 * connection it is tried again, as long as the page is looked at.
 */
export function useMediaSource(urls: string[], renew: () => Promise<unknown>) {
  const [state, setState] = useState<State>("loading");
  const [renewedAt, setRenewedAt] = useState<number | null>(null);
  const [shown, setShown] = useState<string>();
  const [failed, setFailed] = useState<string[]>([]);
  /** How often it was tried again after it could not be reached. */
  const [unreached, setUnreached] = useState(0);
  // Used as the element's key: React would not load the same URL again by itself.
  const [attempt, setAttempt] = useState(0);
  const url = urlToShow(urls, shown, failed);

  const loads = useContext(Loads);
  const given = urls.join(" ");
  const [seen, setSeen] = useState({ given, loads });
  if (seen.given !== given || seen.loads !== loads) {
    setSeen({ given, loads });
    if (state === "broken") {
      setState("loading");
      setRenewedAt(null);
      setFailed([]);
    }
  }

  useEffect(() => {
    if (state !== "unreachable") return;
    return afterBeingLookedAt(backOff(unreached, INTERVAL), () => {
      setFailed([]);
      setUnreached((times) => times + 1);
      setAttempt((number) => number + 1);
      setState("loading");
    });
  }, [state, unreached]);

  const onReady = () => {
    setState("ready");
    setUnreached(0);
    setShown(url ?? undefined);
  };
  const onError = async () => {
    if (state === "renewing") return;
    if (url && url !== urls.at(-1)) {
      setFailed((before) => [...before, url]);
      setShown(undefined);
      return setState("loading");
    }
    if (!renewalCanHelp(renewedAt, Date.now())) return setState("broken");
    setRenewedAt(Date.now());
    setState("renewing");
    try {
      await renew();
      setAttempt((number) => number + 1);
      setState("loading");
    } catch (error) {
      const unreachable = error instanceof NetworkError;
      // The next failure asks for new URLs again.
      if (unreachable) setRenewedAt(null);
      setState(unreachable ? "unreachable" : "broken");
    }
  };
  return {
    /** Null if there is none. */
    url,
    key: attempt,
    ready: state === "ready",
    broken: url === null || state === "broken" || state === "unreachable",
    onReady,
    onError: () => void onError(),
  };
}

export type MediaSource = ReturnType<typeof useMediaSource>;
