import { DeleteDialog } from "@/components/dialogs/DeleteDialog";
import { FilterDialog } from "@/components/dialogs/FilterDialog";
import { FindingBar } from "@/components/FindingBar";
import { JobsSelection } from "@/components/JobsSelection";
import { NothingFound } from "@/components/NothingFound";

export { deleteAll } from "@/lib/deletion";
export { download } from "@/lib/download";
export { requestRestores, settledRestores, tellEnd } from "@/lib/restore";
export { withReturning } from "@/lib/returning";
export { forgetZips } from "@/lib/zip-file";

/** What a list needs only once the user does something with it, or if it is empty. */
export default { DeleteDialog, FilterDialog, FindingBar, JobsSelection, NothingFound };
