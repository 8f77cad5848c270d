"""Names of built-in JavaScript properties, such as `constructor`, cause no harm in a job or an address."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.jobs_page import JobsPage, wait_for_dialog
from tests.e2e.shelf import Shelf

NAMES = ("__proto__", "constructor")


def test_a_job_type_with_such_a_name_still_has_a_card_and_details(jobs_page: JobsPage, shelf: Shelf) -> None:
    jobs = [shelf.add(media=False, job_type=name) for name in NAMES]
    jobs_page.open()
    for job in jobs:
        expect(jobs_page.card(job).get_by_role("heading")).to_have_text("VideoCompleted")
        jobs_page.button(job, "Details").click()
        expect(jobs_page.dialog).to_have_accessible_name(f"Video {job[:8]}")
        wait_for_dialog(jobs_page.page)
        jobs_page.page.keyboard.press("Escape")
        expect(jobs_page.dialog).to_have_count(0)


def test_a_sign_in_reason_with_such_a_name_is_ignored(page: Page) -> None:
    for name in NAMES:
        page.goto(f"/sign-in/?reason={name}")
        expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
        expect(page.get_by_label("Password")).to_be_visible()
        expect(page.get_by_role("status")).to_have_count(0)
