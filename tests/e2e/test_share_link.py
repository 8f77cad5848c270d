"""In a job's details, its owner ends the share link and makes a new one."""

from __future__ import annotations

import re
from functools import partial

from playwright.sync_api import Locator, Page, expect

from infra.local.stack import Stack
from tests.e2e.clock import Clock
from tests.e2e.faults import failed_load, no_connection, problem
from tests.e2e.jobs_page import JobsPage, wait_for_dialog
from tests.e2e.shelf import Shelf

SHARE = re.compile(r"/api/v1/jobs/[^/]+/share$")
NONE = "This job has no share link. Only you can watch the video."


def _details(jobs_page: JobsPage, job_id: str) -> Locator:
    jobs_page.button(job_id, "Details").click()
    return jobs_page.page.get_by_role("dialog", name=job_id[:8])


def _link(details: Locator) -> Locator:
    return details.get_by_role("region", name="Share link")


def _button(details: Locator, action: str) -> Locator:
    return _link(details).get_by_role("button", name=f"{action} link for job")


def _end(details: Locator) -> None:
    _button(details, "End").click()
    details.page.get_by_role("alertdialog").get_by_role("button", name="End link").click()


def _methods(jobs_page: JobsPage) -> list[str]:
    return [request.method for request in jobs_page.requests if SHARE.search(request.url)]


def _url(stack: Stack, short_id: str) -> str:
    return f"{stack.settings.share_origin}/v/{short_id}"


