import { settings } from "@/lib/settings";

/** For how long a deleted job can be restored, if at all: "a day", "7 days". */
export const KEPT_FOR = settings.softDeleteDays === 1 ? "a day" : `${settings.softDeleteDays} days`;
