// @vitest-environment happy-dom
/** What the page does and says without a session, without a connection, or while it is hidden. */

import { screen, within } from "@testing-library/dom";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { NetworkError, PartMissing, SessionEnded } from "@/lib/errors";
import { RECORD } from "@/lib/session";
import { LIST, NO_CONNECTION, ONE_JOB, PAGE, POLL, problem } from "./fake-functions";
import {
  announced,
  button,
  card,
  cards,
  connect,
  counts,
  currentToken,
  dialog,
  doing,
  functions,
  goBack,
  idsOf,
  open,
  openSignIn,
  press,
  pressEscape,
  run,
  show,
  tokens,
  type,
  user,
  warning,
} from "./rendered";

const DETAIL = "Firestore is not available now.";
const NO_SERVICE = "The service cannot be reached.";
const FAULTS = [
  ["refuse", () => problem(503, DETAIL), DETAIL],
  ["are not reached", NO_CONNECTION, NO_SERVICE],
] as const;
/** How often a hidden page asks, in seconds. */
const ASKED_AGAIN = 60;

describe("without a session", () => {
  const replace = vi.fn<(address: string | URL) => void>();

  beforeEach(() => {
    vi.spyOn(location, "replace").mockImplementation(replace);
  });

  afterEach(() => {
    replace.mockClear();
  });

  const signIn = async () => {
    await type(screen.getByLabelText("E-mail address"), "ann@nuumee.test");
    await type(screen.getByLabelText("Password"), "secret");
    await press(button("Sign in"));
  };

  test("the page requests no jobs and asks to sign in, which leads back", async () => {
    localStorage.removeItem(RECORD);
    await open("?status=failed");
    expect(replace).toHaveBeenCalledExactlyOnceWith("/sign-in/?next=%2Fjobs%2F%3Fstatus%3Dfailed");
    expect(functions.calls).toEqual([]);
    await openSignIn("?next=%2Fjobs%2F%3Fstatus%3Dfailed");
    await signIn();
    expect(replace).toHaveBeenLastCalledWith("/jobs/?status=failed#signed-in");
  });

  test("a browser that keeps nothing is told so instead of being asked in a circle", async () => {
    localStorage.removeItem(RECORD);
    await openSignIn();
    await signIn();
    expect(replace).toHaveBeenLastCalledWith("/jobs/#signed-in");
    await open("#signed-in");
    expect(replace).toHaveBeenLastCalledWith("/sign-in/?reason=not-kept&next=%2Fjobs%2F");
    await openSignIn("?reason=not-kept");
    screen.getByText(/^Your browser does not keep you signed in/);
    replace.mockClear();
    const blocked = vi.spyOn(window, "localStorage", "get").mockImplementation(() => {
      throw new Error("blocked");
    });
    await signIn();
    screen.getByText(/does not let this page keep you signed in/);
    blocked.mockRestore();
    expect(replace).not.toHaveBeenCalled();
  });

  test.each(["__proto__", "constructor"])("the reason %s to sign in is ignored", async (reason) => {
    localStorage.removeItem(RECORD);
    await openSignIn(`?reason=${reason}`);
    expect(button("Sign in").getAttribute("aria-disabled")).toBe("false");
    expect(screen.getAllByRole("status").map((one) => one.textContent)).toEqual([""]);
  });

  test("a session that is revoked leads to sign in when a deletion is refused", async () => {
    const job = functions.add();
    await open("?status=completed");
    functions.refuse(ONE_JOB, 401, "The session has ended.");
    currentToken.mockRejectedValueOnce(new SessionEnded());
    await press(button(/^Delete /, card(job)));
    await press(button("Delete job", dialog()));
    const address = "/sign-in/?reason=revoked&next=%2Fjobs%2F%3Fstatus%3Dcompleted";
    expect(replace).toHaveBeenCalledExactlyOnceWith(address);
    expect([functions.jobs, localStorage.getItem(RECORD)]).toEqual([[job], null]);
  });
});

test("a token that the functions refuse is renewed once and the request repeated", async () => {
  const job = functions.add();
  const stop = functions.instead(LIST, () => {
    stop();
    return problem(401, "Expired.");
  });
  await open();
  expect(cards()).toEqual([job.id]);
  expect(tokens).toEqual([true]);
  expect(functions.asked(LIST).map(({ headers }) => headers.Authorization)).toEqual([
    "Bearer token",
    "Bearer token 1",
  ]);
});

test("an outage of the sign-in service does not end the session", async () => {
  const job = functions.add();
  const stsTokenManager = { accessToken: "old", expirationTime: Date.now() + 60_000 };
  localStorage.setItem(RECORD, JSON.stringify({ uid: "user", email: null, stsTokenManager }));
  currentToken.mockRejectedValue(new NetworkError());
  await open();
  screen.getByRole("heading", { name: "Your jobs could not be loaded" });
  expect(functions.calls).toEqual([]);
  currentToken.mockResolvedValue("new");
  await press(button("Try again"));
  expect(cards()).toEqual([job.id]);
});

