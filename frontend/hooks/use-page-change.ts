import { useEffect, useEffectEvent, useRef } from "react";
import type { Jobs } from "@/hooks/use-jobs";
import type { Trash } from "@/hooks/use-trash";
import type { Navigation } from "@/hooks/use-view";
import { PAGE_SIZE } from "@/lib/api";
import { focusTitle } from "@/lib/focus";
import { describeRange } from "@/lib/list";
import { placeOf, type View } from "@/lib/view";

/** After a change of page, filter or search: scrolls to the top, moves the focus there and announces the jobs. */
export function usePageChange(
  view: View,
  navigation: Navigation,
  jobs: Pick<Jobs | Trash, "list" | "loading" | "beyondTheEnd">,
  announce: (text: string) => void,
): void {
  const { list, loading, beyondTheEnd } = jobs;
  const place = placeOf(view);
  const turnedTo = useRef(view.page);
  const announced = useRef(place);

  useEffect(() => {
    if (turnedTo.current === view.page) return;
    turnedTo.current = view.page;
    window.scrollTo(0, 0);
    // A search leads to the first page while it is being typed.
    if (!document.activeElement?.matches("input[type=text]")) focusTitle();
  }, [view.page]);

  const tell = useEffectEvent(() => {
    if (!list || announced.current === place) return;
    announced.current = place;
    announce(list.jobs.length > 0 ? `Jobs ${describeRange(list)}.` : "No jobs found.");
  });
  // The total may be that of the first page, from before jobs were deleted.
  const goBack = useEffectEvent(() => {
    const last = Math.ceil((list?.total ?? 1) / PAGE_SIZE);
    navigation.amend({ page: Math.max(1, Math.min(last, view.page - 1)) });
  });
  useEffect(() => {
    if (loading || place === "") return;
    if (beyondTheEnd) goBack();
    else tell();
  }, [loading, beyondTheEnd, place]);
}
