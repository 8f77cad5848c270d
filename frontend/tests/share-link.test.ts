import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test, vi } from "vitest";
import { useShareLink } from "@/hooks/use-share-link";
import { NetworkError } from "@/lib/errors";
import type { Job } from "@/lib/job";

const { changeShareLink } = vi.hoisted(() => ({ changeShareLink: vi.fn() }));
vi.mock("@/lib/job-calls", () => ({ changeOf: () => ({ id: "a" }), changeShareLink }));
vi.mock("@/lib/notify", () => ({ notify: vi.fn() }));

test("a change of a link's end tells whether it succeeded, so that a choice that failed stays", async () => {
  let limit: (days: number | null) => Promise<boolean> = async () => false;
  const Page = () => {
    limit = useShareLink({ id: "a" } as Job, vi.fn()).limit;
    return null;
  };
  renderToStaticMarkup(createElement(Page));
  changeShareLink.mockRejectedValueOnce(new NetworkError());
  expect(await limit(7)).toBe(false);
  changeShareLink.mockResolvedValueOnce({ expires_at: null });
  expect(await limit(null)).toBe(true);
});
