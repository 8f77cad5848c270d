"""Tiles show posters, and load more only on demand. See also test_tiles.py."""

from __future__ import annotations

import itertools
import re
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from infra.local.stack import Stack
from tests.e2e.faults import HeldBack
from tests.e2e.jobs_page import JobsPage, wait_for, wait_for_dialog
from tests.e2e.posters import ALL, PREVIEWS, STORYBOARD, tell_of
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until

pytestmark = pytest.mark.motion

_NOTE_PARTS = """() => {
  window.parts = [];
  const note = () => document.querySelectorAll("img[src*='/storyboard.webp']").forEach(
    (part) => window.parts.push(part.getAttribute("style")));
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""
"""A part is shown for less than a second, which a busy machine may miss."""
_MEDIA = ("reference image", "source video", "output video")
_VIDEOS = _MEDIA[1:]
_ORIGINALS = {"reference image": "reference.jpg", "source video": "motion.mp4", "output video": "output.mp4"}


class Fetched:
    """The objects that the page has requested from Storage."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self._paths: list[PurePosixPath] = []
        self._storage = stack.storage_url
        page.on("request", self._note)

    def names(self, job_id: str) -> list[str]:
        """Those of this job, without their folder."""
        return [path.name for path in self._paths if job_id in path.parts]

    def _note(self, request: Request) -> None:
        if request.url.startswith(self._storage):
            self._paths.append(PurePosixPath(urlsplit(request.url).path))


def _expect_poster(tile: Locator) -> None:
    picture = tile.locator("img")
    wait_for(picture, "element => element.complete && element.naturalWidth > 0")
    expect(picture).to_have_css("opacity", "1")
    assert "/poster.webp?" in str(picture.get_attribute("src"))


def _expect_playing(tile: Locator, name: str) -> None:
    video = tile.locator("video")
    wait_for(video, "element => element.currentTime > 0.1 && !element.paused && element.muted")
    assert f"/{name}?" in str(video.get_attribute("src"))


def _hover(page: Page, tile: Locator) -> None:
    tile.hover()


def _tab_to(page: Page, tile: Locator) -> None:
    tile.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")


def _point_elsewhere(page: Page) -> None:
    page.mouse.move(1, 1)


def _tab_on(page: Page) -> None:
    page.keyboard.press("Tab")


