import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { accessToken, askToSignIn, findSession, noteSession } from "@/lib/session";
import { enter } from "@/lib/sign-in";

const currentToken = vi.hoisted(() => vi.fn(async () => "renewed"));
const currentUser = vi.hoisted(() => vi.fn(async (): Promise<{ uid: string; email: string } | null> => null));
vi.mock("@/lib/firebase", () => ({ currentToken, currentUser }));
const forgetZips = vi.hoisted(() => vi.fn(async (_age: number) => undefined));
vi.mock("@/lib/zip-file", () => ({ forgetZips }));

const HOUR = 3_600_000;
const storage = new Map<string, string>();

function store(changes: Record<string, unknown> = {}): void {
  const tokens = { accessToken: "stored", expirationTime: Date.now() + HOUR };
  const record = { uid: "ann", email: "ann@nuumee.test", stsTokenManager: tokens, ...changes };
  storage.set("firebase:authUser:key:[DEFAULT]", JSON.stringify(record));
}

let root: { hidden: boolean };

beforeEach(() => {
  root = { hidden: false };
  vi.stubGlobal("document", { documentElement: root });
  vi.stubGlobal("localStorage", { getItem: (key: string) => storage.get(key) ?? null });
});

afterEach(() => {
  storage.clear();
  vi.clearAllMocks();
});

describe("the token for a request", () => {
  test("is the stored one while it is valid", async () => {
    store();
    expect(await accessToken()).toBe("stored");
    expect(currentToken).not.toHaveBeenCalled();
  });

  test("is renewed a few minutes before it expires, or on request", async () => {
    store({ stsTokenManager: { accessToken: "stored", expirationTime: Date.now() + HOUR / 15 } });
    expect(await accessToken()).toBe("renewed");
    expect(currentToken).toHaveBeenLastCalledWith(false);
    store();
    expect(await accessToken(true)).toBe("renewed");
    expect(currentToken).toHaveBeenLastCalledWith(true);
  });

  test("is renewed once for all requests at the same time", async () => {
    store();
    let renew: (token: string) => void = () => undefined;
    currentToken.mockReturnValueOnce(
      new Promise((resolve) => {
        renew = resolve;
      }),
    );
    const tokens: Promise<string>[] = [];
    for (let number = 0; number < 4; number++) {
      tokens.push(accessToken(true));
      // Vitest does not mock the second of two simultaneous imports of a module.
      await vi.dynamicImportSettled();
    }
    renew("shared");
    expect(await Promise.all(tokens)).toEqual(Array(4).fill("shared"));
    expect(currentToken).toHaveBeenCalledExactlyOnceWith(true);
    await accessToken(true);
    expect(currentToken).toHaveBeenCalledTimes(2);
  });

  test("is requested again after a failure", async () => {
    currentToken.mockRejectedValueOnce(new Error("no connection"));
    await expect(accessToken(true)).rejects.toThrow("no connection");
    expect(await accessToken(true)).toBe("renewed");
  });

  test.each([{ stsTokenManager: null }, { stsTokenManager: {} }, { uid: 7 }])(
    "comes from Firebase if its record has an unexpected form: %j",
    async (changes) => {
      store(changes);
      expect(await accessToken()).toBe("renewed");
    },
  );
});

describe("the session", () => {
  test("is found without loading Firebase", async () => {
    store();
    expect(await findSession()).toMatchObject({ userId: "ann", email: "ann@nuumee.test" });
    expect(currentUser).not.toHaveBeenCalled();
  });

  test("comes from Firebase when there is no record", async () => {
    currentUser.mockResolvedValueOnce({ uid: "ann", email: "ann@nuumee.test" });
    expect(await findSession()).toEqual({ userId: "ann", email: "ann@nuumee.test" });
  });

  test("is looked up in Firebase if there is no record or the storage is blocked", async () => {
    expect(await findSession()).toBeNull();
    vi.stubGlobal("localStorage", undefined);
    expect(await findSession()).toBeNull();
    expect(currentUser).toHaveBeenCalledTimes(2);
  });
});

describe("after signing in", () => {
  const replace = vi.fn<(address: string) => void>();
  const replaceState = vi.fn();
  const at = (address: string) => {
    const { pathname, search, hash } = new URL(address, "https://nuumee.test");
    vi.stubGlobal("location", { pathname, search, hash });
    vi.stubGlobal("window", { location: { replace }, addEventListener: vi.fn() });
    vi.stubGlobal("history", { state: "kept", replaceState });
  };

  test("a page that finds no session says that the browser does not keep it, instead of asking in a circle", () => {
    at("/sign-in/");
    enter("/jobs/?page=2");
    expect(replace).toHaveBeenLastCalledWith("/jobs/?page=2#signed-in");
    at("/jobs/?page=2#signed-in");
    expect(root.hidden).toBe(false);
    askToSignIn();
    expect(root.hidden).toBe(true);
    expect(replace).toHaveBeenLastCalledWith("/sign-in/?reason=not-kept&next=%2Fjobs%2F%3Fpage%3D2");
    at("/jobs/");
    askToSignIn();
    expect(replace).toHaveBeenLastCalledWith("/sign-in/?next=%2Fjobs%2F");
  });

  test("a page that finds the session removes the mark from its address", () => {
    at("/jobs/?page=2#signed-in");
    noteSession();
    expect(replaceState).toHaveBeenCalledExactlyOnceWith("kept", "", "/jobs/?page=2");
    at("/jobs/#else");
    noteSession();
    expect(replaceState).toHaveBeenCalledOnce();
  });
});

