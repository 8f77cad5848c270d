/** A folder in memory, for tests without a browser. */

/** As in a browser, a file has its content only when it is closed. It begins with these, of so many milliseconds' age. */
export function folder(ages: Record<string, number> = {}) {
  const at = (age: number) => ({ lastModified: Date.now() - age });
  const begun = Object.entries(ages).map(
    ([name, age]) => [name, new File(["large"], name, at(age))] as const,
  );
  const files = new Map<string, File>(begun);
  const handle = (name: string) => ({
    name,
    getFile: async () => files.get(name),
    createWritable: async () => {
      const parts: Uint8Array<ArrayBuffer>[] = [];
      return new WritableStream<Uint8Array<ArrayBuffer>>({
        write: (chunk) => void parts.push(chunk.slice()),
        close: () => void files.set(name, new File(parts, name, at(0))),
      });
    },
  });
  return {
    files,
    async *keys() {
      yield* [...files.keys()];
    },
    removeEntry: async (name: string) => void files.delete(name),
    getFileHandle: async (name: string, options?: { create: boolean }) => {
      if (!files.has(name)) {
        if (!options?.create) throw new DOMException("", "NotFoundError");
        files.set(name, new File([], name, at(0)));
      }
      return handle(name);
    },
  };
}
