"""In a job's details, its owner gives it a name."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.e2e.faults import failed_load
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.test_accessibility import expect_fits_and_no_violations


def _details(jobs_page: JobsPage, job_id: str) -> Locator:
    jobs_page.button(job_id, "Details").click()
    return jobs_page.page.get_by_role("dialog", name=job_id[:8])


def _rename(details: Locator) -> Locator:
    return details.get_by_role("button", name="Rename job")


def test_a_name_is_given_by_keyboard_alone_is_on_the_card_and_in_the_download_and_one_that_is_too_long_is_refused(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("400"))
    job_id = shelf.add()
    jobs_page.open()
    details = _details(jobs_page, job_id)
    _rename(details).press("Enter")
    field = details.get_by_role("textbox", name="Name of the job")
    expect(field).to_be_focused()
    page.keyboard.type("left as it was")
    page.keyboard.press("Escape")
    expect(_rename(details)).to_be_focused()
    expect(details.get_by_text("This job has no name.")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("  Tür 1/2 ")
    page.keyboard.press("Enter")
    expect(_rename(details)).to_be_focused()
    expect(page.get_by_role("dialog", name=f"Tür 1/2 {job_id[:8]}")).to_be_visible()
    page.keyboard.press("Escape")
    expect(jobs_page.card(job_id).get_by_role("heading")).to_have_text("Tür 1/2Completed")
    with page.expect_download() as saving:
        jobs_page.button(job_id, "Download").click()
    assert saving.value.suggested_filename == "nuumee-Tür 1_2.mp4"

    page.reload()
    _rename(_details(jobs_page, job_id)).press("Enter")
    expect(field).to_have_value("Tür 1/2")
    field.fill("a" * 81)
    details.get_by_role("button", name="Save").click()
    expect(details.get_by_role("alert")).to_have_text("name must have at most 80 characters; this one has 81.")
    expect(field).to_be_focused()
    expect_fits_and_no_violations(page, "name_refused")
    field.fill("a" * 80)
    field.press("Enter")
    expect(page.get_by_role("dialog", name="a" * 80)).to_be_visible()
    assert details.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
