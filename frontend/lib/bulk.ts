/** How many requests are under way at the same time. */
const AT_ONCE = 4;

/** Does the work for each item, a few at a time. An error ends it, and is thrown. */
export async function fewAtOnce<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const workThrough = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, workThrough));
}
