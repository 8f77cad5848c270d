import { type PointerEvent, useRef } from "react";
import { type Step, swiped } from "@/lib/tour";

/** What a finger operates by itself. */
const OPERABLE = "input, button, a";
/** The height of a browser's own controls in a video, in CSS pixels. A finger there moves through the video. */
const CONTROLS = 80;

/** Returns event handlers that tell of a finger's swipe to the side. The element needs `touch-action: pan-y`. */
export function useSwipe(onSwipe: (step: Step) => void) {
  const start = useRef<{ x: number; y: number } | null>(null);
  const forget = () => {
    start.current = null;
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      const finger = event.pointerType === "touch" && event.isPrimary && !isOnControls(event);
      start.current = finger ? { x: event.clientX, y: event.clientY } : null;
    },
    onPointerUp: ({ clientX, clientY }: PointerEvent) => {
      const step = start.current && swiped(clientX - start.current.x, clientY - start.current.y);
      forget();
      if (step) onSwipe(step);
    },
    onPointerCancel: forget,
  };
}

/** Whether a finger that is put down there operates something, and so does not swipe. */
export function isOnControls({ target, clientY }: Pick<PointerEvent, "target" | "clientY">): boolean {
  if (target instanceof Element && target.closest(OPERABLE)) return true;
  return (
    target instanceof HTMLVideoElement &&
    target.controls &&
    clientY > target.getBoundingClientRect().bottom - CONTROLS
  );
}
