import { Link2, Link2Off } from "lucide-react";
import { useState } from "react";
import { EndLinkDialog } from "@/components/dialogs/EndLinkDialog";
import { Button } from "@/components/ui/Button";
import { useShareLink } from "@/hooks/use-share-link";
import { type Change, isShared, type Job, shortName } from "@/lib/job";
import { formatExact } from "@/lib/time";

interface Props {
  job: Job;
  onChange: (change: Change) => void;
}

/** Shows who can watch a completed job's video, with a button to change it. */
export function ShareLink({ job, onChange }: Props) {
  const link = useShareLink(job, onChange);
  const [asking, setAsking] = useState(false);
  const shared = isShared(job);
  const end = () => {
    setAsking(false);
    void link.end();
  };
  return (
    <section
      aria-label="Share link"
      className="flex flex-wrap items-center gap-x-4 gap-y-3 border-line border-t pt-4 text-sm"
    >
      <div className="flex min-w-0 flex-1 basis-52 flex-col gap-1">
        <p role="status" className="flex flex-col gap-1">
          {shared
            ? "Anyone with this link can watch the video:"
            : "This job has no share link. Only you can watch the video."}
          {shared && <span className="break-all font-mono text-muted text-xs">{job.share_url}</span>}
        </p>
        {shared && <LinkEnd job={job} busy={link.busy} onChange={link.limit} />}
        {shared && <NameShown job={job} busy={link.busy} onChange={link.showName} />}
        {link.failure && (
          <p role="alert" className="text-red-300">
            {link.failure}
          </p>
        )}
      </div>
      {/* One button for both actions, so that it keeps the focus. */}
      <Button
        look={shared ? "danger" : "plain"}
        busy={link.busy}
        onClick={shared ? () => setAsking(true) : link.make}
        aria-label={`${shared ? "End" : "New"} link for job ${shortName(job.id)}`}
      >
        {shared ? <Link2Off aria-hidden className="size-4" /> : <Link2 aria-hidden className="size-4" />}
        {shared ? "End link" : "New link"}
      </Button>
      {asking && <EndLinkDialog job={job} onConfirm={end} onClose={() => setAsking(false)} />}
    </section>
  );
}

const ENDS = new Map<string, number | null>([
  ["Never", null],
  ["In a day", 1],
  ["In a week", 7],
  ["In a month", 30],
]);

interface LinkEndProps {
  job: Job;
  busy: boolean;
  onChange: (days: number | null) => void;
}

/** When the link ends. Nothing changes before the button is pressed: with arrow keys, each choice on the way is chosen. */
function LinkEnd({ job, busy, onChange }: LinkEndProps) {
  const end = job.share_expires_at ? `On ${formatExact(job.share_expires_at)}` : "Never";
  const [draft, setDraft] = useState<string | null>(null);
  const chosen = draft ?? end;
  const set = () => {
    const days = ENDS.get(chosen);
    setDraft(null);
    if (days !== undefined) onChange(days);
  };
  return (
    <div className="flex flex-wrap items-center gap-2">
      <label className="flex flex-wrap items-center gap-2">
        The link ends
        <select
          value={chosen}
          onChange={(event) => setDraft(event.target.value)}
          className="h-11 rounded-lg border border-line bg-page px-2 sm:h-10"
        >
          {[...new Set([end, ...ENDS.keys()])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Button onClick={set} busy={busy || chosen === end} aria-label="Set the link's end">
        Set
      </Button>
    </div>
  );
}

interface NameShownProps {
  job: Job;
  busy: boolean;
  onChange: (shown: boolean) => void;
}

/** Whether who has the link sees the job's name. Nothing if it has none. */
function NameShown({ job, busy, onChange }: NameShownProps) {
  if (!job.share_name && !job.name) return null;
  return (
    <label className="flex min-h-11 items-center gap-2 sm:min-h-9">
      <input
        type="checkbox"
        checked={job.share_name}
        onChange={(event) => busy || onChange(event.target.checked)}
        className="size-4.5 accent-accent"
      />
      Show the name on the share page
    </label>
  );
}
