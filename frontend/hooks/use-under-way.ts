import { useEffect } from "react";
import { underWay } from "@/lib/late";

/** Keeps the page from being reloaded for a missing part while a reload would lose what the user has done. */
export function useUnderWay(is: boolean): void {
  useEffect(() => {
    if (!is) return;
    underWay.count += 1;
    return () => {
      underWay.count -= 1;
    };
  }, [is]);
}
