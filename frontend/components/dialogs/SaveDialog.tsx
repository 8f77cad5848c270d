import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/Button";
import { ANSWERS, Modal } from "@/components/ui/Modal";
import { SessionEnded } from "@/lib/errors";
import { type JobFields, shortName } from "@/lib/job";
import { formatBytes } from "@/lib/receipt";
import { type Progress, reasonOf, type Saved, saveMany, type Target } from "@/lib/save-many";
import { chosenFolder, wayToSave, zipTarget } from "@/lib/targets";

interface Props {
  jobs: JobFields[];
  onClose: () => void;
}

/** How often the progress is shown, in milliseconds. */
const SHOWN_EVERY = 250;

type State = { kind: "asking" } | { kind: "saving" } | ({ kind: "ended"; failure: string | null } & Saved);

const videos = (count: number) => `${count} ${count === 1 ? "video" : "videos"}`;

/** Saves the output videos of many jobs into a folder or as a zip file. Its buttons cancel what is under way. */
export function SaveDialog({ jobs, onClose }: Props) {
  const completed = jobs.filter((job) => job.status === "completed");
  const way = wayToSave();
  const [state, setState] = useState<State>({ kind: "asking" });
  const [progress, setProgress] = useState<Progress>({ done: 0, total: completed.length, bytes: 0 });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const save = async (chosen: JobFields[]) => {
    if (running.current) return; // A second click, while the zip file is being made.
    const now: Progress = { done: 0, total: chosen.length, bytes: 0 };
    const controller = new AbortController();
    running.current = controller;
    let lost = "Nothing was saved.";
    let target: Target | undefined;
    const timer = setInterval(() => setProgress({ ...now }), SHOWN_EVERY);
    try {
      target = way === "folder" ? await chosenFolder() : await zipTarget();
      // What is written into a folder stays there. Then all that can fail is the list.
      if (way === "folder") lost = "What was received is in the folder, but not the list of the jobs.";
      setProgress({ ...now });
      setState({ kind: "saving" });
      const ended = await saveMany(chosen, target, now, controller.signal);
      setState({ kind: "ended", ...ended, failure: null });
    } catch (error) {
      if (error instanceof SessionEnded) return; // The browser is leaving the page.
      // The user has chosen no folder.
      if (!target && error instanceof DOMException && error.name === "AbortError") return;
      setState({
        kind: "ended",
        saved: 0,
        problems: [],
        cancelled: false,
        failure: `${lost} ${reasonOf(error)}`,
      });
    } finally {
      running.current = null;
      clearInterval(timer);
      setProgress({ ...now });
    }
  };
  return (
    <Modal
      title={`Download ${videos(completed.length)}`}
      onClose={onClose}
      stays={state.kind === "saving"}
      className="max-w-lg"
    >
      <div className="flex flex-col gap-3 text-sm leading-relaxed">
        {/* There from the beginning, so that screen readers tell what comes. Empty, it takes no room. */}
        <p role="status" className="empty:-mb-3">
          {state.kind === "ended" && !state.failure && summaryOf(state)}
        </p>
        {state.kind === "asking" && <Intent way={way} left={jobs.length - completed.length} />}
        {state.kind === "saving" && <Bar {...progress} />}
        {state.kind === "ended" && state.failure && <p role="alert">{state.failure}</p>}
        {state.kind === "ended" && state.problems.length > 0 && <Problems problems={state.problems} />}
      </div>
      <div className={ANSWERS}>
        {state.kind === "saving" ? (
          <Button onClick={() => running.current?.abort()}>Cancel</Button>
        ) : (
          <Button onClick={onClose}>Close</Button>
        )}
        {state.kind === "asking" && way && completed.length > 0 && (
          <Button look="primary" onClick={() => save(completed)}>
            {way === "folder" ? "Choose a folder" : "Save as a zip file"}
          </Button>
        )}
        {state.kind === "ended" && (state.problems.length > 0 || state.cancelled || state.failure) && (
          <Button look="primary" onClick={() => save(completed)}>
            {way === "folder" ? "Save the rest" : "Try again"}
          </Button>
        )}
      </div>
    </Modal>
  );
}

function Intent({ way, left }: { way: "folder" | "zip" | null; left: number }) {
  return (
    <>
      {way === "folder" && (
        <p>
          Choose a folder. Videos that are already there are not downloaded again, and no other file is
          replaced.
        </p>
      )}
      {way === "zip" && <p>The videos are saved as one zip file. Keep this page open until it is done.</p>}
      {way === null && <p>This browser cannot save many videos at once. Please download them one by one.</p>}
      {way && (
        <p>
          A list of the jobs is saved with them as jobs.json, or with a number if another file has that name.
        </p>
      )}
      {left > 0 && (
        <p className="text-muted">
          {left} of the selected jobs {left === 1 ? "has" : "have"} no output video, and{" "}
          {left === 1 ? "is" : "are"} left out.
        </p>
      )}
    </>
  );
}

function Bar({ done, total, bytes }: Progress) {
  return (
    <>
      <progress aria-label="Videos saved" max={total} value={done} className="h-2 w-full" />
      <p className="tabular-nums">
        {done} of {videos(total)}, {formatBytes(bytes)} received
      </p>
    </>
  );
}

function summaryOf({ problems, cancelled, saved }: Saved): string {
  const notSaved = problems.length > 0 ? `, ${problems.length} not` : "";
  return `${cancelled ? "Cancelled. " : ""}${videos(saved)} saved${notSaved}.`;
}

function Problems({ problems }: Pick<Saved, "problems">) {
  return (
    <ul
      aria-label="Videos that could not be saved"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls has to be reachable by keyboard
      tabIndex={0}
      className="max-h-56 divide-y divide-line overflow-y-auto rounded-lg border border-line"
    >
      {problems.map(({ job, reason }) => (
        <li key={job.id} className="flex flex-wrap gap-x-3 px-3 py-2">
          <span className="font-mono text-xs">{shortName(job.id)}</span>
          <span className="text-red-300">{reason}</span>
        </li>
      ))}
    </ul>
  );
}
