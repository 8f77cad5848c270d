/** A request got no response. */
export class NetworkError extends Error {
  constructor(options?: ErrorOptions) {
    super("The service cannot be reached. Check your connection and try again.", options);
  }
}

/** A file of the page itself is gone although its host answers. Asking for it again does not help; reloading does. */
export class PartMissing extends Error {
  constructor(options?: ErrorOptions) {
    super(
      "Part of this page is missing, probably because there is a new version. Please reload it.",
      options,
    );
  }
}

/** The server responded with an error. The message is the server's own sentence for the user (RFC 9457 `detail`). */
export class ApiError extends Error {
  constructor(
    detail: string,
    readonly status: number,
    /** How long the server asks us to wait before trying again, in milliseconds. */
    readonly retryAfter: number | undefined,
    /** The kind of error, a URI (RFC 9457 `type`). */
    readonly type?: unknown,
  ) {
    super(detail);
  }
}

/** The `type` of an ApiError: the session is valid, but the user must sign in again before this. */
export const SIGN_IN_TOO_OLD = "https://nuumee.ai/problems/sign-in-too-old";

/** The session is no longer valid. */
export class SessionEnded extends Error {}

/** The errors whose messages are meant for the user. */
const KNOWN = [ApiError, NetworkError, PartMissing];

/** Returns a sentence for the user about any error. */
export function messageOf(error: unknown): string {
  const known = error instanceof Error && KNOWN.some((kind) => error instanceof kind);
  return known ? error.message : "Something went wrong on this page. Please reload it.";
}
