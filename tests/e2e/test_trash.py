"""Taking a deletion back: Undo after it, Restore in the trash, and the receipt."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect

from tests.e2e.faults import HeldAnswers
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.test_accessibility import expect_fits_and_no_violations
from tests.waiting import wait_until

RESTORE = re.compile(r"/api/v1/jobs/[^/?]+/restore$")


def test_jobs_come_back_with_their_files_and_what_was_deleted_again_before_stays_deleted_when_the_page_is_left(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    gone = shelf.add_deleted()
    kept = shelf.add(media=False)
    jobs = [shelf.add(), shelf.add("failed")]
    jobs_page.open()
    for job in jobs:
        jobs_page.card(job).get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    jobs_page.dialog.get_by_role("button", name="Delete 2 jobs").click()
    jobs_page.expect_ids([kept])
    wait_until(lambda: not any(map(shelf.objects, jobs)))

    jobs_page.filter("Deleted").click()
    expect(jobs_page.cards).to_have_count(3)
    expect(jobs_page.cards.first).to_contain_text(re.compile(r"Gone for good on \w+ \d+, \d{4}"))
    for job in jobs:
        jobs_page.card(job).get_by_role("checkbox").check()
    page.get_by_role("region", name="Selected jobs").get_by_role("button", name="Restore").click()
    jobs_page.expect_ids([gone])
    jobs_page.expect_counts(all=3, completed=2, failed=1)
    wait_until(lambda: [len(shelf.objects(job)) for job in jobs] == [3, 2])
    _expect_a_receipt(jobs_page, gone)

    jobs_page.open()
    jobs_page.expect_ids([*jobs[::-1], kept])
    jobs_page.expect_counts(all=3, completed=2, failed=1)
    delete(jobs_page, kept)
    held = HeldAnswers(page, RESTORE)
    jobs_page.toasts.get_by_role("button", name="Undo").click()
    held.wait()
    wait_until(lambda: not _is_deleted(shelf, kept))
    delete(jobs_page, kept)
    jobs_page.expect_ids(jobs[::-1])
    page.goto("about:blank")
    wait_until(lambda: _is_deleted(shelf, kept))


def _expect_a_receipt(jobs_page: JobsPage, job: str) -> None:
    """In the trash and at the job's address. It can be saved as a file."""
    page = jobs_page.page
    jobs_page.button(job, "Receipt of").click()
    expect(jobs_page.dialog.get_by_text("Everything is removed")).to_be_visible()
    expect(jobs_page.dialog.get_by_text("2 files (3.4 MB) removed")).to_have_count(3)
    expect_fits_and_no_violations(page, "receipt")
    with page.expect_download() as started:
        jobs_page.dialog.get_by_role("button", name="Save as a file").click()
    assert started.value.suggested_filename == f"nuumee-deletion-{job}.json"
    receipt = json.loads(started.value.path().read_text())
    assert (receipt["job_id"], receipt["state"]) == (job, "done")
    assert {bucket["objects"] for bucket in receipt["buckets"].values()} == {2}

    jobs_page.open(f"?job={job}", wait=False)
    expect(jobs_page.dialog.get_by_text("2 files (3.4 MB) removed")).to_have_count(3)


def delete(jobs_page: JobsPage, job_id: str) -> None:
    jobs_page.button(job_id, "Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()


def _is_deleted(shelf: Shelf, job_id: str) -> bool:
    return (shelf.document(job_id).get().to_dict() or {}).get("deleted_at") is not None
