/**
 * Writes into the head of each HTML file of an export: the Content-Security-Policy, with the hashes of that file's inline
 * scripts, and in the jobs page the script that asks for the list and makes room for the grid. Run by `npm run build`: the scripts, and so their
 * hashes, differ from build to build.
 *
 *   node heads.mjs FOLDER
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const JOBS = join("jobs", "index.html");
const SCRIPTS = "script-src 'self'";
// Browsers look for the character set in the first 1,024 bytes alone, so the policy comes after it:
// https://html.spec.whatwg.org/multipage/semantics.html#charset
const CHARACTER_SET = '<head><meta charSet="utf-8"/>';

const folder = process.argv[2];
const policy = readFileSync(join(folder, "policy.txt"), "utf8");
const firstList = `<script>${readFileSync(join(folder, "first-list.js"), "utf8")}</script>`;
if (!policy.includes(SCRIPTS)) throw new Error(`the policy has no ${SCRIPTS}`);
const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".html"));
if (!names.includes(JOBS)) throw new Error(`there is no ${JOBS} to ask for the list`);
for (const name of names) {
  const file = join(folder, name);
  const html = readFileSync(file, "utf8");
  if (!html.includes(CHARACTER_SET)) throw new Error(`${file} does not begin with its character set`);
  // Before the style sheets: a script after one waits for it.
  const first = name === JOBS ? firstList : "";
  const own = policy.replace(SCRIPTS, [SCRIPTS, ...hashes(first + html)].join(" "));
  const meta = `<meta http-equiv="Content-Security-Policy" content="${own}"/>`;
  writeFileSync(
    file,
    html.replace(CHARACTER_SET, () => CHARACTER_SET + meta + first),
  );
}
for (const name of ["policy.txt", "first-list.js"]) rmSync(join(folder, name));

/** https://www.w3.org/TR/CSP3/#match-element-to-source-list */
function hashes(html) {
  const inline = html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>(.*?)<\/script>/gs);
  return [...inline].map(([, script]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`);
}
