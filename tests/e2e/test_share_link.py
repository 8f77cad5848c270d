"""In a job's details, its owner ends the share link and makes a new one."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from infra.local.stack import Stack
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf


def _details(jobs_page: JobsPage, job_id: str) -> Locator:
    jobs_page.button(job_id, "Details").click()
    return jobs_page.page.get_by_role("dialog", name=job_id[:8])


def _link(details: Locator) -> Locator:
    return details.get_by_role("region", name="Share link")


def _button(details: Locator, action: str) -> Locator:
    return _link(details).get_by_role("button", name=f"{action} link for job")


def _url(stack: Stack, short_id: str) -> str:
    return f"{stack.settings.share_origin}/v/{short_id}"


def test_a_link_is_ended_and_replaced_by_one_to_copy_whose_page_shows_the_name_if_its_owner_wishes(
    jobs_page: JobsPage, page: Page, shelf: Shelf, stack: Stack
) -> None:
    job_id = shelf.add(media=False, name="First try")
    jobs_page.open()
    details = _details(jobs_page, job_id)
    page.set_viewport_size({"width": 360, "height": 740})
    download, end = details.get_by_role("button", name="Download job"), _button(details, "End")
    low, lower = (button.evaluate("button => button.getBoundingClientRect().top") for button in (download, end))
    assert low < lower
    expect(_link(details).get_by_role("status")).to_contain_text(_url(stack, job_id[:8]))
    question = page.get_by_role("alertdialog")
    end.click()
    expect(question.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(end).to_be_focused()
    end.click()
    question.get_by_role("button", name="End link").click()
    none = "This job has no share link. Only you can watch the video."
    expect(_link(details).get_by_role("status")).to_have_text(none)
    expect(_button(details, "New")).to_be_focused()

    page.keyboard.press("Enter")
    expect(_button(details, "End")).to_be_focused()
    new = str(shelf.document(job_id).get().get("short_id"))
    assert new != job_id[:8]
    expect(_link(details).get_by_role("status")).to_contain_text(_url(stack, new))
    box = _link(details).get_by_role("checkbox", name="Show the name on the share page")
    box.click()
    expect(box).to_be_checked()
    assert shelf.document(job_id).get().get("share_name") is True
    page.reload()
    expect(box).to_be_checked()
    page.keyboard.press("Escape")
    jobs_page.button(job_id, "Copy link").click()
    expect(jobs_page.toasts.filter(has_text="Link copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == _url(stack, new)
