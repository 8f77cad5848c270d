import { type RefObject, useEffect, useRef } from "react";

/** Returns a ref that tells whether the component is shown, also to what it has begun before. */
export function useShown(): RefObject<boolean> {
  const isShown = useRef(false);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  return isShown;
}
