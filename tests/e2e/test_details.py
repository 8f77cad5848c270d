"""A job's details and what is a step away from them. For what else they show, see page-details.test.tsx."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf


def test_the_prompt_is_whole_and_the_job_it_was_made_from_is_a_step_away_and_back_closes_all(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    prompt = "She turns around and waves. " * 80 + "The end."
    source = shelf.add()
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

    preview = page.get_by_role("dialog", name="Output video of job")
    jobs_page.button(source, "Details").click()
    others.get_by_role("button", name="Preview the output video").click()
    expect(preview).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(jobs_page.card(source)).to_be_visible()
    jobs_page.button(source, "Details").click()
    expect(others.get_by_role("button", name="Preview the output video")).to_be_visible()
    expect(preview).to_have_count(0)


def details_of(jobs_page: JobsPage, job_id: str) -> Locator:
    return jobs_page.page.get_by_role("dialog", name=job_id[:8])
