"""The preview of a medium and the details of a job: opening, contents and closing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from google.cloud import firestore, storage
from playwright.sync_api import Locator, Page, expect

from infra.local.stack import Stack
from infra.local.users import Account
from tests.e2e.faults import HeldAnswers, failed_load
from tests.e2e.jobs_page import JobsPage, wait_for, wait_for_dialog
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until

_MEDIA = ["reference image", "source video", "output video"]


def _details(jobs_page: JobsPage, job_id: str) -> Locator:
    return jobs_page.page.get_by_role("dialog", name=job_id[:8])


def _escape(page: Page) -> None:
    wait_for_dialog(page)
    page.keyboard.press("Escape")


def _close(page: Page) -> None:
    page.get_by_role("button", name="Close").click()


def _click_beside(page: Page) -> None:
    """Click until the dialog is gone: the library listens only from the next timer after each time it renders."""
    dialogs = page.get_by_role("dialog")
    left = dialogs.count() - 1

    def closes() -> bool:
        page.mouse.click(5, 5)
        try:
            expect(dialogs).to_have_count(left, timeout=5000)
        except AssertionError:
            return False
        return True

    wait_until(closes)


def test_a_preview_shows_the_whole_picture_plays_videos_and_holds_the_focus_until_it_returns_it(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    job_id = shelf.add()
    jobs_page.open()
    _expect_whole_picture(jobs_page, job_id)
    for medium in _MEDIA[1:]:
        _expect_plays_with_controls(jobs_page, job_id, medium)
    _expect_holds_and_returns_the_focus(jobs_page, jobs_page.tile(job_id, "source video"))


def _expect_whole_picture(jobs_page: JobsPage, job_id: str) -> None:
    """In at most 70 % of the window's height."""
    jobs_page.tile(job_id, "reference image").click()
    picture = jobs_page.dialog.get_by_role("img", name=f"Reference image of job {job_id[:8]}")
    wait_for(picture, "element => element.complete && element.naturalWidth > 0")
    expect(picture).to_have_css("object-fit", "contain")
    _fits(jobs_page.page, picture)
    _escape(jobs_page.page)
    expect(jobs_page.dialog).to_have_count(0)


def _expect_plays_with_controls(jobs_page: JobsPage, job_id: str, medium: str) -> None:
    jobs_page.tile(job_id, medium).click()
    video = jobs_page.dialog.locator("video")
    wait_for(video, "element => element.currentTime > 0.1 && !element.paused")
    assert video.evaluate("element => element.controls && element.playsInline && !element.muted")
    assert video.evaluate("element => element.loop === (element.duration <= 5)")
    _fits(jobs_page.page, video)
    # A video that has been closed no longer takes a connection.
    closed = video.evaluate_handle("element => element")
    _escape(jobs_page.page)
    expect(jobs_page.dialog).to_have_count(0)
    wait_until(partial(closed.evaluate, "element => element.networkState === HTMLMediaElement.NETWORK_EMPTY"))


def _expect_holds_and_returns_the_focus(jobs_page: JobsPage, tile: Locator) -> None:
    """When it is opened by keyboard, and however it is closed."""
    page = jobs_page.page
    for close, tabs in ((_escape, 15), (_close, 2), (_click_beside, 2)):
        tile.focus()
        page.keyboard.press("Enter")
        expect(jobs_page.dialog).to_be_visible()
        wait_for(jobs_page.dialog.locator("video"), "element => element.readyState >= 2")
        for _ in range(tabs):
            page.keyboard.press("Tab")
            assert jobs_page.dialog.evaluate("element => element.contains(document.activeElement)")
        close(page)
        expect(jobs_page.dialog).to_have_count(0)
        expect(tile).to_be_focused()


def _fits(page: Page, medium: Locator) -> None:
    box, size = medium.bounding_box(), page.viewport_size
    assert box is not None
    assert size is not None
    assert 0 < box["height"] <= 0.7 * size["height"] + 0.5
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= size["width"]


def test_details_show_everything_about_a_job_at_an_address_of_their_own_and_return_the_focus(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack
) -> None:
    job_id = shelf.add(
        job_type="extend",
        resolution="480p",
        credits_charged=4,
        created_at=datetime(2026, 3, 1, 9, 5, tzinfo=UTC),
        completed_at=datetime(2026, 3, 1, 9, 12, tzinfo=UTC),
    )
    failed = shelf.add("failed")
    page = jobs_page.open("?status=failed").page
    _expect_address_and_focus(jobs_page, failed, f"{stack.page_url}?status=failed")

    jobs_page.open()
    jobs_page.button(job_id, "Details").click()
    _expect_everything(_details(jobs_page, job_id), job_id)
    page.reload()
    expect(_details(jobs_page, job_id)).to_be_visible()
    _escape(page)
    expect(page).to_have_url(stack.page_url)
    expect(jobs_page.card(job_id)).to_be_visible()
    # After the reload, the element that opened the details is unknown.
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_focused()


