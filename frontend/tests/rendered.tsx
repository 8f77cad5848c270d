/**
 * The whole Jobs page without a browser: what it asks, shows and says. It has no layout, no media and no real keyboard.
 *
 *   // @vitest-environment happy-dom
 *   import { functions, open, run, press, cards } from "./rendered";
 *
 *   test("...", async () => {
 *     const job = functions.add({ status: "processing" });
 *     await open("?status=processing");
 *     job.status = "failed";           // as a worker does
 *     await run(10);                   // seconds; timers fire when they are due
 *     expect(functions.times(POLL)).toEqual([10]);
 *     await press(button("Refresh the list"));
 *   });
 *
 * Time stands still but for `run` and 30 ms after each action, so no test waits for anything. A new file of tests costs
 * two seconds of CPU before its first test, and each card of a test some milliseconds: add to a file, with few jobs.
 * `functions` (fake-functions.ts) is new in each test: it holds back, changes or refuses answers, and notes requests.
 * Elements are found by the accessible names: `screen` of @testing-library/dom, and those below.
 */

import { configure, isInaccessible, screen, within } from "@testing-library/dom";
import { userEvent } from "@testing-library/user-event";
import type { ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { toast } from "sonner";
import { SWRConfig } from "swr";
import { afterEach, beforeEach, expect, type MockInstance, vi } from "vitest";
import { RECORD } from "@/lib/session";
import { FakeFunctions } from "./fake-functions";

vi.mock("next/navigation", async () => {
  const { useMemo, useSyncExternalStore } = await import("react");
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  for (const name of ["pushState", "replaceState"] as const) {
    const change = history[name].bind(history);
    history[name] = (...args) => {
      change(...args);
      tell();
    };
  }
  addEventListener("popstate", tell);
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    useSearchParams: () => {
      const search = useSyncExternalStore(subscribe, () => location.search);
      return useMemo(() => new URLSearchParams(search), [search]);
    },
  };
});

/** How often Firebase was asked for a token, and whether each had to be fresh. */
export const tokens: boolean[] = [];
/** Firebase's part in signing in again. */
export const firebase = { signInAgain: async (_password: string) => {} };
vi.mock("@/lib/firebase", () => ({
  meansOfSignIn: async () => ({ email: "user@nuumee.test", password: true, google: false }),
  signInAgain: (password: string) => firebase.signInAgain(password),
  currentUser: async () => null,
  currentToken: vi.fn(async (fresh: boolean) => {
    tokens.push(fresh);
    return `token ${tokens.length}`;
  }),
  signIn: async () => undefined,
}));

/** What Firebase is asked for a token. A test may let it fail. */
export const currentToken = vi.mocked((await import("@/lib/firebase")).currentToken);
const { default: DashboardLayout } = await import("@/app/(dashboard)/layout");
const { default: JobsPage } = await import("@/app/(dashboard)/jobs/page");
const { default: SignInPage } = await import("@/app/(auth)/sign-in/page");
const { parts } = await import("@/app/(dashboard)/jobs/parts");
// Loaded now, so that none takes real time in a test; one after the other, as Vitest links modules.
const others = [() => import("@/components/Watching"), () => import("@/components/dialogs/EraseDialog")];
for (const load of [...Object.values(parts), ...others]) await load();

// Without the whole document in each error.
configure({ getElementError: (message) => new Error(message?.split("\n")[0]) });

export let functions: FakeFunctions;
export let user: ReturnType<typeof userEvent.setup>;

let problems: MockInstance<typeof console.error>;
let root: Root | undefined;
let place: HTMLElement | undefined;

