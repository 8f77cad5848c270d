"""In a job's details, its owner gives it a name."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.e2e.clock import Clock
from tests.e2e.faults import ONE_JOB, POLL, HeldAnswers, failed_load, problem
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.test_accessibility import expect_fits_and_no_violations


def _details(jobs_page: JobsPage, job_id: str) -> Locator:
    jobs_page.button(job_id, "Details").click()
    return jobs_page.page.get_by_role("dialog", name=job_id[:8])


def _rename(details: Locator) -> Locator:
    return details.get_by_role("button", name="Rename job")


def test_a_name_is_given_and_taken_by_keyboard_alone_and_is_on_the_card_and_in_the_download(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    job_id = shelf.add()
    jobs_page.open()
    details = _details(jobs_page, job_id)
    expect(details.get_by_text("This job has no name.")).to_be_visible()
    _rename(details).press("Enter")
    field = details.get_by_role("textbox", name="Name of the job")
    expect(field).to_be_focused()
    page.keyboard.type("left as it was")
    page.keyboard.press("Escape")
    expect(_rename(details)).to_be_focused()
    expect(details.get_by_text("This job has no name.")).to_be_visible()

    page.keyboard.press("Enter")
    expect(field).to_have_value("")
    page.keyboard.type("  Tür 1/2 ")
    page.keyboard.press("Enter")
    expect(_rename(details)).to_be_focused()
    expect(page.get_by_role("dialog", name=f"Tür 1/2 {job_id[:8]}")).to_be_visible()
    expect(jobs_page.toasts).to_contain_text(f"Job {job_id[:8]} is now called “Tür 1/2”")
    page.keyboard.press("Escape")
    expect(jobs_page.card(job_id).get_by_role("heading")).to_have_text("Tür 1/2Completed")
    expect(jobs_page.card(job_id)).to_contain_text("Animation")
    with page.expect_download() as saving:
        jobs_page.button(job_id, "Download").click()
    assert saving.value.suggested_filename == "nuumee-Tür 1_2.mp4"

    page.reload()
    _rename(_details(jobs_page, job_id)).press("Enter")
    expect(field).to_have_value("Tür 1/2")
    page.keyboard.press("Delete")  # all of it is selected
    page.keyboard.press("Enter")
    expect(details.get_by_text("This job has no name.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(jobs_page.card(job_id).get_by_role("heading")).to_have_text("AnimationCompleted")


def test_a_name_that_is_refused_stays_in_the_field_with_the_reason_until_it_is_changed_or_left(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors += [failed_load("400"), failed_load("503")]
    other = shelf.add(media=False)
    shelf.add("failed", media=False)
    jobs_page.open(f"?status=failed&job={other}", wait=False)
    details = page.get_by_role("dialog", name=other[:8])
    _rename(details).click()
    field, alert = details.get_by_role("textbox", name="Name of the job"), details.get_by_role("alert")
    field.fill("a" * 81)
    details.get_by_role("button", name="Save").click()
    expect(alert).to_have_text("name must have at most 80 characters; this one has 81.")
    expect(field).to_be_focused()
    expect(field).to_have_value("a" * 81)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect_fits_and_no_violations(page, "name_refused")

    page.route(ONE_JOB, lambda route: problem(route, 503, "Firestore cannot be reached."), times=1)
    field.fill("a" * 80)
    expect(alert).to_have_count(0)
    field.press("Enter")
    expect(alert).to_have_text("Firestore cannot be reached.")
    expect(jobs_page.toasts).to_contain_text(f"Job {other[:8]} could not be renamed")
    details.get_by_role("button", name="Cancel").click()
    expect(_rename(details)).to_be_focused()
    expect(details.get_by_text("This job has no name.")).to_be_visible()

    _rename(details).click()
    field.fill("a" * 80)
    field.press("Enter")
    expect(page.get_by_role("dialog", name="a" * 80)).to_be_visible()
    assert details.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")


def test_a_poll_asked_before_the_name_was_saved_does_not_bring_the_old_one_back(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    job_id = shelf.add("processing", media=False)
    jobs_page.open()
    details = _details(jobs_page, job_id)
    _rename(details).click()
    clock = Clock(page)
    clock.stop()
    shelf.document(job_id).update({"status": "failed"})  # so no poll follows this one
    poll = HeldAnswers(page, POLL)
    clock.run(seconds=10)
    poll.wait()
    details.get_by_role("textbox", name="Name of the job").fill("First try")
    page.keyboard.press("Enter")
    heading = jobs_page.card(job_id).get_by_role("heading", include_hidden=True)
    expect(heading).to_have_text("First tryProcessing")
    poll.let_go()
    expect(heading).to_have_text("First tryFailed")


def test_a_name_that_is_being_typed_stays_when_the_list_no_longer_has_the_job(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    job_id = shelf.add("failed", media=False)
    clock = Clock(page)
    jobs_page.open("?status=failed")
    details = _details(jobs_page, job_id)
    _rename(details).click()
    field = details.get_by_role("textbox", name="Name of the job")
    field.fill("First")
    clock.stop()
    shelf.document(job_id).update({"status": "completed"})
    new = shelf.add("failed", media=False)
    with page.expect_response(lambda answer: f"ids={job_id}" in answer.url):
        clock.run(seconds=60)
    expect(jobs_page.card(new)).to_be_attached()
    expect(details.get_by_text("Completed").first).to_be_visible()
    expect(field).to_have_value("First")
