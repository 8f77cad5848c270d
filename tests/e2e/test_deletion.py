"""Deleting one job: the confirmation, what is removed, and what comes back after a failure."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.faults import LIST, ONE_JOB, HeldBack, failed_load, no_connection, unavailable
from tests.e2e.jobs_page import JobsPage, wait_for_dialog
from tests.e2e.shelf import Shelf

_PAGE_2 = re.compile(r"/jobs/\?page=2$")


def test_a_job_goes_once_confirmed_before_the_response_even_if_gone_already_and_returns_if_that_fails(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    first, second, third = shelf.add_many(3)
    expected_errors.append(rf"(status of 503|ERR_CONNECTION_FAILED) .*/jobs/{second}\)")
    expected_errors.append(rf"status of 404 .*/jobs/{third}\)")
    jobs_page.open()
    _expect_a_confirmation_that_escape_ends(jobs_page, first)

    no_topic = "Pub/Sub is not available now."
    for fault, reason in ((unavailable(no_topic), no_topic), (no_connection, "The service cannot be reached.")):
        page.route(ONE_JOB, fault, times=1)
        delete(jobs_page, second)
        failure = _toasts(jobs_page, second).filter(has_text=reason)
        expect(failure).to_contain_text(f"Job {second[:8]} could not be deleted")
        jobs_page.expect_ids([first, second, third])
        jobs_page.expect_counts(all=3, completed=3)
        jobs_page.expect_range(1, 3, 3)

    held = HeldBack(page, ONE_JOB)
    delete(jobs_page, first)
    jobs_page.expect_ids([second, third])
    jobs_page.expect_counts(all=2, completed=2)
    jobs_page.expect_range(1, 2, 2)
    expect(_toasts(jobs_page, first)).to_have_count(0)
    with page.expect_response(LIST):  # the list is refreshed after a deletion
        held.let_go()
    expect(_toasts(jobs_page, first)).to_have_text(f"Job {first[:8]} deletedUndo")
    assert shelf.document(first).get(["deleted_at"]).get("deleted_at")
    jobs_page.expect_ids([second, third])
    jobs_page.expect_counts(all=2, completed=2)

    expect(page.get_by_role("button", name="Refresh the list")).to_be_enabled()
    shelf.document(third).delete()
    delete(jobs_page, third)
    expect(_toasts(jobs_page, third)).to_have_text(f"Job {third[:8]} deleted")
    jobs_page.expect_ids([second])
    expect(_toasts(jobs_page, third).filter(has_text="could not")).to_have_count(0)


def _expect_a_confirmation_that_escape_ends(jobs_page: JobsPage, job: str) -> None:
    """It names the job and says how long a copy is kept. Escape keeps the job."""
    jobs_page.button(job, "Delete").click()
    dialog = jobs_page.dialog
    expect(dialog).to_have_accessible_name(f"Delete job {job[:8]}?")
    expect(dialog).to_have_accessible_description(re.compile("output videos will be deleted.*7 more days"))
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    wait_for_dialog(jobs_page.page)
    jobs_page.page.keyboard.press("Escape")
    expect(jobs_page.dialog).to_have_count(0)
    expect(jobs_page.button(job, "Delete")).to_be_focused()
    assert [request.method for request in jobs_page.requests] == ["GET"]


def test_the_focus_moves_to_the_next_job_or_else_the_previous_one_and_to_the_heading_after_the_last(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    first, second, third, last = shelf.add_many(4, "failed")
    jobs_page.open()
    for gone, neighbour in ((first, second), (third, last), (last, second)):
        delete(jobs_page, gone)
        expect(jobs_page.card(neighbour)).to_be_focused()
    delete(jobs_page, second)
    expect(page.get_by_role("heading", name="No videos yet")).to_be_visible()
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_focused()
    jobs_page.expect_counts(all=0, failed=0)


def test_a_list_whose_jobs_are_not_counted_has_one_less_also_on_a_later_page(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    ids = shelf.add_many(42)
    jobs_page.open("?type=animate")
    jobs_page.expect_range(1, 20, 42)
    page.get_by_role("button", name="Next").click()
    jobs_page.expect_range(21, 40, 42)
    delete(jobs_page, ids[20])
    jobs_page.expect_ids(ids[21:41])
    jobs_page.expect_range(21, 40, 41)
    page.get_by_role("button", name="Next").click()
    jobs_page.expect_range(41, 41, 41)


def test_an_emptied_last_page_leads_to_the_previous_page(jobs_page: JobsPage, page: Page, shelf: Shelf) -> None:
    ids = shelf.add_many(22, "failed")
    jobs_page.open("?page=2")
    delete(jobs_page, ids[21])
    jobs_page.expect_ids(ids[20:21])

    # Its cursor carries the total of the first page, which no counts correct.
    page.goto("/jobs/?type=animate")
    page.get_by_role("button", name="Next").click()
    jobs_page.expect_ids(ids[20:21])
    delete(jobs_page, ids[20])
    jobs_page.expect_ids(ids[:20])
    jobs_page.expect_range(1, 20, 20)


def test_the_last_page_stays_until_its_only_job_is_deleted(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("503"))
    ids = shelf.add_many(21, "failed")
    jobs_page.open("?page=2")
    held = HeldBack(page, ONE_JOB)
    delete(jobs_page, ids[20])
    jobs_page.expect_counts(all=20)
    expect(jobs_page.cards).to_have_count(0)
    held.let_go(unavailable("Pub/Sub is not available now."))
    jobs_page.expect_ids(ids[20:])
    jobs_page.expect_range(21, 21, 21)
    expect(page).to_have_url(_PAGE_2)

    page.unroute(ONE_JOB)
    held = HeldBack(page, ONE_JOB)
    delete(jobs_page, ids[20])
    jobs_page.expect_counts(all=20)
    expect(jobs_page.cards).to_have_count(0)
    expect(page).to_have_url(_PAGE_2)
    held.let_go()
    jobs_page.expect_ids(ids[:20])
    expect(page).to_have_url(re.compile("/jobs/$"))


def test_a_deleted_job_is_subtracted_once_even_if_an_older_list_has_it(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    gone, kept = shelf.add_many(2)
    jobs_page.open()
    for status in ("Completed", "All"):
        with page.expect_response(LIST):
            jobs_page.filter(status).click()
    delete(jobs_page, gone)
    expect(jobs_page.toasts).to_have_text(f"Job {gone[:8]} deletedUndo")
    expect(page.get_by_role("button", name="Refresh the list")).to_be_enabled()
    jobs_page.expect_counts(all=1, completed=1)

    held = HeldBack(page, LIST)
    jobs_page.filter("Completed").click()
    expect(jobs_page.filter("Completed")).to_have_attribute("aria-pressed", "true")
    jobs_page.expect_ids([kept])
    jobs_page.expect_range(1, 1, 1)
    jobs_page.expect_counts(all=1, completed=1)
    held.let_go()
    expect(page.get_by_role("button", name="Refresh the list")).to_be_enabled()
    jobs_page.expect_counts(all=1, completed=1)


def delete(jobs_page: JobsPage, job_id: str) -> None:
    jobs_page.button(job_id, "Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()


def _toasts(jobs_page: JobsPage, job_id: str) -> Locator:
    return jobs_page.toasts.filter(has_text=f"Job {job_id[:8]}")
