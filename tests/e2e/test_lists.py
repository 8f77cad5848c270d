"""Which jobs the page lists: all or those with a status, twenty at a time, according to its address."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Request, expect

from tests.e2e.faults import LIST, LOOK, HeldBack, failed_load, unavailable
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import STATUSES, Shelf
from tests.waiting import wait_until


def test_a_page_of_jobs_and_their_media_is_one_request(jobs_page: JobsPage, shelf: Shelf) -> None:
    shelf.add_many(14)
    newest = [shelf.add() for _ in range(6)][-1]
    jobs_page.open()
    for medium, element in (("reference image", "img"), ("source video", "video"), ("output video", "video")):
        expect(jobs_page.tile(newest, medium).locator(element)).to_have_css("opacity", "1")
    expect(jobs_page.cards).to_have_count(20)
    assert [query(request) for request in jobs_page.requests] == [{"page_size": "20", "include": "media,counts"}]


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


def test_filters_show_counts_which_are_requested_once_and_only_the_jobs_of_their_status(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    ids = {
        status: shelf.add_many(number + 1, status) for number, status in enumerate(STATUSES) if status != "queued"
    }
    jobs_page.open()
    jobs_page.expect_counts(all=13, pending=1, queued=0, processing=3, completed=4, failed=5)
    for status in ("failed", "processing"):
        jobs_page.filter(status.capitalize()).click()
        jobs_page.expect_ids(ids[status])
        expect(jobs_page.filter(status.capitalize())).to_have_attribute("aria-pressed", "true")
        expect(jobs_page.page.locator("[aria-pressed=true]")).to_have_count(1)
        jobs_page.expect_counts(all=13, pending=1, queued=0, processing=3, completed=4, failed=5)
    jobs_page.filter("Queued").click()
    expect(jobs_page.page.get_by_role("heading", name="No queued jobs")).to_be_visible()
    jobs_page.filter("All").click()
    expect(jobs_page.cards).to_have_count(13)
    asked = [query(request)["include"] for request in jobs_page.requests if not LOOK.search(request.url)]
    assert asked[0] == "media,counts"
    assert set(asked[1:]) == {"media"}


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


def test_counts_that_contradict_the_list_are_requested_once_more_and_refresh_shows_new_jobs(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    shelf.add("failed", media=False)
    jobs_page.open()
    jobs_page.expect_counts(all=1, failed=1)
    new = shelf.add(media=False)
    jobs_page.filter("Completed").click()
    jobs_page.expect_ids([new])
    jobs_page.expect_counts(all=2, completed=1, failed=1)
    assert [query(one)["include"] for one in jobs_page.requests] == ["media,counts", "media", "media,counts"]

    newer = shelf.add_many(1)
    page.get_by_role("button", name="Refresh the list").click()
    jobs_page.expect_ids([*newer, new])
    jobs_page.expect_counts(all=3, completed=2, failed=1)
    jobs_page.expect_range(1, 2, 2)


def test_counts_are_requested_again_after_a_failure(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("503"))
    shelf.add("failed", media=False)
    lists = HeldBack(page, LIST)
    jobs_page.open(wait=False)
    wait_until(lambda: page.evaluate("1") and len(jobs_page.asked()) == 1)
    jobs_page.filter("Completed").click()
    wait_until(lambda: page.evaluate("1") and len(jobs_page.asked()) == 2)
    lists.let_go(unavailable("Firestore is not available now."))
    expect(page.get_by_role("heading", name="Your jobs could not be loaded")).to_be_visible()
    jobs_page.filter("Failed").click()
    jobs_page.expect_counts(all=1, failed=1)


def test_jobs_with_unknown_statuses_have_a_filter_if_there_are_any(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    others = [shelf.add("watermarking", media=False), shelf.add("archived", media=False)][::-1]
    shelf.add("failed", media=False)
    jobs_page.open()
    jobs_page.expect_counts(all=3, failed=1, other=2)
    jobs_page.filter("Other").click()
    jobs_page.expect_ids(others)
    page.reload()
    jobs_page.expect_ids(others)
    expect(jobs_page.filter("Other")).to_have_attribute("aria-pressed", "true")

    selection = page.get_by_role("region", name="Selected jobs")
    jobs_page.cards.first.get_by_role("checkbox").check()
    selection.get_by_role("button", name="Select all 2").click()
    selection.get_by_role("button", name="Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete 2 jobs").click()
    expect(page.get_by_role("heading", name="No other jobs")).to_be_visible()
    jobs_page.expect_counts(all=1, failed=1, other=0)
    jobs_page.filter("All").click()
    expect(jobs_page.filter("Other")).to_have_count(0)


def test_every_job_is_on_exactly_one_page_which_is_requested_by_its_cursor_and_begins_at_the_top(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    ids = shelf.add_many(45, "failed")
    jobs_page.open("?status=failed")
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()
    jobs_page.expect_range(1, 20, 45)
    seen = jobs_page.ids()
    for first, last in ((21, 40), (41, 45)):
        turn(jobs_page, "Next")
        jobs_page.expect_range(first, last, 45)
        seen += jobs_page.ids()
        asked = query(jobs_page.requests[-1])
        assert asked["cursor"]
        assert (asked["status"], asked.get("page")) == ("failed", None)
        assert jobs_page.focused() == "jobs-title"
        expect(jobs_page.announcer).to_have_text(re.compile(f"Jobs {first}.{last} of 45"))
    assert seen == ids
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    for first, last in ((21, 40), (1, 20)):
        turn(jobs_page, "Previous")
        jobs_page.expect_range(first, last, 45)
        assert jobs_page.focused() == "jobs-title"
        assert page.evaluate("scrollY") == 0


def test_back_and_forward_go_through_filters_and_pages_and_a_reload_shows_the_same(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    failed = shelf.add_many(21, "failed")
    newest = shelf.add_many(2)
    jobs_page.open()
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


def test_a_page_beyond_the_end_leads_to_the_last_and_an_invalid_address_or_a_filter_without_jobs_to_all(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    ids = shelf.add_many(21, "failed")
    jobs_page.open("?page=9")
    jobs_page.expect_ids(ids[20:])
    expect(page).to_have_url(re.compile(r"\?page=2$"))
    expect(page.get_by_role("button", name="Previous")).to_be_enabled()

    jobs_page.open("?status=lost&page=-1")
    jobs_page.expect_ids(ids[:20])
    expect(jobs_page.filter("All")).to_have_attribute("aria-pressed", "true")

    jobs_page.open("?status=queued", wait=False)
    expect(page.get_by_role("heading", name="No queued jobs")).to_be_visible()
    page.get_by_role("button", name="Show all jobs").press("Enter")
    jobs_page.expect_ids(ids[:20])
    assert jobs_page.focused() == "jobs-title"


def turn(jobs_page: JobsPage, direction: str) -> None:
    jobs_page.page.get_by_role("button", name=direction, exact=True).click()


def query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
