/** Settings of a deployment. */

export type Endpoint =
  | "listJobs"
  | "getThumbnails"
  | "getOutput"
  | "renameJob"
  | "deleteJob"
  | "deleteJobs"
  | "undeleteJob"
  | "shareJob";

export interface Settings {
  /** The address of each function, without a trailing slash. */
  endpoints: Record<Endpoint, string>;
  firebase: { apiKey: string; projectId: string; authDomain?: string };
  /** The address of the Firebase Auth emulator. A path means the page's own origin. */
  authEmulator: string | undefined;
  /** How many days the buckets keep deleted objects; 0 if they keep none. */
  softDeleteDays: number;
  /** Where a video is started, if the page shows a way there. */
  createUrl?: string;
  /** Where to ask for help with a job, if anywhere: the beginning of an address that ends in the job's id. */
  supportUrl?: string;
}

/** Next.js puts what the build has read here in place of READ_SETTINGS, so that a browser does not read it again. */
export const settings: Settings = process.env.READ_SETTINGS
  ? JSON.parse(process.env.READ_SETTINGS)
  : read(process.env);

/** Reads the settings. Throws an Error that names a missing or invalid setting, which fails the build. */
export function read(environment: Record<string, string | undefined>): Settings {
  const optional = (name: string) => environment[`NEXT_PUBLIC_${name}`]?.trim() || undefined;
  const required = (name: string) => {
    const value = optional(name);
    if (!value) throw new Error(`NEXT_PUBLIC_${name} is not set: see frontend/.env.example`);
    return value;
  };
  const address = (name: string, value: string) => {
    if (!/^(https?:\/\/[^/\s]+|\/)[^\s?#]*$/.test(value)) {
      throw new Error(`NEXT_PUBLIC_${name} is ${value}, which is neither an http(s) address nor a path`);
    }
    return value.replace(/\/+$/, "");
  };
  const endpoint = (name: string) => {
    const own = optional(name);
    return own ? address(name, own) : address("API_URL", required("API_URL"));
  };
  const days = Number(optional("SOFT_DELETE_DAYS") ?? 7);
  if (!(Number.isInteger(days) && days >= 0)) {
    throw new Error("NEXT_PUBLIC_SOFT_DELETE_DAYS must be a whole number of days");
  }
  const authDomain = optional("FIREBASE_AUTH_DOMAIN");
  const create = optional("CREATE_URL");
  const support = optional("SUPPORT");
  const isMailbox = support && /^[^\s@/?&]+@[^\s@/?&]+$/.test(support);
  return {
    endpoints: {
      listJobs: endpoint("LIST_JOBS_URL"),
      getThumbnails: endpoint("GET_THUMBNAILS_URL"),
      getOutput: endpoint("GET_OUTPUT_URL"),
      renameJob: endpoint("RENAME_JOB_URL"),
      deleteJob: endpoint("DELETE_JOB_URL"),
      deleteJobs: endpoint("DELETE_JOBS_URL"),
      undeleteJob: endpoint("UNDELETE_JOB_URL"),
      shareJob: endpoint("SHARE_JOB_URL"),
    },
    firebase: {
      apiKey: required("FIREBASE_API_KEY"),
      projectId: required("FIREBASE_PROJECT_ID"),
      ...(authDomain && { authDomain }),
    },
    authEmulator: optional("AUTH_EMULATOR_URL"),
    softDeleteDays: days,
    ...(create && { createUrl: address("CREATE_URL", create) }),
    ...(support && {
      supportUrl: isMailbox ? `mailto:${support}?subject=Job%20` : `${address("SUPPORT", support)}?job=`,
    }),
  };
}
