/**
 * Long streams, received and written in pieces whose memory is used again. Browsers free the memory of pieces so late
 * that Chromium holds hundreds of megabytes of those that are written already.
 */

/** Of a piece, in bytes. */
const SIZE = 512 * 1024;

type Memory = ArrayBuffer;
/** Whose piece is under way. */
const lent = new WeakSet<Memory>();
const free: Memory[] = [];

export type Pieces = Pick<ReadableStreamDefaultReader<Uint8Array<Memory>>, "read" | "cancel">;

/** Reads a stream piece by piece. Whoever has written one calls `used`. */
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
      // The same memory, but another object. A stream that is cancelled keeps it.
      if (done && value) free.push(value.buffer);
      if (done) return { done, value: undefined };
      lent.add(value.buffer);
      return { done, value };
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** Writes to `file`, and lets the memory of each piece be used again when it is there. */
export function usedAgain(file: WritableStream<Uint8Array<Memory>>): WritableStream<Uint8Array<Memory>> {
  const writer = file.getWriter();
  return new WritableStream({
    write: async (piece) => {
      await writer.write(piece);
      if (lent.delete(piece.buffer)) free.push(piece.buffer);
    },
    close: () => writer.close(),
    abort: (reason) => writer.abort(reason),
  });
}