describe("signing out", () => {
  const RECORD = "firebase:authUser:key:[DEFAULT]";
  const replace = vi.fn<(address: string) => void>();
  const reload = vi.fn();
  class Page extends EventTarget {
    location = { replace, reload };
  }
  let page: Page;

  /** Signs out in a page that was just opened. */
  async function signOut(): Promise<void> {
    vi.resetModules();
    const { endSession } = await import("@/lib/session");
    void endSession("signed-out");
  }

  beforeEach(() => {
    store();
    page = new Page();
    vi.stubGlobal("window", page);
    vi.stubGlobal("location", { pathname: "/jobs/", search: "", hash: "" });
    vi.stubGlobal("localStorage", {
      getItem: (key: string) => storage.get(key) ?? null,
      setItem: (key: string, value: string) => storage.set(key, value),
      removeItem: (key: string) => storage.delete(key),
    });
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("ends the session at once, asks nobody, and removes the zip file of videos before the page is left", async () => {
    await signOut();
    expect(storage.size).toBe(0);
    expect(root.hidden).toBe(true);
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(0);
    expect(forgetZips).toHaveBeenCalledExactlyOnceWith(0);
    expect(replace).toHaveBeenCalledExactlyOnceWith("/sign-in/?reason=signed-out");
    expect([currentToken, currentUser].map((asked) => asked.mock.calls.length)).toEqual([0, 0]);
  });

  test("tells other tabs so before the record is removed, and the end of a revoked session does not", async () => {
    const setItem = vi.spyOn(localStorage, "setItem");
    await signOut();
    expect(setItem.mock.calls).toEqual([[RECORD, "null"]]);
    vi.resetModules();
    const { endSession } = await import("@/lib/session");
    void endSession("revoked");
    expect([setItem.mock.calls.length, storage.size]).toEqual([1, 0]);
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(0);
  });

  test("also forgets that its user wants to be told, and of what they were told", async () => {
    storage.set("tell-when-done", "1").set("told-ends-of-jobs", '["a completed"]');
    await signOut();
    expect(storage.size).toBe(0);
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(0);
  });

  test("does not wait for more than a second", async () => {
    forgetZips.mockReturnValueOnce(new Promise(() => undefined));
    await signOut();
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(999);
    expect(replace).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(replace).toHaveBeenCalledOnce();
  });

  test("also ends what Firebase writes back until the page is left", async () => {
    await signOut();
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(0);
    store();
    page.dispatchEvent(new Event("pagehide"));
    expect(storage.size).toBe(0);
  });

  test.each([
    ["signing out", { key: RECORD, newValue: "null" }, "null", "reason=signed-out"],
    [
      "signing out, of which this tab hears later",
      { key: RECORD, newValue: "null" },
      null,
      "reason=signed-out",
    ],
    ["all that is stored being removed", { key: null, newValue: null }, null, "reason=signed-out"],
    ["a revoked session", { key: RECORD, newValue: null }, null, "reason=revoked&next=%2Fjobs%2F"],
  ])("%s in another tab ends the session here for the same reason", async (_, event, record, parameters) => {
    vi.resetModules();
    const { watchSession } = await import("@/lib/session");
    const stop = watchSession({ userId: "ann", email: null });
    storage.clear();
    if (record) storage.set(RECORD, record);
    page.dispatchEvent(Object.assign(new Event("storage"), event));
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(0);
    expect(replace).toHaveBeenCalledExactlyOnceWith(`/sign-in/?${parameters}`);
    expect([root.hidden, storage.size]).toEqual([true, 0]);
    stop();
  });

  test("in another tab hides this one, removes its zip file and ends what Firebase writes back", async () => {
    vi.resetModules();
    const { watchSession } = await import("@/lib/session");
    const stop = watchSession({ userId: "ann", email: null });
    storage.clear();
    page.dispatchEvent(Object.assign(new Event("storage"), { key: RECORD, newValue: "null" }));
    expect(root.hidden).toBe(true);
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(0);
    expect(forgetZips).toHaveBeenCalledExactlyOnceWith(0);
    expect(replace).toHaveBeenCalledExactlyOnceWith("/sign-in/?reason=signed-out");
    store();
    page.dispatchEvent(new Event("pagehide"));
    expect(storage.size).toBe(0);
    stop();
  });

  test("while a page is in the browser's cache ends the session when it is brought back from there", async () => {
    vi.resetModules();
    const { watchSession } = await import("@/lib/session");
    const stop = watchSession({ userId: "ann", email: null });
    storage.clear();
    page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
    expect(root.hidden).toBe(false);
    page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    expect(root.hidden).toBe(true);
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(0);
    expect(replace).toHaveBeenCalledExactlyOnceWith("/sign-in/?reason=signed-out");
    stop();
  });

  test("leaves a page that starts anew, and is shown, when the browser brings it back from its cache", async () => {
    await signOut();
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(0);
    page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
    expect(reload).not.toHaveBeenCalled();
    page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    expect(reload).toHaveBeenCalled();
  });

  test("leaves a later sign-in in another tab alone, and ends an earlier one that is written back", async () => {
    await signOut();
    await vi.dynamicImportSettled();
    const now = Date.now();
    store({ lastLoginAt: String(now + 1) });
    page.dispatchEvent(new Event("pagehide"));
    expect(storage.size).toBe(1);
    store({ lastLoginAt: String(now - 1) });
    page.dispatchEvent(new Event("pagehide"));
    expect(storage.size).toBe(0);
  });
});
