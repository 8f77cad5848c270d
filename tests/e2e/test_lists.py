"""Lists in a browser: when they are asked for, and its history. Which jobs: frontend/tests/page-lists.test.tsx."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Request, expect

from tests.e2e.faults import LIST, HeldBack
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf


def test_the_list_is_asked_for_before_the_scripts_of_the_page_are_there(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    job_id = shelf.add(media=False)
    scripts = HeldBack(page, re.compile(r"/_next/.*\.js$"))
    with page.expect_response(LIST) as early:
        page.goto("/jobs/", wait_until="commit")
    assert query(early.value.request) == {"page_size": "20", "include": "media,counts"}
    scripts.let_go()
    jobs_page.expect_ids([job_id])
    assert len(jobs_page.asked()) == 1


_WATCH_FILTERS = """
    window.measured = 0;
    const left = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "offsetLeft");
    Object.defineProperty(HTMLElement.prototype, "offsetLeft", {
        get() {
            if (this.closest("nav")) window.measured += 1;
            return left.get.call(this);
        },
    });
    window.strayed = [];
    new MutationObserver(() => {
        const bar = document.querySelector("nav[aria-label='Filter by status']");
        const button = bar?.querySelector("[aria-pressed=true]");
        if (!button) return;
        const [outer, inner] = [bar.getBoundingClientRect(), button.getBoundingClientRect()];
        const away = inner.left + inner.width / 2 - outer.left - outer.width / 2;
        const room = away > 0 ? bar.scrollWidth - bar.clientWidth - bar.scrollLeft : bar.scrollLeft;
        window.strayed.push(Math.min(Math.abs(away), room));
    }).observe(document, { attributes: true, characterData: true, childList: true, subtree: true });
"""
"""Notes how often a filter's place is measured, and after each change how far from the middle the chosen is."""


def test_a_phone_shows_the_chosen_filter_before_anything_is_drawn(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    shelf.add("failed", media=False)
    page.set_viewport_size({"width": 360, "height": 800})
    page.add_init_script(_WATCH_FILTERS)
    jobs_page.open()
    jobs_page.expect_counts(all=1, failed=1)
    assert page.evaluate("measured") == 0
    jobs_page.open("?status=failed")
    jobs_page.expect_counts(all=1, failed=1)
    expect(jobs_page.filter("Failed")).to_be_in_viewport(ratio=1)
    assert page.evaluate("measured") > 0
    assert max(page.evaluate("strayed")) < 2


def test_back_and_forward_go_through_filters_and_pages_and_a_reload_shows_the_same(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    failed = shelf.add_many(21, "failed")
    newest = shelf.add_many(2)
    jobs_page.open()
    assert [query(request) for request in jobs_page.requests] == [{"page_size": "20", "include": "media,counts"}]
    jobs_page.filter("Failed").click()
    jobs_page.expect_ids(failed[:20])
    turn(jobs_page, "Next")
    jobs_page.expect_ids(failed[20:])
    asked = query(jobs_page.requests[-1])
    assert asked["cursor"]
    assert (asked["status"], asked.get("page")) == ("failed", None)
    page.go_back()
    jobs_page.expect_ids(failed[:20])
    page.go_back()
    jobs_page.expect_ids(newest + failed[:18])
    page.go_forward()
    page.go_forward()
    jobs_page.expect_ids(failed[20:])
    page.reload()
    jobs_page.expect_ids(failed[20:])
    jobs_page.expect_range(21, 21, 21)
    expect(jobs_page.filter("Failed")).to_have_attribute("aria-pressed", "true")


def turn(jobs_page: JobsPage, direction: str) -> None:
    jobs_page.page.get_by_role("button", name=direction, exact=True).click()


def query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
