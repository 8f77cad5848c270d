import { describe, expect, test, vi } from "vitest";
import { piecesOf, usedAgain } from "@/lib/pieces";

/** The most of a piece, in bytes. */
const SIZE = 512 * 1024;

/**
 * A body as browsers give it, of pieces that are filled with 1, 2 and so on, each a little shorter than the one before.
 * Tells how large the memory was that each was read into, and what it held before.
 */
function body(pieces: number) {
  const before: number[] = [];
  const sizes: number[] = [];
  const stream = new ReadableStream({
    type: "bytes",
    pull(controller) {
      const { view } = controller.byobRequest ?? {};
      if (!view || before.length === pieces) {
        controller.close();
        controller.byobRequest?.respond(0);
        return;
      }
      const memory = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      before.push(memory[0] ?? -1);
      sizes.push(memory.length);
      memory.fill(before.length);
      controller.byobRequest?.respond(memory.length - before.length);
    },
  });
  return { before, sizes, stream };
}

/** A file that is slow: it copies a piece long after it was asked to write it. */
function slowFile() {
  const written: number[] = [];
  const file = new WritableStream<Uint8Array<ArrayBuffer>>({
    write: async (piece) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      const is = SIZE - piece.length;
      written.push(piece.every((byte) => byte === is) ? is : -1);
    },
  });
  return { file, written };
}

/** The rest of a page between both, which hands pieces on. */
const content = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
  const pieces = piecesOf(stream);
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: async (controller) => {
      const { done, value } = await pieces.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => pieces.cancel(reason),
  }).pipeThrough(new TransformStream());
};

describe("a long stream", () => {
  test("takes the memory of a few pieces, each used again once it is written and never before", async () => {
    const { before, stream } = body(20);
    const { file, written } = slowFile();
    await content(stream).pipeTo(usedAgain(file));
    expect(written).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(before.filter((held) => held === 0).length).toBeLessThan(8);
  });

  test("does not take memory of which nobody has said that it is written", async () => {
    const { before, stream } = body(20);
    const pieces = piecesOf(stream);
    const read: (Uint8Array | undefined)[] = [];
    for (let number = 0; number < 20; number += 1) read.push((await pieces.read()).value);
    expect(read.map((piece) => piece?.[0])).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    // Only what the first test left is used again.
    expect(before.filter((held) => held === 0).length).toBeGreaterThan(10);
    expect(await pieces.read()).toEqual({ done: true, value: undefined });
  });

  test("is not read into memory that others have made", async () => {
    const foreign = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        controller.enqueue(new Uint8Array([1]));
        controller.close();
      },
    });
    await foreign.pipeTo(usedAgain(new WritableStream()));
    const { sizes, stream } = body(20);
    await content(stream).pipeTo(new WritableStream());
    expect(new Set(sizes)).toEqual(new Set([SIZE]));
  });

  test("is read as it comes where the browser takes no memory", async () => {
    const come = [new Uint8Array([1]), new Uint8Array([2, 3])];
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => {
        const piece = come.shift();
        if (piece) controller.enqueue(piece);
        else controller.close();
      },
    });
    expect(await new Response(content(stream)).bytes()).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe("a file", () => {
  test("is closed, and is given up with what its content broke off by", async () => {
    const [close, abort] = [vi.fn(), vi.fn()];
    const file = () => usedAgain(new WritableStream({ close, abort }));
    await new Blob(["video"]).stream().pipeTo(file());
    expect([close.mock.calls.length, abort.mock.calls.length]).toEqual([1, 0]);
    const lost = new TypeError("lost");
    const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (stream) => stream.error(lost) });
    await expect(broken.pipeTo(file())).rejects.toBe(lost);
    expect([close.mock.calls.length, abort.mock.calls]).toEqual([1, [[lost]]]);
  });

  test("fails at once with what it is lost by between two pieces", async () => {
    const full = new DOMException("", "QuotaExceededError");
    const lose: ((error: unknown) => void)[] = [];
    const file = new WritableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => void lose.push((error) => controller.error(error)),
    });
    const cancel = vi.fn();
    const written = new ReadableStream<Uint8Array<ArrayBuffer>>({ cancel }).pipeTo(usedAgain(file));
    for (const one of lose) one(full);
    await expect(written).rejects.toBe(full);
    expect(cancel).toHaveBeenCalledExactlyOnceWith(full);
  });

  test.each(["write", "close"])("fails with what its disk refuses: %s", async (act) => {
    const full = new DOMException("", "QuotaExceededError");
    const cancel = vi.fn();
    const video = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (stream) => stream.enqueue(new Uint8Array([1])),
      pull: (stream) => (act === "close" ? stream.close() : undefined),
      cancel,
    });
    const file = new WritableStream({ [act]: () => Promise.reject(full) });
    await expect(video.pipeTo(usedAgain(file))).rejects.toBe(full);
    if (act === "write") expect(cancel).toHaveBeenCalledExactlyOnceWith(full);
  });
});