def _expect_address_and_focus(jobs_page: JobsPage, job_id: str, list_url: str) -> None:
    """When they are opened by keyboard, and however they are closed."""
    page = jobs_page.page
    opener = jobs_page.button(job_id, "Details")
    closings: tuple[Callable[[Page], object], ...] = (_escape, _close, _click_beside, Page.go_back)
    for close in closings:
        opener.focus()
        page.keyboard.press("Enter")
        expect(_details(jobs_page, job_id)).to_be_visible()
        expect(page).to_have_url(f"{list_url}&job={job_id}")
        wait_for_dialog(page)
        close(page)
        expect(_details(jobs_page, job_id)).to_have_count(0)
        expect(page).to_have_url(list_url)
        expect(opener).to_be_focused()


def _expect_everything(details: Locator, job_id: str) -> None:
    expect(details.get_by_role("heading")).to_have_text(f"Extension {job_id[:8]}")
    facts = dict(
        zip(details.get_by_role("term").all_inner_texts(), details.get_by_role("definition").all(), strict=True)
    )
    told = {name: fact.inner_text().replace("\u202f", " ") for name, fact in facts.items()}
    assert told == {
        "Status": "Completed",
        "Video type": "Extension",
        "Resolution": "480p",
        "Credits used": "4 credits",
        "Created": "Mar 1, 2026, 9:05 AM",
        "Completed": "Mar 1, 2026, 9:12 AM",
        "Views": "No views yet",
        "Job id": job_id,
    }
    for medium in _MEDIA:
        expect(details.get_by_role("button", name=f"Preview the {medium}")).to_be_visible()
    for action in ("Download job", "Copy link for job"):
        expect(details.get_by_role("button", name=action)).to_be_visible()


def test_details_of_a_job_on_a_later_page_open_by_their_address_in_another_browser(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack
) -> None:
    oldest = shelf.add()
    shelf.add_many(24)
    jobs_page.open(f"?job={oldest}", wait=False)
    details = _details(jobs_page, oldest)
    picture = details.get_by_role("button", name="Preview the reference").locator("img")
    wait_for(picture, "element => element.naturalWidth > 0")
    expect(jobs_page.card(oldest)).to_have_count(0)
    _escape(jobs_page.page)
    expect(details).to_have_count(0)
    expect(jobs_page.page).to_have_url(stack.page_url)


def test_details_of_an_unknown_job_or_another_users_say_that_there_is_none(
    jobs_page: JobsPage,
    shelf: Shelf,
    stack: Stack,
    database: firestore.Client,
    buckets: storage.Client,
    new_account: Callable[[], Account],
    expected_errors: list[str],
) -> None:
    expected_errors.append(failed_load("404"))  # there is no receipt either
    other = Shelf(stack.settings, database, buckets, new_account().user_id)
    shelf.add(media=False)
    for job_id in ("0" * 32, other.add(media=False)):
        jobs_page.open(f"?job={job_id}", wait=False)
        expect(jobs_page.dialog.get_by_text("There is no such job.")).to_be_visible()


def test_a_preview_opens_above_the_details_and_closes_to_them(jobs_page: JobsPage, shelf: Shelf) -> None:
    job_id = shelf.add()
    jobs_page.page.add_init_script(_NOTE_WATCHERS)
    part = HeldAnswers(jobs_page.page, re.compile("/_next/static/chunks/"), only="cannot be shown")
    page = jobs_page.open().page
    opener = jobs_page.button(job_id, "Details")
    opener.click()
    details = _details(jobs_page, job_id)
    tile = details.get_by_role("button", name="Preview the output video")
    tile.click()
    # The details do not change while the browser is still loading the preview's script.
    part.wait()
    expect(tile).to_be_focused()
    part.let_go()
    preview = page.get_by_role("dialog", name=re.compile("^Output video of job"))
    wait_for(preview.locator("video"), "element => element.currentTime > 0")
    _escape(page)
    expect(preview).to_have_count(0)
    expect(details).to_be_visible()
    expect(tile).to_be_focused()
    page.keyboard.press("Enter")
    expect(preview).to_be_visible()
    _go_back(page)
    expect(preview).to_have_count(0)
    expect(details).to_be_visible()
    expect(tile).to_be_focused()
    _escape(page)
    expect(details).to_have_count(0)
    expect(opener).to_be_focused()
    jobs_page.button(job_id, "Delete").click()
    expect(jobs_page.dialog).to_be_visible()
    _go_back(page)
    expect(jobs_page.dialog).to_have_count(0)
    expect(jobs_page.button(job_id, "Delete")).to_be_focused()


_NOTE_WATCHERS = """
    window.watchers = [];
    window.CloseWatcher = class extends CloseWatcher {
        constructor() {
            super();
            window.watchers.push(this);
        }
        destroy() {
            super.destroy();
            window.watchers.splice(window.watchers.indexOf(this), 1);
        }
    };
"""


def _go_back(page: Page) -> None:
    """As by Android's Back while something is open."""
    page.evaluate("window.watchers.at(-1).requestClose()")
