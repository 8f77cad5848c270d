"""Finding jobs by several filters at once, by name, and by their share links."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until


def test_filters_go_together_stay_in_the_address_and_can_be_taken_away(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    long_ago = datetime(2026, 1, 5, 12, tzinfo=UTC)
    old = shelf.add("failed", media=False, job_type="extend", created_at=long_ago)
    shelf.add("failed", media=False, job_type="foley")
    done = shelf.add("completed", media=False, job_type="extend")
    failed = shelf.add("failed", media=False, job_type="extend")
    jobs_page.open()
    page.get_by_role("button", name="Filter and sort").click()
    for choice in ("Completed", "Failed", "Extension", "Oldest first"):
        jobs_page.dialog.get_by_label(choice).check()
    jobs_page.dialog.get_by_label("From").fill("2026-01-06")
    jobs_page.dialog.get_by_role("button", name="Show jobs").click()
    jobs_page.expect_ids([done, failed])
    expect(page).to_have_url(re.compile(r"\?status=completed,failed&type=extend&from=2026-01-06&sort=oldest$"))
    for status in ("Completed", "Failed"):
        expect(jobs_page.filter(status)).to_have_attribute("aria-pressed", "true")
    page.reload()
    jobs_page.expect_ids([done, failed])
    page.get_by_role("button", name="Remove the filter Since Jan 6, 2026").click()
    jobs_page.expect_ids([old, done, failed])
    page.go_back()
    jobs_page.expect_ids([done, failed])
    page.get_by_role("button", name="Remove the filter Extension").click()
    page.get_by_role("button", name="Remove the filter Failed").click()
    jobs_page.expect_ids([done])
    page.get_by_role("button", name="Clear all").click()
    wait_until(lambda: len(jobs_page.ids()) == 4)


def test_a_search_finds_names_and_leads_to_ids(jobs_page: JobsPage, page: Page, shelf: Shelf) -> None:
    by_name = shelf.add("failed", media=False, name="Café", name_folded="cafe\u0301")
    by_id = shelf.add("failed", media=False, id="cafe-1")
    jobs_page.open()
    box = page.get_by_role("textbox", name="Search all jobs by id or name")
    box.fill("CAFE")
    box.press("Enter")
    jobs_page.expect_ids([by_name])
    box.fill("cafe")
    box.press("Enter")
    expect(page.get_by_text("Jobs whose name begins with")).to_be_visible()
    jobs_page.expect_ids([by_name])
    page.get_by_role("button", name="Search ids instead").click()
    jobs_page.expect_ids([by_id])
    expect(page).to_have_url(re.compile(r"\?q=cafe&by=id$"))


def test_a_link_gets_an_end_date_and_the_shared_jobs_are_listed(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    shelf.add(media=False, short_id=None, share_revoked_at=datetime.now(UTC))
    shared = shelf.add(media=False, view_count=3)
    jobs_page.open()
    jobs_page.filter("Shared").click()
    jobs_page.expect_ids([shared])
    expect(jobs_page.card(shared)).to_contain_text("3 views")
    jobs_page.button(shared, "Details").click()
    end_of_link = jobs_page.dialog.get_by_label("The link ends")
    changed = jobs_page.dialog.get_by_role("button", name="Set the link's end")
    expect(changed).to_have_attribute("aria-disabled", "true")
    end_of_link.focus()
    for _ in range(2):  # by keys, a day comes before a week
        page.keyboard.press("ArrowDown")
    expect(end_of_link).to_have_value("In a week")
    assert not [request for request in jobs_page.requests if request.method == "PATCH"]
    changed.click()
    expect(jobs_page.toasts).to_contain_text(f"The link for job {shared[:8]} ends on")
    end = shelf.document(shared).get().get("share_expires_at")
    assert abs(end - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=10)
    expect(end_of_link).to_have_value(re.compile("^On "))
    expect(changed).to_be_focused()
