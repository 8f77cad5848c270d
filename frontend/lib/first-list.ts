/** The request that a script in the head of the jobs page has sent already: lib/first-list-script.ts. */

export interface FirstList {
  url: string;
  token: string;
  answer: Promise<Response>;
  controller: AbortController;
}

declare global {
  var firstList: FirstList | undefined;
}

/** Returns that request if it is this one. It can be taken only once. */
export function takeFirstList(url: string, token: string): FirstList | undefined {
  const sent = globalThis.firstList;
  if (sent?.url !== url || sent.token !== token) return undefined;
  globalThis.firstList = undefined;
  return sent;
}
