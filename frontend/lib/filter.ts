/** A filter in words. Needed only where there is one. */

import { statusLabel } from "@/components/StatusBadge";
import { typeLabel } from "@/lib/job";
import { formatDate } from "@/lib/time";
import { type Filter, NO_FILTER } from "@/lib/view";

interface Part {
  label: string;
  /** The rest of the filter. */
  without: Partial<Filter>;
}

/** Returns the parts of the filter, each with what the filter is without it. */
export function partsOf({ statuses, types, from, to, oldest }: Filter): Part[] {
  const day = (one: string) => formatDate(`${one}T12:00`);
  return [
    ...statuses.map((status) => ({
      label: statusLabel(status),
      without: { statuses: statuses.filter((one) => one !== status) },
    })),
    ...types.map((type) => ({
      label: typeLabel({ job_type: type }),
      without: { types: types.filter((one) => one !== type) },
    })),
    ...(from ? [{ label: `Since ${day(from)}`, without: { from: "" } }] : []),
    ...(to ? [{ label: `Until ${day(to)}`, without: { to: "" } }] : []),
    ...(oldest ? [{ label: "Oldest first", without: { oldest: NO_FILTER.oldest } }] : []),
  ];
}

/** Returns what jobs have to be to match, in words. The order says nothing about a job. */
export function describeFilter(filter: Filter): string[] {
  const { statuses, types } = filter;
  const alternatives = (labels: string[]) => (labels.length > 0 ? [labels.join(" or ").toLowerCase()] : []);
  const days = partsOf({ ...NO_FILTER, from: filter.from, to: filter.to });
  return [
    ...alternatives(statuses.map(statusLabel)),
    ...alternatives(types.map((type) => typeLabel({ job_type: type }))),
    ...days.map(({ label }) => `created ${label.charAt(0).toLowerCase()}${label.slice(1)}`),
  ];
}
