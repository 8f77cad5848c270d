import { createContext, type RefCallback, useContext, useEffect, useState } from "react";

/** Whether what is drawn is taken to be in the viewport, so that its media are asked for without looking. */
export const InView = createContext(false);

/** Returns a ref, and whether its element has ever been in or near the viewport. */
export function useInView(): [RefCallback<Element>, boolean] {
  const [element, setElement] = useState<Element | null>(null);
  const [seen, setSeen] = useState(useContext(InView));
  useEffect(() => {
    if (seen || !element) return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true),
      { rootMargin: "200px" },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [element, seen]);
  return [setElement, seen];
}
