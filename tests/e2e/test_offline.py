"""Without a connection or a response, the page keeps what it shows and says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.e2e.clock import Clock
from tests.e2e.faults import LIST, PAGE, POLL, HeldBack, failed_load, no_connection, unavailable
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf

DETAIL = "Firestore is not available now."
FAULTS: list[tuple[Callable[[Route], None], str]] = [
    (unavailable(DETAIL), DETAIL),
    (no_connection, "The service cannot be reached."),
]
"""What happens to a request, and what the page says of it."""
LOGGED = [failed_load("503"), failed_load("net::ERR_CONNECTION_FAILED")]


def test_jobs_stay_and_nothing_is_requested_while_offline(
    jobs_page: JobsPage, context: BrowserContext, page: Page, shelf: Shelf
) -> None:
    clock = Clock(page)
    job = shelf.add("processing", media=False)
    jobs_page.open()
    clock.stop()
    before = clock.run_to_next(POLL, within=10)
    context.set_offline(True)
    expect(banner(page)).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 420})
    page.evaluate("scrollTo(0, 1000)")
    assert page.evaluate("scrollY") > 100
    expect(banner(page)).to_be_in_viewport(ratio=1)
    clock.run(seconds=60)
    assert clock.times(POLL) == [before]
    jobs_page.expect_ids([job])
    context.set_offline(False)
    expect(banner(page)).to_have_count(0)
    clock.wait_for(PAGE, times=2)
    assert clock.times(POLL) == [before]
    assert clock.run_to_next(POLL, within=11) >= clock.times(PAGE)[-1] + 10


def test_a_job_deleted_offline_comes_back_and_can_be_deleted_later(
    jobs_page: JobsPage, context: BrowserContext, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("net::ERR_INTERNET_DISCONNECTED"))
    ids = shelf.add_many(2, "failed")
    jobs_page.open()
    jobs_page.button(ids[0], "Delete").click()
    page.get_by_role("region", name="Notifications").wait_for(state="attached")
    context.set_offline(True)
    jobs_page.dialog.get_by_role("button", name="Delete job").click()
    expect(jobs_page.toasts).to_contain_text("The service cannot be reached.")
    jobs_page.expect_ids(ids)
    jobs_page.expect_counts(all=2, failed=2)

    context.set_offline(False)
    jobs_page.button(ids[0], "Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()
    jobs_page.expect_ids(ids[1:])


def test_a_dialog_that_cannot_be_loaded_says_so_and_opens_when_back_online(
    jobs_page: JobsPage, context: BrowserContext, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("net::ERR_INTERNET_DISCONNECTED"))
    job = shelf.add("failed", media=False)
    jobs_page.open()
    context.set_offline(True)
    jobs_page.button(job, "Delete").click()
    # The component for messages cannot be loaded either.
    expect(page.get_by_role("alert").filter(has_text="This could not be opened")).to_contain_text(
        "The service cannot be reached."
    )
    jobs_page.expect_ids([job])
    context.set_offline(False)
    jobs_page.button(job, "Delete").click()
    expect(jobs_page.dialog).to_have_accessible_name(f"Delete job {job[:8]}?")


def test_a_page_whose_parts_a_deployment_has_removed_is_reloaded_once_and_then_says_so(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.extend([failed_load("404"), "Refused to execute script"])
    job = shelf.add("failed", media=False)
    jobs_page.open()
    loaded: list[str] = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    page.route(
        lambda url: "/_next/static/chunks/" in url and url not in loaded,
        lambda route: route.fulfill(status=404, body="gone"),
    )
    with page.expect_navigation():
        jobs_page.button(job, "Details").click()
    expect(page.get_by_role("alert").filter(has_text="This could not be opened")).to_contain_text(
        "Part of this page is missing, probably because there is a new version. Please reload it."
    )
    jobs_page.expect_ids([job])


def test_a_list_shows_skeletons_then_why_it_cannot_be_loaded_and_a_retry_moves_the_focus_to_the_heading(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors += LOGGED
    ids = shelf.add_many(2, "failed")
    for fault, reason in FAULTS:
        held = HeldBack(page, LIST)
        jobs_page.open(wait=False)
        # Until the page's script runs, the text is there twice.
        expect(page.get_by_text("Loading your jobs").first).to_be_attached()
        expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Refresh the list")).to_be_disabled()
        held.wait()
        page.route(LIST, fault)
        held.let_go(fault)
        expect(alert(page)).to_contain_text("Your jobs could not be loaded")
        expect(alert(page)).to_contain_text(reason)
        page.unroute(LIST)
        alert(page).get_by_role("button", name="Try again").press("Enter")
        jobs_page.expect_ids(ids)
        jobs_page.expect_counts(all=2, failed=2)
        expect(page.get_by_text("Loading your jobs")).to_have_count(0)
        expect(alert(page)).to_have_count(0)
        assert jobs_page.focused() == "jobs-title"


def test_a_poll_does_not_take_back_that_the_list_may_be_out_of_date(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("503"))
    active = shelf.add("processing", media=False)
    clock = Clock(page)
    jobs_page.open()
    clock.stop()
    page.route(PAGE, unavailable("Firestore is not available now."))
    page.get_by_role("button", name="Refresh the list").click()
    expect(alert(page)).to_contain_text("The list may be out of date. Firestore is not available now.")
    shelf.document(active).update({"status": "queued"})
    clock.run_to_next(POLL, within=20)
    expect(jobs_page.card(active)).to_contain_text("Queued")
    expect(alert(page)).to_contain_text("The list may be out of date. Firestore is not available now.")
    page.unroute(PAGE)
    alert(page).get_by_role("button", name="Try again").click()
    expect(alert(page)).to_have_count(0)


def test_a_list_that_cannot_be_refreshed_stays_and_says_so_and_a_retry_moves_the_focus_to_the_heading(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors += LOGGED
    ids = shelf.add_many(2, "failed")
    jobs_page.open()
    for fault, reason in FAULTS:
        page.route(LIST, fault)
        page.get_by_role("button", name="Refresh the list").click()
        expect(alert(page)).to_contain_text(f"The list may be out of date. {reason}")
        jobs_page.expect_ids(ids)
        jobs_page.expect_counts(all=2, failed=2)
        page.unroute(LIST)
        alert(page).get_by_role("button", name="Try again").press("Enter")
        expect(alert(page)).to_have_count(0)
        jobs_page.expect_ids(ids)
        assert jobs_page.focused() == "jobs-title"


def test_a_page_that_cannot_be_loaded_says_why_and_leads_back_or_loads_by_itself_when_back_online(
    jobs_page: JobsPage, context: BrowserContext, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors += [failed_load("503"), failed_load("net::ERR_INTERNET_DISCONNECTED")]
    ids = shelf.add_many(21, "failed")
    jobs_page.open()
    page.route(LIST, unavailable(DETAIL))
    page.get_by_role("button", name="Next").click()
    expect(alert(page)).to_contain_text(DETAIL)
    page.unroute(LIST)
    page.go_back()
    jobs_page.expect_ids(ids[:20])
    expect(alert(page)).to_have_count(0)

    context.set_offline(True)
    page.get_by_role("button", name="Next").click()
    expect(alert(page)).to_contain_text("The service cannot be reached.")
    context.set_offline(False)
    jobs_page.expect_ids(ids[20:])
    expect(alert(page)).to_have_count(0)


def banner(page: Page) -> Locator:
    return page.get_by_role("status").filter(has_text=re.compile("^You are offline"))


def alert(page: Page) -> Locator:
    """The page's own alerts. Next.js adds an alert element of its own."""
    return page.get_by_role("main").get_by_role("alert")
