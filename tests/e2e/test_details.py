"""A job's details while the list below them or the preview above them changes."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.e2e.clock import Clock
from tests.e2e.faults import POLL, HeldBack
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until


def test_a_job_that_the_list_does_not_show_is_polled_together_with_those_that_it_shows(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    clock = Clock(page)
    elsewhere = shelf.add("processing")
    here = shelf.add("queued", media=False)
    jobs_page.open(f"?status=queued&job={elsewhere}", wait=False)
    details = details_of(jobs_page, elsewhere)
    expect(details.get_by_role("definition").first).to_contain_text("Processing")
    jobs_page.card(here).wait_for(state="attached")
    clock.stop()
    shelf.complete(elsewhere)
    clock.run_to_next(POLL, within=10)
    assert set(parse_qs(urlsplit(clock.address(POLL)).query)["ids"][0].split(",")) == {elsewhere, here}
    expect(details.get_by_role("definition").first).to_have_text("Completed")
    output = details.get_by_role("button", name="Preview the output video")
    expect(output.locator("video")).to_have_css("opacity", "1")
    expect(details.get_by_role("button", name="Download")).to_be_visible()
    expect(jobs_page.announcer).to_have_text(f"Job {elsewhere[:8]} is now completed.")

    # The job is finished, so from now on only the other one is polled, once the list with its counts is there.
    clock.wait_for_answers()
    clock.run_to_next(POLL, within=10)
    assert f"ids={here}&" in clock.address(POLL)
    page.keyboard.press("Escape")
    jobs_page.expect_counts(processing=0, completed=1, queued=1)


def test_details_go_on_loading_while_jobs_of_the_list_are_polled(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    clock = Clock(page)
    elsewhere = shelf.add(media=False)
    here = shelf.add("queued", media=False)
    held = HeldBack(page, POLL, only=elsewhere)
    jobs_page.open(f"?status=queued,processing&job={elsewhere}", wait=False)
    jobs_page.card(here).wait_for(state="attached")
    wait_until(lambda: clock.times(POLL))
    clock.stop()
    shelf.document(here).update({"status": "processing"})
    clock.run_to_next(POLL, within=11)
    expect(jobs_page.card(here)).to_contain_text("Processing")
    held.let_go()
    expect(details_of(jobs_page, elsewhere).get_by_role("definition").first).to_contain_text("Completed")


def test_back_closes_the_details_and_the_preview_above_them(jobs_page: JobsPage, page: Page, shelf: Shelf) -> None:
    job = shelf.add()
    jobs_page.open()
    preview = page.get_by_role("dialog", name="Output video of job")
    jobs_page.button(job, "Details").click()
    details_of(jobs_page, job).get_by_role("button", name="Preview the output video").click()
    expect(preview).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(jobs_page.card(job)).to_be_visible()

    jobs_page.button(job, "Details").click()
    expect(details_of(jobs_page, job).get_by_role("button", name="Preview the output video")).to_be_visible()
    expect(preview).to_have_count(0)


def test_the_prompt_is_whole_and_the_job_it_was_made_from_is_a_step_away(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    prompt = "She turns around and waves. " * 80 + "The end."
    source = shelf.add(media=False)
    job = shelf.add("failed", media=False, extension_prompt=prompt, seed=0, source_job_id=source)
    jobs_page.open(f"?job={job}", wait=False)
    details = details_of(jobs_page, job)
    expect(details.get_by_text("The end.")).to_be_attached()
    for name, text in (("prompt", prompt), ("seed", "0"), ("job id", job)):
        details.get_by_role("button", name=f"Copy the {name}").click()
        expect(jobs_page.toasts).to_contain_text(f"{name.capitalize()} copied")
        assert page.evaluate("navigator.clipboard.readText()") == text

    made_from = details.get_by_role("link", name=f"Job {source[:8]}")
    made_from.click()
    others = details_of(jobs_page, source)
    expect(others.get_by_text(source, exact=True)).to_be_visible()
    page.go_back()
    expect(details.get_by_text("The end.")).to_be_attached()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(re.compile("/jobs/$"))  # The browser did not go back to before the visit.

    jobs_page.button(job, "Details").click()
    made_from.click()
    expect(others.get_by_text(source, exact=True)).to_be_visible()
    expect(others.locator(":focus")).to_have_count(1)
    expect(page.get_by_role("dialog")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(details.get_by_text("The end.")).to_be_attached()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_details_show_the_media_that_came_with_them(jobs_page: JobsPage, shelf: Shelf) -> None:
    source = shelf.add("processing")
    job = shelf.add("failed", media=False, source_job_id=source)
    jobs_page.open()
    shelf.complete(source)
    jobs_page.filter("Failed").click()
    jobs_page.expect_ids([job])
    jobs_page.button(job, "Details").click()
    details_of(jobs_page, job).get_by_role("link", name=f"Job {source[:8]}").click()
    expect(details_of(jobs_page, source).get_by_role("button", name="Preview the output video")).to_be_visible()


def details_of(jobs_page: JobsPage, job_id: str) -> Locator:
    return jobs_page.page.get_by_role("dialog", name=job_id[:8])