beforeEach(() => {
  vi.useFakeTimers({
    now: Date.parse("2026-11-26T12:00:00Z"),
    toFake: [
      ...(["Date", "setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] as const),
      ...(["requestAnimationFrame", "cancelAnimationFrame"] as const),
    ],
  });
  functions = new FakeFunctions();
  user = userEvent.setup({ delay: null });
  vi.stubGlobal("fetch", functions.fetch);
  vi.stubGlobal("IntersectionObserver", Seen);
  // There are no style sheets. Happy DOM would look for some with each role and each key.
  vi.stubGlobal("getComputedStyle", ({ style }: HTMLElement) => style);
  problems = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const stsTokenManager = { accessToken: "token", expirationTime: Date.now() + 3_600_000 };
  localStorage.setItem(RECORD, JSON.stringify({ uid: "user", email: "user@nuumee.test", stsTokenManager }));
});

afterEach(async () => {
  close();
  // Messages stay when the page goes.
  toast.dismiss();
  await run(1);
  expect(problems.mock.calls).toEqual([]);
  localStorage.clear();
  sessionStorage.clear();
  tokens.length = 0;
  currentToken.mockReset();
  setVisibility("visible");
  setOnline(true);
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Everything is in view. */
class Seen {
  constructor(readonly tell: (entries: { isIntersecting: boolean }[]) => void) {}
  observe() {
    this.tell([{ isIntersecting: true }]);
  }
  disconnect() {}
}

/** Opens the page anew at this address. A reload is `open(location.search)`. */
export async function open(query = "", { hidden = false, time = 0.03 } = {}): Promise<void> {
  close();
  if (hidden) setVisibility("hidden");
  const page = (
    <SWRConfig value={{ provider: () => new Map() }}>
      <DashboardLayout>
        <JobsPage />
      </DashboardLayout>
    </SWRConfig>
  );
  await render(`/jobs/${query}`, page, time);
}

/** Opens the sign-in page, where any password is the right one. */
export const openSignIn = (query = "") => render(`/sign-in/${query}`, <SignInPage />, 0.03);

async function render(address: string, page: ReactNode, time: number): Promise<void> {
  close();
  document.documentElement.hidden = false;
  history.replaceState(null, "", address);
  place = document.body.appendChild(document.createElement("div"));
  root = createRoot(place);
  root.render(page);
  await run(time);
}

function close(): void {
  root?.unmount();
  place?.remove();
}

/** Lets everything happen that takes no time, or hardly any. Of cards, two appear in a millisecond. */
export const settle = () => run(0.03);

/** Lets time pass, in seconds. */
export async function run(seconds: number): Promise<void> {
  let over = false;
  setTimeout(() => {
    over = true;
  }, 1000 * seconds);
  await answers();
  while (!over) {
    vi.advanceTimersToNextTimer();
    await answers();
  }
}

/** Lets promises settle and React draw what follows, which it does in a task, and so on: what takes no time is over then. */
async function answers(): Promise<void> {
  for (let task = 0; task < 10; task++) await new Promise((resolve) => nextTask(resolve));
}
const nextTask = setImmediate;

/** Hides the page behind another tab, or shows it. */
export async function show(visibility: "visible" | "hidden"): Promise<void> {
  setVisibility(visibility);
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  await settle();
}

function setVisibility(visibilityState: DocumentVisibilityState): void {
  Object.defineProperty(document, "visibilityState", { value: visibilityState, configurable: true });
}

/** Ends the connection, as far as the browser tells, or restores it. */
export async function connect(online: boolean): Promise<void> {
  setOnline(online);
  window.dispatchEvent(new Event(online ? "online" : "offline"));
  await settle();
}

function setOnline(onLine: boolean): void {
  Object.defineProperty(navigator, "onLine", { value: onLine, configurable: true });
}

/** Does something and lets happen what follows from it: `await doing(() => user.keyboard("{Escape}"))`. */
export async function doing(what: () => unknown): Promise<void> {
  await what();
  await settle();
}

export const press = (element: Element) => doing(() => user.click(element));
export const pressEscape = () => doing(() => user.keyboard("{Escape}"));
export const type = (element: Element, text: string) => doing(() => user.type(element, text));
export const goBack = () => doing(() => history.back());

/** The ids of the jobs that have cards, in order. */
export const cards = () => [...document.querySelectorAll("article")].map(({ id }) => id.replace("job-", ""));
export const card = ({ id }: { id: string }) => document.getElementById(`job-${id}`) as HTMLElement;
export const idsOf = (jobs: { id: string }[]) => jobs.map((job) => job.id);
/** The button with this name, or one that matches, anywhere or within an element. */
export function button(name: string | RegExp, place: HTMLElement = document.body): HTMLElement {
  // Those with the name are few: to ask of all whether something hides them takes ten times as long.
  const named = within(place).queryAllByRole("button", { name, hidden: true });
  const [found, ...others] = named.filter((one) => !isInaccessible(one));
  if (!found || others.length > 0)
    throw new Error(`There are ${others.length + (found ? 1 : 0)} buttons ${name}`);
  return found;
}
/** The topmost dialog. */
export const dialog = () =>
  [...document.querySelectorAll<HTMLElement>("[role$=dialog]")].at(-1) as HTMLElement;
export const search = () => screen.getByRole<HTMLInputElement>("textbox", { name: /^Search all jobs/ });
export const announced = () => screen.getByTestId("announcer").textContent;
/** `label` is the button's: All, Failed, ... */
export const filter = (label: string) =>
  button(
    new RegExp(`^${label}`),
    document.querySelector<HTMLElement>("[aria-label='Filter by status']") ?? undefined,
  );
/** The counts that these filters show, such as { All: "3" }. */
export const counts = (...labels: string[]) =>
  Object.fromEntries(labels.map((label) => [label, filter(label).textContent?.slice(label.length)]));
/** The texts of the messages that appear for a while. */
export const messages = () =>
  [...document.querySelectorAll("[data-sonner-toast]")].map((one) => one.textContent);
/** The warning or failure above the list, if there is one. */
export const warning = () => within(screen.getByRole("main")).queryByRole("alert");
/** The buttons of the job's tiles, or the one for this medium: reference image, source video or output video. */
export const tiles = (job: { id: string }) =>
  within(card(job)).queryAllByRole("button", { name: /^Preview the/ });
export const tile = (job: { id: string }, medium: string) =>
  button(new RegExp(`^Preview the ${medium}`), card(job));
/** The picture or video that a tile shows, if any. */
export const shown = (tile: HTMLElement) =>
  tile.querySelector<HTMLImageElement | HTMLVideoElement>("img, video");
/** Lets these media arrive, or fail. Nothing else does. */
export const arrive = (...media: (Element | null)[]) => happen("load", "loadeddata", media);
export const fail = (...media: (Element | null)[]) => happen("error", "error", media);

const happen = (picture: string, video: string, media: (Element | null)[]) =>
  doing(() => {
    for (const one of media) {
      if (one?.matches("video")) Object.defineProperty(one, "videoWidth", { value: 720, configurable: true });
      one?.dispatchEvent(new Event(one.matches("video") ? video : picture));
    }
  });
