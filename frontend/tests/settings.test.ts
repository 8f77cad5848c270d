import { describe, expect, test } from "vitest";
import { read } from "@/lib/settings";

const least = {
  NEXT_PUBLIC_API_URL: "/api/v1",
  NEXT_PUBLIC_FIREBASE_API_KEY: "key",
  NEXT_PUBLIC_FIREBASE_PROJECT_ID: "project",
};

describe("the settings", () => {
  test("allow one address for all functions, or one for each", () => {
    const settings = read({
      ...least,
      NEXT_PUBLIC_API_URL: "https://api.nuumee.test/v1/",
      NEXT_PUBLIC_DELETE_JOB_URL: "https://delete-job.nuumee.test",
    });
    expect(settings.endpoints).toEqual({
      listJobs: "https://api.nuumee.test/v1",
      getThumbnails: "https://api.nuumee.test/v1",
      getOutput: "https://api.nuumee.test/v1",
      renameJob: "https://api.nuumee.test/v1",
      deleteJob: "https://delete-job.nuumee.test",
      deleteJobs: "https://api.nuumee.test/v1",
      undeleteJob: "https://api.nuumee.test/v1",
      shareJob: "https://api.nuumee.test/v1",
    });
  });

  test("need no common address if each function has its own", () => {
    const own = Object.fromEntries(
      [
        ...["LIST_JOBS", "GET_THUMBNAILS", "GET_OUTPUT", "RENAME_JOB"],
        ...["DELETE_JOB", "DELETE_JOBS", "UNDELETE_JOB", "SHARE_JOB"],
      ].map((name) => [`NEXT_PUBLIC_${name}_URL`, `https://${name.toLowerCase()}.test`]),
    );
    const { endpoints } = read({ ...least, ...own, NEXT_PUBLIC_API_URL: undefined });
    expect(endpoints.getOutput).toBe("https://get_output.test");
  });

  test("default to Cloud Storage's own seven days of soft delete", () => {
    expect(read(least).softDeleteDays).toBe(7);
    expect(read({ ...least, NEXT_PUBLIC_SOFT_DELETE_DAYS: "0" }).softDeleteDays).toBe(0);
  });

  test("lead nowhere else unless told so", () => {
    expect(read(least)).not.toHaveProperty("createUrl");
    expect(read(least)).not.toHaveProperty("supportUrl");
    expect(read({ ...least, NEXT_PUBLIC_CREATE_URL: "/create/" }).createUrl).toBe("/create");
  });

  test.each([
    ["help+jobs@nuumee.test", "mailto:help+jobs@nuumee.test?subject=Job%20"],
    ["https://nuumee.test/help/", "https://nuumee.test/help?job="],
    ["/help", "/help?job="],
  ])("make of the support's address %s the beginning of one that ends in a job's id", (support, url) => {
    expect(read({ ...least, NEXT_PUBLIC_SUPPORT: support }).supportUrl).toBe(url);
  });

  test.each<[string, string | undefined]>([
    ["NEXT_PUBLIC_CREATE_URL", "javascript:alert(1)"],
    ["NEXT_PUBLIC_CREATE_URL", "nuumee.test/create"],
    ["NEXT_PUBLIC_SUPPORT", "javascript:alert@1/"],
    ["NEXT_PUBLIC_SUPPORT", "help@nuumee.test?bcc=all@nuumee.test"],
    ["NEXT_PUBLIC_API_URL", undefined],
    ["NEXT_PUBLIC_API_URL", "api.nuumee.test"],
    ["NEXT_PUBLIC_API_URL", "javascript:alert(1)"],
    ["NEXT_PUBLIC_FIREBASE_API_KEY", " "],
    ["NEXT_PUBLIC_FIREBASE_PROJECT_ID", undefined],
    ["NEXT_PUBLIC_DELETE_JOB_URL", "ftp://nuumee.test"],
    ["NEXT_PUBLIC_SOFT_DELETE_DAYS", "a week"],
    ["NEXT_PUBLIC_SOFT_DELETE_DAYS", "-1"],
  ])("reject %s=%s and name it", (name, value) => {
    expect(() => read({ ...least, [name]: value })).toThrow(name);
  });
});
