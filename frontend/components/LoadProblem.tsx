import { CloudOff } from "lucide-react";
import { Button } from "@/components/ui/Button";
import { Notice } from "@/components/ui/Notice";
import { messageOf, PartMissing } from "@/lib/errors";
import { focusTitle } from "@/lib/focus";

/** A list that could not be loaded. */
interface Failed {
  error: unknown;
  refresh: () => Promise<void>;
}

function TryAgain({ list, look = "plain" }: { list: Failed; look?: "plain" | "primary" }) {
  if (list.error instanceof PartMissing) {
    return (
      <Button look={look} onClick={() => window.location.reload()}>
        Reload
      </Button>
    );
  }
  const retry = () => {
    // First, because the button disappears together with the error.
    focusTitle();
    void list.refresh();
  };
  return (
    <Button look={look} onClick={retry}>
      Try again
    </Button>
  );
}

export function Failure({ title, list }: { title: string; list: Failed }) {
  return (
    <div role="alert">
      <Notice title={title} icon={<CloudOff className="size-7" />}>
        <p>{messageOf(list.error)}</p>
        <TryAgain list={list} look="primary" />
      </Notice>
    </div>
  );
}

/** A warning above a list that could not be refreshed. */
export function Outdated({ list }: { list: Failed }) {
  return (
    <div
      role="alert"
      className="mb-4 flex flex-wrap items-center gap-3 rounded-xl border border-amber-400/30 bg-amber-400/10 px-4 py-3 text-amber-200 text-sm"
    >
      <p className="flex-1 basis-60">The list may be out of date. {messageOf(list.error)}</p>
      <TryAgain list={list} />
    </div>
  );
}