def test_tiles_load_posters_alone_then_previews_to_play_unless_motion_is_reduced_and_the_medium_to_open(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack
) -> None:
    job_id = shelf.add()
    shelf.add_posters(job_id)
    page = jobs_page.page
    tell_of(page, {job_id: ALL})
    fetched = Fetched(page, stack)
    page.emulate_media(reduced_motion="reduce")
    jobs_page.open()
    _expect_no_video_with_reduced_motion(page, jobs_page.tile(job_id, "source video"))
    assert fetched.names(job_id) == ["poster.webp"] * 3

    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    for medium in _MEDIA:
        _expect_poster(jobs_page.tile(job_id, medium))
        expect(jobs_page.tile(job_id, medium).locator("video")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    assert fetched.names(job_id)[3:] == ["poster.webp"] * 3

    for medium, (begin, end) in itertools.product(_VIDEOS, ((_hover, _point_elsewhere), (_tab_to, _tab_on))):
        tile = jobs_page.tile(job_id, medium)
        _expect_poster(tile)
        begin(page, tile)
        _expect_playing(tile, "preview.mp4")
        played = tile.locator("video").evaluate_handle("element => element")
        end(page)
        expect(tile.locator("video")).to_have_count(0)
        # It no longer takes a connection.
        wait_until(partial(played.evaluate, "element => element.networkState === HTMLMediaElement.NETWORK_EMPTY"))
        expect(tile.locator("img")).to_have_css("opacity", "1")
    assert set(fetched.names(job_id)) == {"poster.webp", "preview.mp4"}

    _expect_its_size_and_the_poster_before_the_video(jobs_page, job_id)
    for medium in _MEDIA:
        _expect_to_open_the_medium_itself(jobs_page, job_id, medium)


def _expect_no_video_with_reduced_motion(page: Page, tile: Locator) -> None:
    _expect_poster(tile)
    tile.hover()
    _tab_to(page, tile)
    expect(tile.locator("video")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    _point_elsewhere(page)
    _tab_on(page)


def _expect_its_size_and_the_poster_before_the_video(jobs_page: JobsPage, job_id: str) -> None:
    """A medium that opens has its final size before its video is loaded, and shows the poster until then."""
    video = HeldBack(jobs_page.page, re.compile(r"/output\.mp4"))
    jobs_page.tile(job_id, "output video").click()
    poster = jobs_page.dialog.locator("img")
    wait_for(poster, "element => element.naturalWidth > 0")
    before = jobs_page.dialog.bounding_box()
    video.let_go()
    wait_for(jobs_page.dialog.locator("video"), "element => element.readyState >= 2")
    expect(poster).to_have_count(0)
    assert jobs_page.dialog.bounding_box() == before
    _close(jobs_page)


def _expect_to_open_the_medium_itself(jobs_page: JobsPage, job_id: str, medium: str) -> None:
    _expect_poster(jobs_page.tile(job_id, medium))
    jobs_page.tile(job_id, medium).click()
    large = jobs_page.dialog.locator("img, video").last  # above the poster
    expect(large).to_have_attribute("src", _with_name(_ORIGINALS[medium]))
    wait_for(large, "element => element.naturalWidth > 0 || element.readyState >= 2")
    _close(jobs_page)


def _close(jobs_page: JobsPage) -> None:
    wait_for_dialog(jobs_page.page)
    jobs_page.page.keyboard.press("Escape")
    expect(jobs_page.dialog).to_have_count(0)


def test_a_video_or_image_that_browsers_do_not_show_opens_as_its_preview_or_view_and_can_be_downloaded(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    job_id, heic = shelf.add(), shelf.add_heic()
    shelf.add_posters(job_id)
    tell_of(jobs_page.page, {job_id: ALL}, playable=False)
    jobs_page.open()
    tile = jobs_page.tile(job_id, "source video")
    _expect_poster(tile)
    tile.click()
    video = jobs_page.dialog.locator("video")
    wait_for(video, "element => element.currentTime > 0.1")
    assert "/preview.mp4?" in str(video.get_attribute("src"))
    expect(jobs_page.dialog.get_by_text("Not every browser plays this kind of video")).to_be_visible()
    original = jobs_page.dialog.get_by_role("link", name="Download the original")
    assert "/motion.mp4?" in str(original.get_attribute("href"))
    _close(jobs_page)

    tile = jobs_page.tile(heic, "reference image")
    _expect_poster(tile)
    tile.click()
    view = jobs_page.dialog.get_by_role("img", name="Reference image of job")
    wait_for(view, "element => element.complete && element.naturalWidth > 0")
    assert "/view.webp?" in str(view.get_attribute("src"))
    expect(jobs_page.dialog.get_by_text("Not every browser shows this kind of image")).to_be_visible()
    original = jobs_page.dialog.get_by_role("link", name="Download the original")
    assert "/reference.heic?" in str(original.get_attribute("href"))


def test_the_output_s_course_is_loaded_and_shown_only_as_the_pointer_moves_along_its_tile(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack
) -> None:
    job_id = shelf.add()
    shelf.add_posters(job_id)
    shelf.add_storyboard(job_id)
    tell_of(jobs_page.page, {job_id: (*ALL, STORYBOARD)})
    fetched = Fetched(jobs_page.page, stack)
    jobs_page.open()
    tile = jobs_page.tile(job_id, "output video")
    _expect_poster(tile)
    part = tile.locator("img[src*='/storyboard.webp']")
    expect(part).to_have_count(0)
    jobs_page.page.wait_for_load_state("networkidle")
    assert fetched.names(job_id) == ["poster.webp"] * 3
    jobs_page.page.evaluate(_NOTE_PARTS)
    width = 144
    for place in (5, 14):
        tile.hover(position={"x": width * (place + 0.5) / 16, "y": width / 2})
        row, column = divmod(place, 4)
        wanted = f"left: -{100 * column}%; top: -{100 * row}%;"
        wait_until(lambda wanted=wanted: wanted in jobs_page.page.evaluate("parts"))  # type: ignore[misc]
    expect(part).to_have_count(0)  # the preview plays on


def test_a_missing_poster_or_preview_is_replaced_by_what_there_is(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack, expected_errors: list[str]
) -> None:
    without_any, without_previews, without_posters = shelf.add(), shelf.add(), shelf.add()
    shelf.add_posters(without_previews, preview=None)
    shelf.add_posters(without_posters, poster=None)
    expected_errors.append(rf"status of 404 .*{without_any}/(poster\.webp|preview\.mp4)")
    expected_errors.append(rf"status of 404 .*{without_previews}/preview\.mp4")
    tell_of(jobs_page.page, {without_any: ALL, without_previews: ALL, without_posters: PREVIEWS})
    fetched = Fetched(jobs_page.page, stack)
    jobs_page.open()
    _expect_the_media_themselves(jobs_page, without_any)
    _expect_the_whole_video_to_play(jobs_page, without_previews)
    _expect_the_first_frame_of_the_preview(jobs_page, without_posters)
    assert set(fetched.names(without_posters)) == {"reference.jpg", "preview.mp4"}


def _expect_the_media_themselves(jobs_page: JobsPage, job_id: str) -> None:
    jobs_page.card(job_id).scroll_into_view_if_needed()
    for medium in _MEDIA:
        shown = jobs_page.tile(job_id, medium).locator("img, video")
        expect(shown).to_have_attribute("src", _with_name(_ORIGINALS[medium]))
        wait_for(shown, "element => element.naturalWidth > 0 || element.readyState >= 2")
        expect(shown).to_have_css("opacity", "1")
    assert jobs_page.renewals(job_id) == 0
    tile = jobs_page.tile(job_id, "output video")
    tile.hover()
    _expect_playing(tile, "output.mp4")


def _expect_the_whole_video_to_play(jobs_page: JobsPage, job_id: str) -> None:
    jobs_page.card(job_id).scroll_into_view_if_needed()
    tile = jobs_page.tile(job_id, "output video")
    _expect_poster(tile)
    tile.hover()
    _expect_playing(tile, "output.mp4")
    assert jobs_page.renewals(job_id) == 0


def _expect_the_first_frame_of_the_preview(jobs_page: JobsPage, job_id: str) -> None:
    """It replaces a missing poster."""
    jobs_page.card(job_id).scroll_into_view_if_needed()
    tile = jobs_page.tile(job_id, "source video")
    wait_for(tile.locator("video"), "element => element.readyState >= 2 && element.paused")
    tile.hover()
    _expect_playing(tile, "preview.mp4")


def _with_name(name: str) -> re.Pattern[str]:
    return re.compile(rf"/{re.escape(name)}\?")
