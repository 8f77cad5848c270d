import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { JobCard, type JobCardProps } from "@/components/JobCard";
import { JobsContent } from "@/components/JobsContent";

const POSTER = "https://storage.googleapis.com/images/poster.webp";

function job(id: string): JobCardProps["job"] {
  const media = { job_id: id, reference_image_url: "https://x.test/r.jpg", reference_poster_url: POSTER };
  return { id, status: "completed", name: null, error_message: null, media } as JobCardProps["job"];
}

function drawn(loads: number): string {
  const list = { jobs: [job("00000001"), job("00000002")], page: 1, total: 2, before: 0, next_cursor: null };
  const jobs = { list, loads, arrived: new Set(), loading: false };
  const props = { jobs, selection: { has: () => false }, commands: {}, Card: JobCard };
  return renderToStaticMarkup(createElement(JobsContent, props as never));
}

test("the first card comes alone, and asks for its picture at once", () => {
  const html = drawn(1);
  expect(html.match(/<article/g)).toHaveLength(1);
  expect(html).toContain(`src="${POSTER}"`);
});

test("a job that comes first later asks for its picture once it is in view", () => {
  expect(drawn(2)).not.toContain("src=");
});

test("another card asks for its picture once it is in view", () => {
  const props = { job: job("00000002"), selected: false, commands: {} as JobCardProps["commands"] };
  expect(renderToStaticMarkup(createElement(JobCard, props))).not.toContain("src=");
});
