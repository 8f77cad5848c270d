import { expect, test } from "vitest";
import { firstConnections } from "@/lib/connections";
import { read } from "@/lib/settings";

const least = {
  NEXT_PUBLIC_API_URL: "https://api.nuumee.ai/v1",
  NEXT_PUBLIC_FIREBASE_API_KEY: "key",
  NEXT_PUBLIC_FIREBASE_PROJECT_ID: "nuumee",
};

test("the browser connects early to sign-in, the list's function and Storage", () => {
  const list = { NEXT_PUBLIC_LIST_JOBS_URL: "https://list-jobs.run.app/v1" };
  expect(firstConnections(read({ ...least, ...list }), "https://storage.googleapis.com")).toEqual([
    { origin: "https://identitytoolkit.googleapis.com", crossOrigin: "anonymous" },
    { origin: "https://list-jobs.run.app", crossOrigin: "anonymous" },
    { origin: "https://storage.googleapis.com" },
  ]);
});

test("nothing is connected to that is the page's own origin or unknown", () => {
  const local = {
    NEXT_PUBLIC_API_URL: "/api/v1",
    NEXT_PUBLIC_AUTH_EMULATOR_URL: "/",
  };
  expect(firstConnections(read({ ...least, ...local }), "http://127.0.0.1:*")).toEqual([]);
});
