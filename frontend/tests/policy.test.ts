import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type MediaPlaces, readMediaPlaces } from "@/lib/media-places";
import { policyFor } from "@/lib/policy";
import { read } from "@/lib/settings";

const BUCKETS = ["images", "videos", "outputs"];
const MEDIA: MediaPlaces = { origin: "https://storage.googleapis.com", buckets: BUCKETS };
const least = {
  NEXT_PUBLIC_API_URL: "/api/v1",
  NEXT_PUBLIC_FIREBASE_API_KEY: "key",
  NEXT_PUBLIC_FIREBASE_PROJECT_ID: "project",
};

function sources(directive: string, own: Record<string, string> = {}, media = MEDIA): string[] {
  const all = policyFor(read({ ...least, ...own }), media).split("; ");
  return (
    all
      .find((one) => one.startsWith(`${directive} `))
      ?.split(" ")
      .slice(1) ?? []
  );
}

function buckets(origin: string): string[] {
  return BUCKETS.map((name) => `${origin}/${name}/`);
}

test("the buckets are read from a list with commas", () => {
  const buckets = ["images", "my_videos", "out.puts-1"];
  expect(readMediaPlaces(undefined, buckets.join())).toEqual({ ...MEDIA, buckets });
  expect(readMediaPlaces("http://127.0.0.1:*", "images").origin).toBe("http://127.0.0.1:*");
  for (const wrong of [undefined, "", "images, videos", "images/;script-src *"]) {
    expect(() => readMediaPlaces(undefined, wrong)).toThrow("NEXT_PUBLIC_BUCKETS");
  }
});

describe("the policy", () => {
  test("allows no script but the page's own", () => {
    expect(sources("default-src")).toEqual(["'none'"]);
    expect(sources("script-src")).toEqual(["'self'"]);
  });

  test("allows calls of each function at its own origin, once, and of Firebase's sign-in", () => {
    const own = {
      NEXT_PUBLIC_API_URL: "https://api.nuumee.test/v1",
      NEXT_PUBLIC_DELETE_JOB_URL: "https://delete-job.nuumee.test/",
    };
    expect(sources("connect-src", own)).toEqual([
      "'self'",
      "https://api.nuumee.test",
      "https://delete-job.nuumee.test",
      ...buckets("https://storage.googleapis.com"),
      "https://identitytoolkit.googleapis.com",
      "https://securetoken.googleapis.com",
    ]);
  });

  test("names the page's own origin once when all is there", () => {
    expect(sources("connect-src", { NEXT_PUBLIC_AUTH_EMULATOR_URL: "/" })).toEqual([
      "'self'",
      ...buckets("https://storage.googleapis.com"),
    ]);
  });

  test("allows the Auth emulator in place of Firebase's sign-in", () => {
    const own = { NEXT_PUBLIC_AUTH_EMULATOR_URL: "http://auth.localhost/" };
    expect(sources("connect-src", own)).toEqual([
      "'self'",
      ...buckets("https://storage.googleapis.com"),
      "http://auth.localhost",
    ]);
  });

  test("allows media from the buckets on Cloud Storage alone, or on where a build says", () => {
    for (const origin of [MEDIA.origin, "http://127.0.0.1:*"]) {
      const found = (directive: string) => sources(directive, {}, { ...MEDIA, origin });
      expect(found("img-src")).toEqual(["'self'", ...buckets(origin)]);
      expect(found("media-src")).toEqual(buckets(origin));
      expect(found("frame-src")).toEqual(buckets(origin));
      expect(found("connect-src")).toEqual([
        "'self'",
        ...buckets(origin),
        "https://identitytoolkit.googleapis.com",
        "https://securetoken.googleapis.com",
      ]);
    }
  });

  test("allows Google's window for signing in only where there is a domain for it", () => {
    const own = { NEXT_PUBLIC_FIREBASE_AUTH_DOMAIN: "project.firebaseapp.com" };
    expect(sources("script-src", own)).toEqual(["'self'", "https://apis.google.com"]);
    expect(sources("frame-src", own)).toContain("https://project.firebaseapp.com");
    expect(sources("frame-src")).toEqual(buckets("https://storage.googleapis.com"));
  });
});

describe("an exported file", () => {
  const folder = mkdtempSync(join(tmpdir(), "policy-"));
  const begin = '<html><head><meta charSet="utf-8"/>';
  afterAll(() => rmSync(folder, { recursive: true }));

  function write(pages: Record<string, string>): void {
    rmSync(folder, { recursive: true });
    for (const [page, html] of Object.entries(pages)) {
      mkdirSync(join(folder, page), { recursive: true });
      writeFileSync(join(folder, page, "index.html"), html);
    }
    writeFileSync(join(folder, "policy.txt"), policyFor(read(least), MEDIA));
    writeFileSync(join(folder, "first-list.js"), "1");
    execFileSync(process.execPath, ["heads.mjs", folder], { stdio: "pipe" });
  }

  function written(html: string, page = "sign-in"): string {
    write({ jobs: begin, [page]: html });
    return readFileSync(join(folder, page, "index.html"), "utf8");
  }

  // From `printf %s 1 | openssl dgst -sha256 -binary | base64`.
  const hash = "'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='";

  test("has the policy right after its character set, with the hashes of its inline scripts alone", () => {
    const scripts = '<script src="/a.js" async=""></script><script>1</script><script id="b">$&\n"é"</script>';
    const hashes = `${hash} 'sha256-w+KEJ1IDdJL5rrQHkycHIRMHnUuAImOsH/ORFil5v5U='`;
    const policy = policyFor(read(least), MEDIA).replace("script-src 'self'", `script-src 'self' ${hashes}`);
    const html = `${begin}</head><body>${scripts}</body></html>`;
    expect(written(html)).toBe(
      html.replace(begin, `${begin}<meta http-equiv="Content-Security-Policy" content="${policy}"/>`),
    );
    expect(readdirSync(folder)).toEqual(["jobs", "sign-in"]);
  });

  test("of the jobs asks for the list before anything else is loaded", () => {
    const html = written(`${begin}<link rel="stylesheet" href="/a.css"/></head></html>`, "jobs");
    expect(html).toContain(`script-src 'self' ${hash};`);
    expect(html).toContain('"/><script>1</script><link rel="stylesheet"');
  });

  test("of the jobs is missed if it is not there", () => {
    expect(() => write({ "sign-in": begin })).toThrow("there is no jobs/index.html to ask for the list");
  });

  test("that does not begin as expected fails the build", () => {
    expect(() => written("<html><head><title/>")).toThrow("does not begin with its character set");
  });
});
