"""The tiles of a card: when videos play, what is downloaded, and what happens if a medium fails.

More of what happens then: frontend/tests/page-cards.test.tsx.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from infra.local.stack import Stack
from infra.local.users import Account
from tests.conftest import PASSWORD
from tests.e2e.conftest import NewContext
from tests.e2e.faults import HeldBack, Refusal
from tests.e2e.jobs_page import JobsPage, sign_in, wait_for, wait_for_dialog
from tests.e2e.posters import ALL, tell_of
from tests.e2e.shelf import Shelf

pytestmark = pytest.mark.motion

_VIDEOS = ["source video", "output video"]
_JOBS_ON_A_SCREEN = 6


def _loaded(tile: Locator) -> Locator:
    """The tile's video, once it has its first frame."""
    video = tile.locator("video")
    wait_for(video, "element => element.readyState >= 2")
    return video


def _expect_playing(video: Locator) -> None:
    wait_for(video, "element => element.currentTime > 0.1 && !element.paused")
    assert video.evaluate("element => element.muted")


def _expect_rewound(video: Locator) -> None:
    wait_for(video, "element => element.currentTime === 0 && element.paused")


def _elsewhere(page: Page) -> None:
    page.mouse.move(1, 1)


def test_a_tile_has_a_placeholder_at_first_and_plays_while_pointed_at_or_focused_unless_motion_is_reduced(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    job_id = shelf.add()
    pictures = HeldBack(page, re.compile("/nuumee-images/"))
    jobs_page.open()
    placeholder = jobs_page.tile(job_id, "reference image").get_by_test_id("skeleton")
    expect(placeholder).to_be_visible()
    pictures.let_go()
    expect(placeholder).to_have_count(0)
    _expect_to_play_muted_while_pointed_at(jobs_page, job_id)
    _expect_to_play_with_keyboard_focus(jobs_page, job_id)
    _expect_nothing_to_play_with_reduced_motion(jobs_page, job_id)


def _expect_to_play_muted_while_pointed_at(jobs_page: JobsPage, job_id: str) -> None:
    for medium in _VIDEOS:
        tile = jobs_page.tile(job_id, medium)
        video = _loaded(tile)
        tile.hover()
        _expect_playing(video)
        _elsewhere(jobs_page.page)
        _expect_rewound(video)


def _expect_to_play_with_keyboard_focus(jobs_page: JobsPage, job_id: str) -> None:
    tiles = [jobs_page.tile(job_id, medium) for medium in ("reference image", *_VIDEOS)]
    source, output = (_loaded(tile) for tile in tiles[1:])
    tiles[0].focus()
    for playing, still in ((source, output), (output, source)):
        jobs_page.page.keyboard.press("Tab")
        _expect_playing(playing)
        assert still.evaluate("element => element.paused")
    # The focus that comes back from a preview does not make the video play on and on.
    jobs_page.page.keyboard.press("Enter")
    wait_for_dialog(jobs_page.page)
    jobs_page.page.keyboard.press("Escape")
    expect(tiles[2]).to_be_focused()
    _expect_rewound(output)


def _expect_nothing_to_play_with_reduced_motion(jobs_page: JobsPage, job_id: str) -> None:
    jobs_page.page.emulate_media(reduced_motion="reduce")
    tile = jobs_page.tile(job_id, "source video")
    video = _loaded(tile)
    video.evaluate("element => { window.played = 0; element.onplay = () => { window.played += 1 } }")
    tile.hover()
    tile.focus()
    jobs_page.page.keyboard.press("Shift+Tab")
    jobs_page.page.keyboard.press("Tab")
    assert "source video" in jobs_page.focused()
    assert jobs_page.page.evaluate("window.played") == 0
    assert video.evaluate("element => element.paused")


def test_a_video_or_its_preview_plays_while_a_finger_rests_on_it(
    new_context: NewContext, stack: Stack, account: Account, shelf: Shelf
) -> None:
    context = new_context(has_touch=True)
    sign_in(context, stack, account, PASSWORD)
    jobs_page = JobsPage(context.new_page())
    plain, with_preview = shelf.add(), shelf.add()
    shelf.add_posters(with_preview)
    tell_of(jobs_page.page, {with_preview: ALL})
    finger = context.new_cdp_session(jobs_page.page)
    for job_id in (plain, with_preview):
        jobs_page.open()
        tile = jobs_page.tile(job_id, "source video")
        loaded = "element => element.naturalWidth > 0 || element.readyState >= 2"
        wait_for(tile.locator("img, video"), loaded)
        # Not found by role: a short touch opens the preview, and behind it the card has none.
        video = jobs_page.card(job_id).locator("video").first
        box = tile.bounding_box()
        assert box is not None
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
        _expect_playing(video)
        if job_id == plain:
            menu = "new PointerEvent('contextmenu', { pointerType: 'touch', bubbles: true, cancelable: true })"
            assert tile.evaluate(f"element => !element.dispatchEvent({menu})"), "a long press opens a menu"
        else:
            assert "/preview.mp4?" in str(video.get_attribute("src"))
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        if job_id == plain:
            _expect_rewound(video)
        else:
            expect(video).to_have_count(0)


def test_media_are_downloaded_only_when_they_come_into_view(
    jobs_page: JobsPage, shelf: Shelf, stack: Stack
) -> None:
    ids = [shelf.add() for _ in range(20)][::-1]
    page = jobs_page.page
    wanted: set[str] = set()

    def note(request: Request) -> None:
        if request.url.startswith(stack.storage_url):
            wanted.add(next(one for one in ids if one in request.url))

    page.on("request", note)
    # On a busy machine the network is idle before the list arrives, too.
    with page.expect_request(lambda request: request.url.startswith(stack.storage_url)):
        jobs_page.open()
    page.wait_for_load_state("networkidle")
    first = len(wanted)
    assert wanted == set(ids[:first])
    assert 1 <= first <= _JOBS_ON_A_SCREEN

    jobs_page.card(ids[-1]).scroll_into_view_if_needed()
    wait_for(jobs_page.tile(ids[-1], "reference image").locator("img"), "element => element.naturalWidth > 0")
    assert ids[10] not in wanted
    # Loaded media stay loaded when they leave the view again.
    jobs_page.card(ids[0]).scroll_into_view_if_needed()
    assert jobs_page.tile(ids[-1], "reference image").locator("img").evaluate("element => element.complete")


def test_a_medium_that_is_refused_is_renewed_once_with_its_poster_and_shown_or_if_always_refused_given_up(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    once = {shelf.add(): ("reference image", "reference.jpg"), shelf.add(): ("output video", "output.mp4")}
    with_poster, always = next(iter(once)), shelf.add()
    shelf.add_posters(with_poster, preview=None)
    tell_of(page, {with_poster: ["reference_poster_url"]})
    poster = Refusal(page, f"{with_poster}/poster.webp", times=1)
    refusals = {job_id: Refusal(page, f"{job_id}/{name}", times=1) for job_id, (_, name) in once.items()}
    refused_always = Refusal(page, f"{always}/motion.mp4", times=None)
    expected_errors.append(r"status of 403 .*/(poster\.webp|reference\.jpg|output\.mp4|motion\.mp4)")
    jobs_page.open()
    for job_id, (medium, _) in once.items():
        tile = jobs_page.tile(job_id, medium)
        tile.scroll_into_view_if_needed()
        wait_for(tile.locator("img, video"), "element => element.naturalWidth > 0 || element.readyState >= 2")
        assert refusals[job_id].refused == 1
        assert jobs_page.renewals(job_id) == 1
    assert poster.refused == 1
    picture = jobs_page.tile(with_poster, "reference image").locator("img")
    expect(picture).to_have_attribute("src", re.compile(r"/poster\.webp\?"))

    gone = jobs_page.card(always).get_by_text("Not available")
    jobs_page.card(always).scroll_into_view_if_needed()
    expect(gone).to_have_text("The source video is Not available")
    page.wait_for_load_state("networkidle")
    assert jobs_page.renewals(always) == 1
    assert refused_always.refused == 2
    gone.click()
    original = jobs_page.dialog.get_by_role("link", name="Download the original")
    expect(original).to_have_attribute("href", re.compile(f"/{always}/motion.mp4"))
