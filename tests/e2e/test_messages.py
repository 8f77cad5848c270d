"""Messages appear above everything else without getting in the way."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.faults import ONE_JOB, failed_load, unavailable
from tests.e2e.jobs_page import JobsPage, wait_for
from tests.e2e.shelf import Shelf


def test_a_message_can_be_closed_above_the_details_and_does_not_cover_the_selection_bar_on_a_small_screen(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("503"))
    jobs = shelf.add_many(2)
    jobs_page.open()
    jobs_page.button(jobs[0], "Details").click()
    jobs_page.dialog.get_by_role("button", name="Copy link").click()
    message = jobs_page.toasts.filter(has_text="Link copied")
    # Not found by role, because elements outside an open dialog have none.
    message.locator("[data-close-button]").click()
    expect(message).to_have_count(0)
    expect(jobs_page.dialog).to_be_visible()
    expect(jobs_page.dialog.get_by_role("button", name="Copy link")).to_be_enabled()
    page.keyboard.press("Escape")
    expect(jobs_page.dialog).to_have_count(0)

    page.set_viewport_size({"width": 360, "height": 640})
    page.route(ONE_JOB, unavailable("Pub/Sub is not available now."))
    jobs_page.card(jobs[0]).get_by_role("checkbox").check()
    jobs_page.button(jobs[1], "Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()
    expect(jobs_page.toasts).to_contain_text("could not be deleted")
    wait_for(jobs_page.toasts, "one => one.dataset.mounted === 'true' && one.getAnimations().length === 0")
    bar = page.get_by_role("region", name="Selected jobs")
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_have_count(0)
    expect(jobs_page.toasts).to_be_visible()
