import * as AlertDialog from "@radix-ui/react-alert-dialog";
import { type FormEvent, useEffect, useEffectEvent, useState } from "react";
import { SignInAgain } from "@/components/dialogs/SignInAgain";
import { Button } from "@/components/ui/Button";
import { ANSWERS, OVERLAY, PANEL } from "@/components/ui/Modal";
import { FIELD } from "@/components/ui/PasswordField";
import { Pulsing, Skeleton } from "@/components/ui/Skeleton";
import { useCloseRequest } from "@/hooks/use-close-request";
import { useFocusReturn } from "@/hooks/use-focus-return";
import { useShown } from "@/hooks/use-shown";
import { begin, isConfirmed, PHRASE, type Step, send, whatStopped } from "@/lib/erasure";
import { KEPT_FOR } from "@/lib/keeping";
import { notify } from "@/lib/notify";
import { settings } from "@/lib/settings";

interface Props {
  /** Called when an erasure is accepted, or is being carried out already. */
  onAccepted: () => void;
  onClose: () => void;
}

const FORM = "erase";

/** Asks whether all jobs shall be deleted, and for a new sign-in if the last one is too old. */
export default function EraseDialog({ onAccepted, onClose }: Props) {
  const [step, setStep] = useState<Step>({ at: "loading" });
  const returnFocus = useFocusReturn();
  useCloseRequest(onClose);
  const reach = async (next: Promise<Step>) => {
    const reached = await next;
    if (reached.at === "accepted") onAccepted();
    else setStep(reached);
  };
  const start = useEffectEvent(() => void reach(begin()));
  useEffect(() => start(), []);
  const isShown = useShown();
  const confirm = async (jobs: number) => {
    setStep({ at: "sending" });
    const sent = send(jobs);
    void reach(sent);
    const reason = whatStopped(await sent);
    // The dialog says it itself, unless the user has closed it.
    if (reason && !isShown.current) notify("error", "The request to erase everything failed", reason);
  };
  return (
    <AlertDialog.Root open onOpenChange={(open) => open || onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={OVERLAY} />
        <AlertDialog.Content className={`${PANEL} max-w-lg`} onCloseAutoFocus={returnFocus}>
          <AlertDialog.Title className="font-semibold text-lg">Erase everything?</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="mt-3 flex flex-col gap-3 text-slate-300 text-sm leading-relaxed">
              <Explanation step={step} />
            </div>
          </AlertDialog.Description>
          {step.at === "asking" && <Confirmation key={step.jobs} onConfirm={() => confirm(step.jobs)} />}
          {step.at === "signing in" && <SignInAgain onSignedIn={() => confirm(step.jobs)} />}
          <div className={ANSWERS}>
            <AlertDialog.Cancel asChild>
              <Button>{step.at === "sending" ? "Close" : "Keep everything"}</Button>
            </AlertDialog.Cancel>
            {step.at === "failed" && <Button onClick={() => reach(begin())}>Try again</Button>}
            {(step.at === "asking" || step.at === "sending") && (
              <Button look="destructive" type="submit" form={FORM} busy={step.at === "sending"}>
                {step.at === "sending" ? "One moment…" : "Erase everything"}
              </Button>
            )}
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

function Explanation({ step }: { step: Step }) {
  switch (step.at) {
    case "asking":
      return (
        <>
          {step.note && (
            <p role="alert" className="text-amber-200">
              {step.note}
            </p>
          )}
          <Consequences jobs={step.jobs} />
        </>
      );
    case "failed":
      return <p role="alert">{step.reason}</p>;
    case "signing in":
      return (
        <p>
          This needs a sign-in within the last five minutes. Please sign in again; then everything is erased.
        </p>
      );
    case "sending":
      return <p role="status">The request is on its way.</p>;
    default:
      return (
        <>
          <p className="sr-only">Counting your jobs</p>
          <Pulsing className="flex flex-col gap-3">
            <Skeleton className="h-5 w-60 max-w-full" />
            <Skeleton className="h-5 w-48 max-w-full" />
          </Pulsing>
        </>
      );
  }
}

function Consequences({ jobs }: { jobs: number }) {
  const days = settings.softDeleteDays;
  return (
    <ul className="list-disc space-y-1.5 pl-5">
      <li>
        {jobs === 0
          ? "You have no jobs to delete."
          : `${jobs === 1 ? "Your job" : `All your ${jobs} jobs`} will be deleted with all files. Work in progress will be lost.`}{" "}
        {jobs > 0 &&
          (days > 0
            ? `You can restore ${jobs === 1 ? "it" : "them"} for ${KEPT_FOR}.`
            : "You cannot undo this.")}
      </li>
      {jobs > 0 && <li>Links that you have shared will stop working.</li>}
      <li>
        Prompts, names and error messages will be removed for good, also those of jobs that you deleted
        before.
      </li>
      <li>Ids, times and counts stay as a record of what was deleted.</li>
    </ul>
  );
}

function Confirmation({ onConfirm }: { onConfirm: () => void }) {
  const [problem, setProblem] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const typed = String(new FormData(event.currentTarget).get("phrase"));
    if (isConfirmed(typed)) onConfirm();
    else setProblem(true);
  };
  return (
    <form id={FORM} onSubmit={submit} className="mt-4 flex flex-col gap-1.5">
      <label className="flex flex-col gap-1.5 font-medium text-sm">
        Type “{PHRASE}” to confirm
        <input
          className={FIELD}
          name="phrase"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-invalid={problem}
          aria-describedby="phrase-problem"
        />
      </label>
      <p id="phrase-problem" role="alert" className="text-red-300 text-sm empty:hidden">
        {problem && `Please type exactly: ${PHRASE}`}
      </p>
    </form>
  );
}
