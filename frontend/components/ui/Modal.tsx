import * as Dialog from "@radix-ui/react-dialog";
import { X } from "lucide-react";
import type { KeyboardEventHandler, ReactNode } from "react";
import { useCloseRequest } from "@/hooks/use-close-request";
import { useFocusReturn } from "@/hooks/use-focus-return";

export const OVERLAY = "fixed inset-0 z-40 bg-black/75";
export const PANEL =
  "fixed inset-x-3 top-1/2 z-50 mx-auto max-h-[calc(100dvh-1.5rem)] -translate-y-1/2 overflow-y-auto rounded-2xl border border-line bg-surface p-4 shadow-2xl shadow-black/60 sm:p-6";

/** The buttons of a question. They stay in sight, because one of them has the focus. */
export const ANSWERS =
  "-bottom-4 -mx-4 -mb-4 sm:-bottom-6 sticky mt-2 flex flex-wrap justify-end gap-2 bg-surface px-4 py-3 sm:-mx-6 sm:-mb-6 sm:px-6 sm:py-5";

interface Props {
  title: ReactNode;
  onClose: () => void;
  className: string;
  /** The element id of the card that the dialog is about, if any. */
  about?: string | undefined;
  onKeyDown?: KeyboardEventHandler;
  /** Whether only its own buttons close it, because what is under way would be lost. */
  stays?: boolean;
  children: ReactNode;
}

/** Messages lie above dialogs, so closing a message does not count as a click outside the dialog. */
function isMessage(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("[data-sonner-toaster]") !== null;
}

/** Whether a question is open above the dialog. Escape then closes the question only. */
function isQuestionOpen(): boolean {
  return document.querySelector("[role=alertdialog]") !== null;
}

/** Whether the element has a use of its own for Escape, such as a text field that can be left as it was. */
function usesEscape(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("[data-uses-escape]") !== null;
}

/** A dialog that is open while it is rendered. Escape or a click outside closes it. */
export function Modal({ title, onClose, className, about, onKeyDown, stays, children }: Props) {
  const returnFocus = useFocusReturn(about);
  useCloseRequest(() => stays || onClose());
  return (
    <Dialog.Root open onOpenChange={(open) => open || onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className={OVERLAY} />
        <Dialog.Content
          className={`${PANEL} ${className}`}
          aria-describedby={undefined}
          onCloseAutoFocus={returnFocus}
          onKeyDown={onKeyDown}
          onEscapeKeyDown={(event) =>
            (stays || isQuestionOpen() || usesEscape(event.target)) && event.preventDefault()
          }
          onInteractOutside={(event) => (stays || isMessage(event.target)) && event.preventDefault()}
        >
          <div className="mb-4 flex items-start justify-between gap-4">
            <Dialog.Title className="min-w-0 break-words font-semibold text-lg leading-snug">
              {title}
            </Dialog.Title>
            <Dialog.Close
              aria-label="Close"
              className="-mt-2 -mr-2 grid size-11 shrink-0 place-items-center rounded-lg text-muted hover:bg-line hover:text-ink"
            >
              <X aria-hidden className="size-5" />
            </Dialog.Close>
          </div>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
