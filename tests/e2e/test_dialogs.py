"""The preview of a medium and the details of a job: opening, contents and closing."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from playwright.sync_api import Locator, Page, expect

from infra.local.stack import Stack
from tests.e2e.faults import HeldAnswers
from tests.e2e.jobs_page import JobsPage, wait_for, wait_for_dialog
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until


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


def test_previews_and_details_show_their_media_hold_the_focus_and_return_it(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack
) -> None:
    failed, job_id = shelf.add("failed"), shelf.add()
    _expect_a_preview_above_the_details(jobs_page, job_id)
    _expect_whole_picture(jobs_page, job_id)
    for medium in ("source video", "output video"):
        _expect_plays_with_controls(jobs_page, job_id, medium)
    _expect_holds_and_returns_the_focus(jobs_page, jobs_page.tile(job_id, "source video"))
    jobs_page.filter("Failed").click()
    _expect_address_and_focus(jobs_page, failed, f"{stack.page_url}?status=failed")


def _expect_a_preview_above_the_details(jobs_page: JobsPage, job_id: str) -> None:
    """It closes to them, also as by Android's Back."""
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
