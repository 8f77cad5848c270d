"""Taking a deletion back: Undo after it, Restore in the trash, and the receipt."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect

from infra.local.users import Account
from tests.e2e.clock import Clock
from tests.e2e.faults import LIST, POLL, HeldAnswers, HeldBack, failed_load, problem
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.test_accessibility import expect_fits_and_no_violations
from tests.waiting import wait_until

RESTORE = re.compile(r"/api/v1/jobs/[^/?]+/restore$")
GONE = "The job's files are gone for good, so it can no longer be restored."


def test_undo_brings_the_job_back_to_its_place_at_once_or_says_why_not(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors += [failed_load("410"), failed_load("404")]  # a tile may look for a file that is not back yet
    first, job, last = shelf.add_many(3)
    jobs_page.open()
    delete(jobs_page, job)
    held = HeldBack(page, RESTORE)
    undo(jobs_page)
    # The answer has not come yet.
    jobs_page.expect_ids([first, job, last])
    jobs_page.expect_counts(all=3, completed=3)
    held.wait()
    held.let_go(lambda route: problem(route, 410, GONE))
    expect(jobs_page.toasts.filter(has_text=f"Job {job[:8]} could not be restored")).to_contain_text(GONE)
    jobs_page.expect_ids([first, last])
    jobs_page.expect_counts(all=2, completed=2)

    delete(jobs_page, first)
    undo(jobs_page)
    expect(jobs_page.toasts.filter(has_text=f"Job {first[:8]} restored")).to_be_visible()
    jobs_page.expect_ids([first, last])
    jobs_page.expect_counts(all=2, completed=2)
    assert not _is_deleted(shelf, first)


def test_a_deletion_waits_for_the_answer_to_undo_unless_the_page_is_left(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    first, job = shelf.add_many(2)
    jobs_page.open()
    delete(jobs_page, job)
    held = HeldAnswers(page, RESTORE)
    undo(jobs_page)
    held.wait()
    wait_until(lambda: not _is_deleted(shelf, job))
    delete(jobs_page, job)
    jobs_page.expect_ids([first])
    with page.expect_response(LIST):
        page.get_by_role("button", name="Refresh the list").click()
    assert sum(request.method == "DELETE" for request in jobs_page.requests) == 1
    page.goto("about:blank")
    wait_until(lambda: _is_deleted(shelf, job))


def test_a_job_that_is_restored_elsewhere_is_shown_again(
    jobs_page: JobsPage, page: Page, shelf: Shelf, account: Account
) -> None:
    first, job = shelf.add_many(2)
    jobs_page.open()
    delete(jobs_page, job)
    jobs_page.toasts.get_by_role("button", name="Undo").wait_for()
    headers = {"Authorization": f"Bearer {account.token}"}
    answer = page.request.post(f"/api/v1/jobs/{job}/restore", headers=headers)
    assert answer.status == 202
    wait_until(lambda: not _is_deleted(shelf, job))
    page.get_by_role("button", name="Refresh the list").click()
    jobs_page.expect_ids([first, job])


def test_several_jobs_are_restored_from_the_trash_with_their_files(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    jobs = [shelf.add(), shelf.add("failed")]
    jobs_page.open()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Select all").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    jobs_page.dialog.get_by_role("button", name="Delete 2 jobs").click()
    expect(page.get_by_role("heading", name="No videos yet")).to_be_visible()
    wait_until(lambda: not any(map(shelf.objects, jobs)))

    jobs_page.filter("Deleted").click()
    expect(jobs_page.cards).to_have_count(2)
    expect(jobs_page.cards.first).to_contain_text(re.compile(r"Gone for good on \w+ \d+, \d{4}"))
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Select all").click()
    page.get_by_role("region", name="Selected jobs").get_by_role("button", name="Restore").click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    jobs_page.expect_counts(all=2, completed=1, failed=1)
    wait_until(lambda: [len(shelf.objects(job)) for job in jobs] == [3, 2])

    jobs_page.filter("All").click()
    jobs_page.expect_ids(jobs[::-1])
    jobs_page.expect_counts(all=2, completed=1, failed=1)


def test_others_move_up_while_jobs_are_being_restored_and_a_hidden_page_does_not_ask_for_these(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    deleted = [shelf.add_deleted() for _ in range(21)]
    clock = Clock(page)
    jobs_page.open("?deleted=true")
    HeldBack(page, POLL)  # so that the page does not know that they are back
    jobs_page.cards.first.get_by_role("checkbox").check()
    bar = page.get_by_role("region", name="Selected jobs")
    bar.get_by_role("button", name="Select all 20").click()
    bar.get_by_role("button", name="Restore").click()
    jobs_page.expect_ids([deleted[0]])
    clock.stop()
    clock.hide_page()
    asked = len(clock.times(LIST))
    clock.run(seconds=60)
    assert len(clock.times(LIST)) == asked
    clock.show_page()
    clock.run(seconds=1)
    wait_until(lambda: len(clock.times(POLL)) > 1)


def test_the_receipt_is_shown_and_saved_as_a_file(jobs_page: JobsPage, page: Page, shelf: Shelf) -> None:
    job = shelf.add_deleted()
    shelf.add("failed", media=False)
    jobs_page.open("?deleted=true")
    jobs_page.expect_counts(all=1, completed=0, failed=1)
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


def test_an_old_trash_is_loaded_again_when_its_user_comes_back(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    first = shelf.add_deleted()
    clock = Clock(page)
    jobs_page.open("?deleted=true")
    jobs_page.expect_ids([first])
    clock.stop()
    clock.hide_page()
    second = shelf.add_deleted()
    clock.run(seconds=31)
    clock.show_page()
    jobs_page.expect_ids([second, first])


def delete(jobs_page: JobsPage, job_id: str) -> None:
    jobs_page.button(job_id, "Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()


def _is_deleted(shelf: Shelf, job_id: str) -> bool:
    return (shelf.document(job_id).get().to_dict() or {}).get("deleted_at") is not None


def undo(jobs_page: JobsPage) -> None:
    jobs_page.toasts.get_by_role("button", name="Undo").click()