test("jobs stay and nothing is requested while offline", async () => {
  const job = functions.add({ status: "processing" });
  await open();
  await run(10);
  expect(functions.times(POLL)).toHaveLength(1);
  await connect(false);
  const banner = () => screen.queryByText(/^You are offline/);
  expect(banner()).not.toBeNull();
  await run(60);
  expect(functions.asked(LIST)).toHaveLength(2);
  expect(cards()).toEqual([job.id]);
  await connect(true);
  expect(banner()).toBeNull();
  expect([functions.asked(PAGE).length, functions.asked(POLL).length]).toEqual([2, 1]);
  await run(9.9);
  expect(functions.asked(LIST)).toHaveLength(3);
  await run(1);
  expect(functions.asked(POLL)).toHaveLength(2);
});

describe.each(FAULTS)("where the functions %s", (_, fault, reason) => {
  const tryAgain = async () => {
    within(warning() as HTMLElement)
      .getByRole("button", { name: "Try again" })
      .focus();
    await doing(() => user.keyboard("{Enter}"));
  };

  test("a list shows skeletons, then why it cannot be loaded, and a retry moves the focus to the heading", async () => {
    const jobs = functions.addMany(2, { status: "failed" });
    const letGo = functions.hold(LIST);
    await open();
    screen.getByText("Loading your jobs");
    screen.getByRole("heading", { name: "Jobs" });
    expect(button("Refresh the list").getAttribute("aria-disabled")).toBe("true");
    const stop = functions.instead(LIST, fault);
    letGo(fault);
    await run(0.1);
    expect(warning()?.textContent).toContain("Your jobs could not be loaded");
    expect(warning()?.textContent).toContain(reason);
    stop();
    await tryAgain();
    expect(cards()).toEqual(idsOf(jobs));
    expect(counts("All", "Failed")).toEqual({ All: "2", Failed: "2" });
    expect([warning(), screen.queryByText("Loading your jobs")]).toEqual([null, null]);
    expect(document.activeElement?.id).toBe("jobs-title");
  });

  test("a list that cannot be refreshed stays and says so, and a retry moves the focus to the heading", async () => {
    const jobs = functions.addMany(2, { status: "failed" });
    await open();
    const stop = functions.instead(LIST, fault);
    await press(button("Refresh the list"));
    expect(warning()?.textContent).toContain(`The list may be out of date. ${reason}`);
    expect(cards()).toEqual(idsOf(jobs));
    expect(counts("All", "Failed")).toEqual({ All: "2", Failed: "2" });
    stop();
    await tryAgain();
    expect(warning()).toBeNull();
    expect(cards()).toEqual(idsOf(jobs));
    expect(document.activeElement?.id).toBe("jobs-title");
  });
});

test("a poll does not take back that the list may be out of date", async () => {
  const job = functions.add({ status: "processing" });
  await open();
  const stop = functions.refuse(PAGE, 503, DETAIL);
  await press(button("Refresh the list"));
  const said = `The list may be out of date. ${DETAIL}`;
  expect(warning()?.textContent).toContain(said);
  job.status = "queued";
  await run(11);
  expect(functions.asked(POLL).length).toBeGreaterThan(0);
  within(card(job)).getByText("Queued");
  expect(warning()?.textContent).toContain(said);
  stop();
  await press(button("Try again"));
  expect(warning()).toBeNull();
});

test("a page that cannot be loaded says why, and leads back or loads by itself when back online", async () => {
  const jobs = idsOf(functions.addMany(21, { status: "failed" }));
  await open();
  const stop = functions.refuse(LIST, 503, DETAIL);
  await press(button("Next"));
  expect(warning()?.textContent).toContain(DETAIL);
  stop();
  await goBack();
  expect(cards()).toEqual(jobs.slice(0, 20));
  expect(warning()).toBeNull();
  await connect(false);
  const restore = functions.instead(LIST, NO_CONNECTION);
  await press(button("Next"));
  expect(warning()?.textContent).toContain(NO_SERVICE);
  restore();
  await connect(true);
  expect(cards()).toEqual(jobs.slice(20));
  expect(warning()).toBeNull();
});

