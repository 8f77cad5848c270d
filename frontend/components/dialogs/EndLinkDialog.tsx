import * as AlertDialog from "@radix-ui/react-alert-dialog";
import { Button } from "@/components/ui/Button";
import { ANSWERS, OVERLAY, PANEL } from "@/components/ui/Modal";
import { useCloseRequest } from "@/hooks/use-close-request";
import { useFocusReturn } from "@/hooks/use-focus-return";
import { type Job, shortName } from "@/lib/job";

interface Props {
  job: Job;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks for confirmation, because others may be using the link. */
export function EndLinkDialog({ job, onConfirm, onClose }: Props) {
  const returnFocus = useFocusReturn();
  useCloseRequest(onClose);
  return (
    <AlertDialog.Root open onOpenChange={(open) => open || onClose()}>
      <AlertDialog.Portal>
        {/* Above the details dialog. */}
        <AlertDialog.Overlay className={`${OVERLAY} z-50!`} />
        {/* Handles Escape itself: the details dialog may receive the key before it knows about this one. */}
        <AlertDialog.Content
          className={`${PANEL} max-w-lg`}
          onCloseAutoFocus={returnFocus}
          onKeyDown={(event) => event.key === "Escape" && onClose()}
        >
          <AlertDialog.Title className="font-semibold text-lg">
            End the link for job {shortName(job.id)}?
          </AlertDialog.Title>
          <AlertDialog.Description asChild>
            <ul className="mt-3 list-disc space-y-1.5 pl-5 text-slate-300 text-sm leading-relaxed">
              <li>It will stop working wherever you have shared it, and can never be restored.</li>
              <li>Anyone who is already watching can continue for up to an hour.</li>
              <li>The video is kept, and you can make a new link at any time.</li>
            </ul>
          </AlertDialog.Description>
          <div className={ANSWERS}>
            <AlertDialog.Cancel asChild>
              <Button>Keep it</Button>
            </AlertDialog.Cancel>
            <Button look="destructive" onClick={onConfirm}>
              End link
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
