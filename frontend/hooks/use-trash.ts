import { useRef } from "react";
import useSWR from "swr";
import { useReturn } from "@/hooks/use-return";
import { listTrash } from "@/lib/api";
import { SessionEnded } from "@/lib/errors";
import type { TrashList } from "@/lib/job";
import { withTotal } from "@/lib/list";
import { isOld } from "@/lib/polling";
import type { View } from "@/lib/view";

export interface Trash {
  /** Undefined until the first response. */
  list: TrashList | undefined;
  error: unknown;
  loading: boolean;
  /** Whether this page lies beyond the last job. */
  beyondTheEnd: boolean;
  refresh: () => Promise<void>;
}

/** Loads the page of the trash that is shown, if it is. */
export function useTrash(userId: string, { deleted, page }: View): Trash {
  const cursors = useRef(new Map<number, string>());
  const askedAt = useRef(0);
  const { data, error, isValidating, mutate } = useSWR<TrashList>(
    deleted ? ["trash", userId, page] : null,
    async () => {
      askedAt.current = Date.now();
      const cursor = cursors.current.get(page);
      const found = await listTrash(page, cursor);
      const list = cursor ? withTotal(found, found.total) : found;
      if (list.next_cursor) cursors.current.set(page + 1, list.next_cursor);
      return list;
    },
    {
      revalidateOnFocus: false,
      revalidateOnReconnect: false,
      shouldRetryOnError: false,
      dedupingInterval: 0,
    },
  );
  useReturn(() => {
    if (!deleted || isValidating || !isOld(askedAt.current, Date.now())) return;
    askedAt.current = Date.now(); // A browser may tell of one return by several events.
    void mutate();
  });
  const sessionEnded = error instanceof SessionEnded;
  return {
    list: data,
    error: sessionEnded ? undefined : error,
    loading: isValidating || sessionEnded,
    beyondTheEnd: data !== undefined && data.jobs.length === 0 && data.total > 0 && page > 1,
    refresh: async () => {
      await mutate();
    },
  };
}
