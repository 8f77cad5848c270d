"""Downloading a job's video and copying its share link. What else they say: frontend/tests/page-cards.test.tsx."""

from __future__ import annotations

from pathlib import Path

from google.cloud import storage
from playwright.sync_api import Page, expect

from infra.local.stack import Stack
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import OUTPUT, Shelf


def _clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def _expect_told(jobs_page: JobsPage, text: str) -> None:
    expect(jobs_page.toasts.filter(has_text=text)).to_be_visible()


def _share_url(stack: Stack, job_id: str) -> str:
    return f"{stack.settings.share_origin}/v/{job_id[:8]}"


def test_download_saves_the_output_and_copy_link_copies_the_address_or_they_say_that_there_is_none(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack, buckets: storage.Client, expected_errors: list[str]
) -> None:
    expected_errors.append("status of 404 .*(/output|chrome-error:)")
    job_id, without_output, missing = shelf.add(), shelf.add(media=False), shelf.add()
    buckets.bucket(stack.settings.outputs_bucket).delete_blob(f"{shelf.user_id}/{missing}/output.mp4")
    page = jobs_page.open().page
    with page.expect_download() as started:
        jobs_page.button(job_id, "Download").click()
    download = started.value
    assert download.suggested_filename == f"nuumee-{job_id}.mp4"
    assert Path(download.path()).read_bytes() == OUTPUT.read_bytes()
    _expect_told(jobs_page, f"Saving nuumee-{job_id}.mp4")

    jobs_page.button(without_output, "Download").click()
    _expect_told(jobs_page, "This job has no output video.")
    expect(jobs_page.toasts.filter(has_text=f"nuumee-{without_output}.mp4")).to_have_count(0)
    jobs_page.button(missing, "Download").click()
    _expect_told(jobs_page, f"Job {missing[:8]} could not be downloaded")
    expect(jobs_page.card(missing)).to_be_visible()
    assert page.url == stack.page_url

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
