"""Downloading a job's video and copying its share link."""

from __future__ import annotations

from pathlib import Path

from google.cloud import storage
from playwright.sync_api import Page, expect

from infra.local.stack import Stack
from infra.local.users import Account
from tests.conftest import PASSWORD
from tests.e2e.conftest import NewContext
from tests.e2e.faults import no_connection, unavailable
from tests.e2e.jobs_page import JobsPage, sign_in
from tests.e2e.shelf import OUTPUT, Shelf


def _clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def _expect_told(jobs_page: JobsPage, text: str) -> None:
    expect(jobs_page.toasts.filter(has_text=text)).to_be_visible()


def _share_url(stack: Stack, job_id: str) -> str:
    return f"{stack.settings.share_origin}/v/{job_id[:8]}"


def test_download_saves_the_output_and_copy_link_copies_the_address_or_they_say_that_there_is_none(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack, expected_errors: list[str]
) -> None:
    expected_errors.append("status of 404 .*/output")
    job_id, without_output, without_link = (
        shelf.add(),
        shelf.add(media=False),
        shelf.add(media=False, short_id=None),
    )
    page = jobs_page.open().page
    page.evaluate("navigator.clipboard.writeText('before')")
    # Forced, because Playwright treats a button with aria-disabled as disabled. No message covers it yet.
    jobs_page.button(without_link, "Copy link").click(force=True)
    _expect_told(jobs_page, "This job has no share link")
    expect(jobs_page.toasts.filter(has_text=f"/v/{without_link[:8]}")).to_have_count(0)
    assert _clipboard(page) == "before"

    with page.expect_download() as started:
        jobs_page.button(job_id, "Download").click()
    download = started.value
    assert download.suggested_filename == f"nuumee-{job_id}.mp4"
    assert Path(download.path()).read_bytes() == OUTPUT.read_bytes()
    _expect_told(jobs_page, f"Saving nuumee-{job_id}.mp4")
    assert page.url == stack.page_url

    jobs_page.button(without_output, "Download").click()
    _expect_told(jobs_page, "This job has no output video.")
    expect(jobs_page.toasts.filter(has_text=f"nuumee-{without_output}.mp4")).to_have_count(0)

    jobs_page.button(without_output, "Copy link").click()
    _expect_told(jobs_page, f"Link copied{_share_url(stack, without_output)}")
    assert _clipboard(page) == _share_url(stack, without_output)

    jobs_page.button(job_id, "Details").click()
    with page.expect_download() as started:
        jobs_page.dialog.get_by_role("button", name="Download").click()
    assert started.value.suggested_filename == f"nuumee-{job_id}.mp4"
    jobs_page.dialog.get_by_role("button", name="Copy link").click()
    _expect_told(jobs_page, f"Link copied{_share_url(stack, job_id)}")
    assert _clipboard(page) == _share_url(stack, job_id)
    expect(jobs_page.dialog).to_be_visible()


def test_a_failed_download_says_why_and_can_be_retried(
    jobs_page: JobsPage, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(r"(status of 503|ERR_CONNECTION_FAILED) .*/output")
    job_id = shelf.add()
    page = jobs_page.open().page
    detail = "Cloud Storage does not answer. Please try again."
    no_answer = "The service cannot be reached. Check your connection and try again."
    for fault, reason in ((unavailable(detail), detail), (no_connection, no_answer)):
        page.route("**/output", fault, times=1)
        jobs_page.button(job_id, "Download").click()
        failure = f"Job {job_id[:8]} could not be downloaded{reason}"
        expect(jobs_page.toasts.filter(has_text=failure)).to_be_visible()
        with page.expect_download():
            jobs_page.button(job_id, "Download").click()


def test_downloading_a_missing_output_says_so_and_stays_on_the_page(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack, buckets: storage.Client, expected_errors: list[str]
) -> None:
    expected_errors.append(r"status of 404 .*(output\.mp4|chrome-error:)")
    job_id = shelf.add()
    buckets.bucket(stack.settings.outputs_bucket).delete_blob(f"{shelf.user_id}/{job_id}/output.mp4")
    page = jobs_page.open().page
    jobs_page.button(job_id, "Download").click()
    expect(jobs_page.toasts).to_contain_text(f"Job {job_id[:8]} could not be downloaded")
    expect(jobs_page.card(job_id)).to_be_visible()
    assert page.url == stack.page_url


def test_a_link_is_shown_if_the_browser_blocks_copying(
    new_context: NewContext, stack: Stack, account: Account, shelf: Shelf
) -> None:
    context = new_context(permissions=[])
    refuse = "writeText = () => Promise.reject(new DOMException('denied'))"
    context.add_init_script(f"if (navigator.clipboard) navigator.clipboard.{refuse}")
    sign_in(context, stack, account, PASSWORD)
    job_id = shelf.add(media=False)
    jobs_page = JobsPage(context.new_page()).open()
    jobs_page.button(job_id, "Copy link").click()
    expect(jobs_page.toasts).to_contain_text(_share_url(stack, job_id))
    expect(jobs_page.toasts).to_contain_text("The browser blocked copying")
