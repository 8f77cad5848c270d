/** A request that got no answer. */
export class NetworkError extends Error {
  constructor(options?: ErrorOptions) {
    super("The service cannot be reached. Check your connection and try again.", options);
  }
}

/** An answer that is an error. Its message is the server's own sentence for the user (RFC 9457 `detail`). */
export class ApiError extends Error {
  constructor(
    detail: string,
    readonly status: number,
    /** Milliseconds that the server asks to wait before the next try. */
    readonly retryAfter: number | undefined,
  ) {
    super(detail);
  }
}

/** There is no valid session any more. */
export class SessionEnded extends Error {}

/** What to tell the user about any error. */
export function messageOf(error: unknown): string {
  const known = error instanceof ApiError || error instanceof NetworkError;
  return known ? error.message : "Something went wrong on this page. Please reload it.";
}
