/** A request got no response. */
export class NetworkError extends Error {
  constructor(options?: ErrorOptions) {
    super("The service cannot be reached. Check your connection and try again.", options);
  }
}

/** The server responded with an error. The message is the server's own sentence for the user (RFC 9457 `detail`). */
export class ApiError extends Error {
  constructor(
    detail: string,
    readonly status: number,
    /** How long the server asks us to wait before trying again, in milliseconds. */
    readonly retryAfter: number | undefined,
  ) {
    super(detail);
  }
}

/** The session is no longer valid. */
export class SessionEnded extends Error {}

/** Returns a sentence for the user about any error. */
export function messageOf(error: unknown): string {
  const known = error instanceof ApiError || error instanceof NetworkError;
  return known ? error.message : "Something went wrong on this page. Please reload it.";
}