describe("notifications", () => {
  const WANTED = "tell-when-done";
  const notified: string[] = [];
  let permission: NotificationPermission;
  const status = new EventTarget();
  class Notice {
    static get permission() {
      return permission;
    }
    static async requestPermission() {
      permission = "granted";
      return permission;
    }
    constructor(title: string) {
      notified.push(title);
    }
  }
  const icon = document.createElement("link");
  const iconPath = () => new URL(icon.href).pathname;

  beforeEach(() => {
    permission = "default";
    notified.length = 0;
    vi.stubGlobal("Notification", Notice);
    vi.spyOn(document, "hasFocus").mockReturnValue(true);
    vi.spyOn(navigator.permissions, "query").mockResolvedValue(status as PermissionStatus);
    document.title = "Jobs";
    Object.assign(icon, { rel: "icon", href: `${location.origin}/icon.svg` });
    document.head.append(icon);
  });

  const turnOn = async () => {
    await press(button(/user@nuumee/, screen.getByRole("banner")));
    await press(screen.getByRole("menuitemcheckbox", { name: "Notify me of finished jobs" }));
  };
  /** As another tab does. */
  const turnOnElsewhere = async () => {
    permission = "granted";
    localStorage.setItem(WANTED, String(Date.now()));
    await doing(() => window.dispatchEvent(new Event("storage")));
  };
  const end = (job: { status: string | null; completed_at: string | null }, status: string) => {
    const completed = status === "completed" ? new Date().toISOString() : null;
    Object.assign(job, { status, completed_at: completed, updated_at: new Date().toISOString() });
  };

  test("notifications of a hidden page tell once of each end, as its tab does, until the page is seen", async () => {
    const job = functions.add({ status: "processing", name: "First try" });
    const other = functions.add({ status: "queued" });
    await open();
    await run(2);
    expect([notified, document.title]).toEqual([[], "Jobs"]);
    await turnOn();
    await press(button(/user@nuumee/, screen.getByRole("banner")));
    screen.getByRole("menuitemcheckbox", { checked: true });
    await pressEscape();
    const [first, ...more] = notified.splice(0);
    expect([first?.slice(0, 8), more]).toEqual(["You will", []]);
    await show("hidden");
    end(job, "completed");
    await run(ASKED_AGAIN + 1);
    expect(functions.times(POLL).map(Math.round)).toEqual([ASKED_AGAIN]);
    expect(announced()).toBe(`Job ${job.id.slice(0, 8)} is now completed.`);
    expect([document.title, iconPath()]).toEqual(["✓ 1 done · Jobs", "/icon-done.svg"]);
    end(other, "failed");
    await run(ASKED_AGAIN);
    expect(functions.times(POLL).map(Math.round)).toEqual([ASKED_AGAIN, 2 * ASKED_AGAIN]);
    expect(announced()).toBe(`Job ${other.id.slice(0, 8)} is now failed.`);
    expect([document.title, iconPath()]).toEqual(["✓ 1 done, ✗ 1 failed · Jobs", "/icon-failed.svg"]);
    const now = new Date().toISOString();
    functions.add({ name: "Started meanwhile", created_at: now, completed_at: now });
    await run(5 * 60 + 1);
    expect(cards()).toHaveLength(3);
    expect(notified).toEqual(["First try is done", "Animation has failed", "Started meanwhile is done"]);
    await show("visible");
    expect([document.title, iconPath()]).toEqual(["Jobs", "/icon.svg"]);
    notified.length = 0;
    await open();
    await run(2);
    expect([cards().length, notified]).toEqual([3, []]);
  });

  test("notifications of hidden pages begin as soon as another one has turned them on, and tell nothing older", async () => {
    for (const opened of ["visible", "hidden"] as const) {
      const [old, job] = [functions.add({ status: "processing" }), functions.add({ status: "processing" })];
      await open("", { hidden: opened === "hidden" });
      await show("hidden");
      end(old, "completed");
      await run(30);
      await turnOnElsewhere();
      await run(ASKED_AGAIN + 1);
      within(card(old)).getByText("Completed");
      expect([document.title, notified]).toEqual([expect.stringMatching(/^Processing /), []]);
      end(job, "completed");
      await run(ASKED_AGAIN);
      expect([document.title, notified.splice(0)]).toEqual(["✓ 1 done · Jobs", ["Animation is done"]]);
      await show("visible");
      localStorage.removeItem(WANTED);
    }
  });

  test("a hidden page asks nothing more once the browser no longer allows notifications", async () => {
    functions.add({ status: "processing" });
    await open();
    await run(2);
    await turnOn();
    await show("hidden");
    await run(ASKED_AGAIN + 1);
    expect(functions.asked(POLL)).toHaveLength(1);
    permission = "denied";
    await doing(() => status.dispatchEvent(new Event("change")));
    const asked = functions.calls.length;
    await run(600);
    expect(functions.calls).toHaveLength(asked);
  });

  test("a hidden page that notifies is reloaded once if a part is gone without which no token is renewed", async () => {
    functions.add();
    const reload = vi.spyOn(location, "reload").mockImplementation(() => undefined);
    const stsTokenManager = { accessToken: "old", expirationTime: Date.now() };
    localStorage.setItem(RECORD, JSON.stringify({ uid: "user", email: null, stsTokenManager }));
    currentToken.mockRejectedValue(new PartMissing());
    await turnOnElsewhere();
    for (const _ of ["at first", "after the reload"]) {
      await open("", { hidden: true });
      expect(reload).toHaveBeenCalledOnce();
    }
    button("Reload", screen.getByRole("main"));
  });
});