def test_a_link_is_kept_or_ended_and_replaced_by_one_to_copy_and_a_job_that_is_not_completed_has_none(
    jobs_page: JobsPage, page: Page, shelf: Shelf, stack: Stack
) -> None:
    job_id = shelf.add(media=False)
    jobs_page.open()
    details = _details(jobs_page, job_id)
    page.set_viewport_size({"width": 360, "height": 740})
    download, end = details.get_by_role("button", name="Download job"), _button(details, "End")
    low, lower = (button.evaluate("button => button.getBoundingClientRect().top") for button in (download, end))
    assert low < lower
    _keep(details, job_id)
    expect(_link(details).get_by_role("status")).to_contain_text(_url(stack, job_id[:8]))
    assert _methods(jobs_page) == []
    _end(details)
    expect(_link(details).get_by_role("status")).to_have_text(NONE)
    expect(jobs_page.toasts).to_contain_text(f"The link for job {job_id[:8]} has ended")
    expect(_button(details, "New")).to_be_focused()
    assert _methods(jobs_page) == ["DELETE"]
    lists = len(jobs_page.asked())

    page.keyboard.press("Escape")
    jobs_page.button(job_id, "Copy link").click()
    expect(jobs_page.toasts.filter(has_text="This job has no share link")).to_be_visible()
    assert len(jobs_page.asked()) == lists
    unfinished = shelf.add("processing", media=False)
    page.reload()
    details = _details(jobs_page, job_id)
    expect(_link(details).get_by_role("status")).to_have_text(NONE)

    _button(details, "New").click()
    expect(_button(details, "End")).to_be_focused()
    new = str(shelf.document(job_id).get().get("short_id"))
    expect(_link(details).get_by_role("status")).to_contain_text(_url(stack, new))
    expect(jobs_page.toasts).to_contain_text(f"Job {job_id[:8]} has a new link{_url(stack, new)}")
    assert _methods(jobs_page) == ["DELETE", "POST"]
    page.keyboard.press("Escape")
    jobs_page.button(job_id, "Copy link").click()
    expect(jobs_page.toasts.filter(has_text="Link copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == _url(stack, new)

    details = _details(jobs_page, unfinished)
    expect(details.get_by_text("Video type")).to_be_visible()
    expect(_link(details)).to_have_count(0)


def _keep(details: Locator, job_id: str) -> None:
    """Ask to end the link, and keep it, in both ways."""
    page = details.page
    for key in ("Escape", "Enter"):
        _button(details, "End").click()
        question = page.get_by_role("alertdialog", name=f"End the link for job {job_id[:8]}?")
        expect(question).to_contain_text("can never be restored")
        expect(question.get_by_role("button", name="Keep it")).to_be_focused()
        page.keyboard.press(key)
        expect(question).to_have_count(0)
        expect(_button(details, "End")).to_be_focused()


def test_the_link_of_a_job_that_the_list_does_not_show_changes_in_its_details(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    elsewhere = shelf.add(media=False)
    shelf.add("failed", media=False)
    jobs_page.open(f"?status=failed&job={elsewhere}", wait=False)
    details = page.get_by_role("dialog", name=elsewhere[:8])
    _end(details)
    expect(_link(details)).to_contain_text(NONE)
    _button(details, "New").click()
    new = _link(details).get_by_role("status")
    expect(new).to_contain_text("Anyone with this link")
    expect(new).not_to_contain_text(elsewhere[:8])


def test_a_failed_change_says_why_leaves_the_link_unchanged_and_can_be_retried(
    jobs_page: JobsPage, page: Page, shelf: Shelf, stack: Stack, expected_errors: list[str]
) -> None:
    expected_errors += [failed_load("409"), failed_load("net::ERR_CONNECTION_FAILED")]
    reason = "The job has not been completed."
    offline = shelf.add(media=False)
    jobs = {True: shelf.add(media=False), False: shelf.add(media=False, short_id=None)}
    jobs_page.open()
    for shared, job_id in jobs.items():
        page.route(SHARE, lambda route: problem(route, 409, reason), times=1)
        details = _details(jobs_page, job_id)
        change = partial(_end, details) if shared else _button(details, "New").click
        change()
        expect(_link(details).get_by_role("alert")).to_have_text(reason)
        failure = f"The link for job {job_id[:8]} could not be changed{reason}"
        expect(jobs_page.toasts.filter(has_text=failure)).to_be_visible()
        change()
        expect(_button(details, "New" if shared else "End")).to_be_visible()
        expect(_link(details).get_by_role("alert")).to_have_count(0)
        page.keyboard.press("Escape")

    page.route(SHARE, no_connection)
    details = _details(jobs_page, offline)
    _end(details)
    expect(_link(details).get_by_role("alert")).to_contain_text("The service cannot be reached.")
    expect(_link(details)).to_contain_text(_url(stack, offline[:8]))


def test_the_share_page_shows_the_name_if_its_owner_wishes(jobs_page: JobsPage, shelf: Shelf, page: Page) -> None:
    named, other = shelf.add(media=False, name="First try"), shelf.add(media=False)
    jobs_page.open()
    link = _link(_details(jobs_page, other))
    wait_for_dialog(page)
    expect(link.get_by_role("button").first).to_be_visible()
    assert link.get_by_role("checkbox").count() == 0
    page.keyboard.press("Escape")
    link = _link(_details(jobs_page, named))
    box = link.get_by_role("checkbox", name="Show the name on the share page")
    expect(box).not_to_be_checked()
    box.click()
    expect(box).to_be_checked()
    expect(jobs_page.toasts).to_contain_text(f"The share page of job {named[:8]} shows its name")
    assert shelf.document(named).get().get("share_name") is True
    page.reload()
    expect(box).to_be_checked()

    link.page.get_by_role("dialog").get_by_role("button", name="Rename job").click()
    page.get_by_role("textbox", name="Name of the job").fill("Second")
    page.keyboard.press("Enter")
    expect(jobs_page.toasts.first).to_contain_text("is now called “Second”, on its share page too")


def test_an_end_date_is_chosen_from_the_message_without_leaving_what_is_shown(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    job_id = shelf.add(media=False)
    shelf.add("failed", media=False)
    clock = Clock(page)
    jobs_page.open()
    jobs_page.button(job_id, "Copy link").click()
    expect(jobs_page.toasts).to_contain_text("Link copied")
    clock.stop()  # so that the message stays
    jobs_page.filter("Failed").click()
    expect(jobs_page.cards).to_have_count(1)
    jobs_page.toasts.get_by_role("button", name="End date").click()
    expect(page.get_by_role("dialog", name=job_id[:8])).to_be_visible()
    expect(page).to_have_url(re.compile(r"status=failed.*job="))
