/**
 * Long streams, received and written in pieces whose memory is used again. Browsers free the memory of pieces so late
 * that Chromium would hold hundreds of megabytes of those that are written already.
 */

/** Of a piece, in bytes. */
const SIZE = 512 * 1024;

type Memory = ArrayBuffer;
/** Memory whose piece is not written yet. */
const lent = new WeakSet<Memory>();
const free: Memory[] = [];

export type Pieces = Pick<ReadableStreamDefaultReader<Uint8Array<Memory>>, "read" | "cancel">;

/** Reads a stream piece by piece. The memory of those that are written through `usedAgain` is used again. */
export function piecesOf(stream: ReadableStream<Uint8Array<Memory>>): Pieces {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    return stream.getReader(); // The browser cannot read into memory that it is given.
  }
  return {
    read: async () => {
      const { done, value } = await reader.read(new Uint8Array(free.pop() ?? new ArrayBuffer(SIZE)));
      if (done) return { done, value: undefined };
      lent.add(value.buffer); // the memory that was handed in, as another object
      return { done, value };
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** Writes to `file`, and lets the memory of each piece be used again once it is there. */
export function usedAgain(file: WritableStream<Uint8Array<Memory>>): WritableStream<Uint8Array<Memory>> {
  const writer = file.getWriter();
  return new WritableStream({
    start: (controller) => void writer.closed.catch((error: unknown) => controller.error(error)),
    write: async (piece) => {
      await writer.write(piece);
      if (lent.delete(piece.buffer)) free.push(piece.buffer);
    },
    close: () => writer.close(),
    abort: (reason) => writer.abort(reason),
  });
}
