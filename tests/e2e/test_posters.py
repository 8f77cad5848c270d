"""Tiles show posters, and load more only on demand."""

from __future__ import annotations

import itertools
import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from infra.local.stack import Stack
from infra.local.users import Account
from tests.conftest import PASSWORD
from tests.e2e.conftest import NewContext
from tests.e2e.faults import Refusal
from tests.e2e.jobs_page import JobsPage, sign_in, wait_for
from tests.e2e.posters import ALL, POSTERS, PREVIEWS, STORYBOARD, tell_of
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
    """The names of the objects that the page has requested from Storage."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.names: list[str] = []
        self._storage = stack.storage_url
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.url.startswith(self._storage):
            self.names.append(PurePosixPath(urlsplit(request.url).path).name)


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


def test_tiles_show_posters_and_load_nothing_else(jobs_page: JobsPage, shelf: Shelf, stack: Stack) -> None:
    job_id = shelf.add()
    shelf.add_posters(job_id)
    tell_of(jobs_page.page, ALL)
    fetched = Fetched(jobs_page.page, stack)
    jobs_page.open()
    for medium in _MEDIA:
        _expect_poster(jobs_page.tile(job_id, medium))
        expect(jobs_page.tile(job_id, medium).locator("video")).to_have_count(0)
    jobs_page.page.wait_for_load_state("networkidle")
    assert fetched.names == ["poster.webp"] * 3


def test_a_preview_plays_over_the_poster_while_it_is_pointed_at_or_focused(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack
) -> None:
    job_id = shelf.add()
    shelf.add_posters(job_id)
    page = jobs_page.page
    tell_of(page, ALL)
    fetched = Fetched(page, stack)
    jobs_page.open()
    for medium, (begin, end) in itertools.product(_VIDEOS, ((_hover, _point_elsewhere), (_tab_to, _tab_on))):
        tile = jobs_page.tile(job_id, medium)
        _expect_poster(tile)
        begin(page, tile)
        _expect_playing(tile, "preview.mp4")
        end(page)
        expect(tile.locator("video")).to_have_count(0)
        expect(tile.locator("img")).to_have_css("opacity", "1")
    assert set(fetched.names) == {"poster.webp", "preview.mp4"}


def test_a_video_that_browsers_do_not_play_opens_as_its_preview_and_can_be_downloaded(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    job_id = shelf.add()
    shelf.add_posters(job_id)
    tell_of(jobs_page.page, ALL, playable=False)
    jobs_page.open()
    jobs_page.tile(job_id, "source video").click()
    video = jobs_page.dialog.locator("video")
    wait_for(video, "element => element.currentTime > 0.1")
    assert "/preview.mp4?" in str(video.get_attribute("src"))
    expect(jobs_page.dialog.get_by_text("Not every browser plays this kind of video")).to_be_visible()
    original = jobs_page.dialog.get_by_role("link", name="Download the original")
    assert "/motion.mp4?" in str(original.get_attribute("href"))


def test_an_image_that_browsers_do_not_show_opens_as_its_view_and_can_be_downloaded(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    job_id = shelf.add_heic()
    jobs_page.open()
    tile = jobs_page.tile(job_id, "reference image")
    _expect_poster(tile)
    tile.click()
    view = jobs_page.dialog.get_by_role("img", name="Reference image of job")
    wait_for(view, "element => element.complete && element.naturalWidth > 0")
    assert "/view.webp?" in str(view.get_attribute("src"))
    expect(jobs_page.dialog.get_by_text("Not every browser shows this kind of image")).to_be_visible()
    original = jobs_page.dialog.get_by_role("link", name="Download the original")
    assert "/reference.heic?" in str(original.get_attribute("href"))


def test_the_output_s_course_is_shown_as_the_pointer_moves_along_its_tile(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    job_id = shelf.add()
    shelf.add_posters(job_id)
    shelf.add_storyboard(job_id)
    tell_of(jobs_page.page, (*ALL, STORYBOARD))
    jobs_page.open()
    tile = jobs_page.tile(job_id, "output video")
    _expect_poster(tile)
    part = tile.locator("img[src*='/storyboard.webp']")
    expect(part).to_have_count(0)
    jobs_page.page.evaluate(_NOTE_PARTS)
    width = 144
    for place in (5, 14):
        tile.hover(position={"x": width * (place + 0.5) / 16, "y": width / 2})
        row, column = divmod(place, 4)
        wanted = f"left: -{100 * column}%; top: -{100 * row}%;"
        wait_until(lambda wanted=wanted: wanted in jobs_page.page.evaluate("parts"))  # type: ignore[misc]
    expect(part).to_have_count(0)  # the preview plays on


def test_a_preview_plays_while_a_finger_rests_on_its_poster(
    new_context: NewContext, stack: Stack, account: Account, shelf: Shelf
) -> None:
    context = new_context(has_touch=True)
    sign_in(context, stack, account, PASSWORD)
    jobs_page = JobsPage(context.new_page())
    job_id = shelf.add()
    shelf.add_posters(job_id)
    tell_of(jobs_page.page, ALL)
    tile = jobs_page.tile(job_id, "source video")
    jobs_page.open()
    _expect_poster(tile)
    box = tile.bounding_box()
    assert box is not None
    finger = context.new_cdp_session(jobs_page.page)
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    _expect_playing(tile, "preview.mp4")
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(jobs_page.page.locator("article video")).to_have_count(0)


def test_no_video_is_loaded_with_reduced_motion(jobs_page: JobsPage, shelf: Shelf, stack: Stack) -> None:
    jobs_page.page.emulate_media(reduced_motion="reduce")
    job_id = shelf.add()
    shelf.add_posters(job_id)
    tell_of(jobs_page.page, ALL)
    fetched = Fetched(jobs_page.page, stack)
    tile = jobs_page.tile(job_id, "source video")
    jobs_page.open()
    _expect_poster(tile)
    tile.hover()
    _tab_to(jobs_page.page, tile)
    expect(tile.locator("video")).to_have_count(0)
    jobs_page.page.wait_for_load_state("networkidle")
    assert fetched.names == ["poster.webp"] * 3


@pytest.mark.parametrize("fields", [(), ALL], ids=["null", "not found"])
def test_media_without_posters_are_shown_directly(
    jobs_page: JobsPage, shelf: Shelf, expected_errors: list[str], fields: tuple[str, ...]
) -> None:
    expected_errors.append(r"status of 404 .*(poster\.webp|preview\.mp4)")
    job_id = shelf.add()
    tell_of(jobs_page.page, fields)
    jobs_page.open()
    for medium in _MEDIA:
        shown = jobs_page.tile(job_id, medium).locator("img, video")
        expect(shown).to_have_attribute("src", _with_name(_ORIGINALS[medium]))
        wait_for(shown, "element => element.naturalWidth > 0 || element.readyState >= 2")
        expect(shown).to_have_css("opacity", "1")
    assert jobs_page.renewals() == 0
    tile = jobs_page.tile(job_id, "output video")
    tile.hover()
    _expect_playing(tile, "output.mp4")


@pytest.mark.parametrize("fields", [POSTERS, ALL], ids=["null", "not found"])
def test_the_whole_video_plays_if_its_preview_is_missing(
    jobs_page: JobsPage, shelf: Shelf, expected_errors: list[str], fields: tuple[str, ...]
) -> None:
    expected_errors.append(r"status of 404 .*preview\.mp4")
    job_id = shelf.add()
    shelf.add_posters(job_id, preview=None)
    tell_of(jobs_page.page, fields)
    tile = jobs_page.tile(job_id, "output video")
    jobs_page.open()
    _expect_poster(tile)
    tile.hover()
    _expect_playing(tile, "output.mp4")
    assert jobs_page.renewals() == 0


def test_the_first_frame_of_the_preview_replaces_a_missing_poster(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack
) -> None:
    job_id = shelf.add()
    shelf.add_posters(job_id, poster=None)
    tell_of(jobs_page.page, PREVIEWS)
    fetched = Fetched(jobs_page.page, stack)
    tile = jobs_page.tile(job_id, "source video")
    jobs_page.open()
    wait_for(tile.locator("video"), "element => element.readyState >= 2 && element.paused")
    tile.hover()
    _expect_playing(tile, "preview.mp4")
    assert set(fetched.names) == {"reference.jpg", "preview.mp4"}


def test_an_expired_poster_url_is_renewed_together_with_its_medium(
    jobs_page: JobsPage, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(r"status of 403 .*(poster\.webp|reference\.jpg)")
    job_id = shelf.add("failed")
    shelf.add_posters(job_id)
    tell_of(jobs_page.page, ["reference_poster_url"])
    for name in ("poster.webp", "reference.jpg"):
        Refusal(jobs_page.page, name, times=1)
    tile = jobs_page.tile(job_id, "reference image")
    jobs_page.open()
    _expect_poster(tile)
    assert jobs_page.renewals() == 1


def test_a_tile_with_a_poster_opens_the_medium_itself(jobs_page: JobsPage, shelf: Shelf) -> None:
    job_id = shelf.add()
    shelf.add_posters(job_id)
    tell_of(jobs_page.page, ALL)
    jobs_page.open()
    for medium in _MEDIA:
        _expect_poster(jobs_page.tile(job_id, medium))
        jobs_page.tile(job_id, medium).click()
        large = jobs_page.dialog.locator("img, video").last  # above the poster
        expect(large).to_have_attribute("src", _with_name(_ORIGINALS[medium]))
        wait_for(large, "element => element.naturalWidth > 0 || element.readyState >= 2")
        jobs_page.page.keyboard.press("Escape")
        expect(jobs_page.dialog).to_have_count(0)


def _with_name(name: str) -> re.Pattern[str]:
    return re.compile(rf"/{re.escape(name)}\?")
