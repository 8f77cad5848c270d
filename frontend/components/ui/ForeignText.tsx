import { useCallback, useState } from "react";

interface Props {
  text: string;
  className?: string;
}

/**
 * Text that comes from elsewhere: in any direction, with its own line breaks, and with words of any length. If it is
 * long, it is cut after a few lines until the user asks for more.
 */
export function ForeignText({ text, className = "" }: Props) {
  const [whole, setWhole] = useState(false);
  const [cut, setCut] = useState(false);
  const measure = useCallback((element: HTMLElement | null) => {
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setCut(element.scrollHeight > element.clientHeight + 1));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <div className={`min-w-0 ${className}`}>
      <p
        ref={measure}
        dir="auto"
        className={`wrap-anywhere whitespace-pre-line ${whole ? "" : "line-clamp-4"}`}
      >
        {text}
      </p>
      {(cut || whole) && (
        <button
          type="button"
          aria-expanded={whole}
          onClick={() => setWhole(!whole)}
          className="-my-1 min-h-11 font-medium underline underline-offset-4 sm:min-h-8"
        >
          {whole ? "Less" : "More"}
        </button>
      )}
    </div>
  );
}
