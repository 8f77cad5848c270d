"""The tiles of a card: when videos play, what is downloaded, and what happens if a medium fails."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from infra.local.stack import Stack
from infra.local.users import Account
from tests.conftest import PASSWORD
from tests.e2e.clock import Clock
from tests.e2e.conftest import NewContext
from tests.e2e.faults import HeldBack, Refusal, failed_load, no_connection, unavailable
from tests.e2e.jobs_page import JobsPage, sign_in, wait_for, wait_for_dialog
from tests.e2e.posters import tell_of
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until

pytestmark = pytest.mark.motion

_THUMBNAILS = re.compile("/thumbnails$")
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


def test_a_video_plays_while_a_finger_rests_on_it(
    new_context: NewContext, stack: Stack, account: Account, shelf: Shelf
) -> None:
    context = new_context(has_touch=True)
    sign_in(context, stack, account, PASSWORD)
    jobs_page = JobsPage(context.new_page())
    tile = jobs_page.tile(shelf.add(), "source video")
    jobs_page.open()
    # Not found by role: a short touch opens the preview, and behind it the card has none.
    video = jobs_page.page.locator("article video").first
    wait_for(video, "element => element.readyState >= 2")
    box = tile.bounding_box()
    assert box is not None
    finger = context.new_cdp_session(jobs_page.page)
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    _expect_playing(video)
    menu = "new PointerEvent('contextmenu', { pointerType: 'touch', bubbles: true, cancelable: true })"
    assert tile.evaluate(f"element => !element.dispatchEvent({menu})"), "a long press opens a menu"
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    _expect_rewound(video)


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


def test_a_medium_that_is_refused_is_renewed_once_and_shown_or_if_always_refused_given_up(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    once = {shelf.add(): ("reference image", "reference.jpg"), shelf.add(): ("output video", "output.mp4")}
    always = {shelf.add(): ("reference image", "reference.jpg"), shelf.add(): ("source video", "motion.mp4")}
    refusals = {
        job_id: Refusal(page, f"{job_id}/{name}", times)
        for jobs, times in ((once, 1), (always, None))
        for job_id, (_, name) in jobs.items()
    }
    expected_errors += [f"status of 403 .*{job_id}/{name}" for job_id, (_, name) in (once | always).items()]
    jobs_page.open()
    for job_id, (medium, _) in once.items():
        tile = jobs_page.tile(job_id, medium)
        tile.scroll_into_view_if_needed()
        wait_for(tile.locator("img, video"), "element => element.naturalWidth > 0 || element.readyState >= 2")
        assert refusals[job_id].refused == 1
        assert jobs_page.renewals(job_id) == 1

    gone = {job_id: jobs_page.card(job_id).get_by_text("Not available") for job_id in always}
    for job_id, (medium, _) in always.items():
        jobs_page.card(job_id).scroll_into_view_if_needed()
        expect(gone[job_id]).to_have_text(f"The {medium} is Not available")
    page.wait_for_load_state("networkidle")
    for job_id, (_, name) in always.items():
        assert jobs_page.renewals(job_id) == 1
        assert refusals[job_id].refused == 2
        gone[job_id].click()
        original = jobs_page.dialog.get_by_role("link", name="Download the original")
        expect(original).to_have_attribute("href", re.compile(f"/{job_id}/{name}"))
        wait_for_dialog(page)
        page.keyboard.press("Escape")
        expect(jobs_page.dialog).to_have_count(0)


def test_a_medium_that_met_no_connection_is_shown_once_there_is_one(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("net::ERR_CONNECTION_FAILED"))
    job_id = shelf.add("failed")
    shelf.add_posters(job_id, preview=None)
    tell_of(page, {job_id: ["reference_poster_url"]})
    clock = Clock(page)
    gone = ("**/reference.jpg*", "**/poster.webp*", "**/thumbnails")
    for address in gone:
        page.route(address, no_connection)
    jobs_page.open()
    clock.stop()
    wait_until(lambda: clock.times(_THUMBNAILS))
    clock.wait_for_answers()
    expect(jobs_page.card(job_id).get_by_text("Not available").first).to_be_visible()
    for address in gone:
        page.unroute(address)
    clock.run(seconds=14)  # ten, and some at random
    picture = jobs_page.tile(job_id, "reference image").locator("img")
    expect(picture).to_have_css("opacity", "1")
    expect(picture).to_have_attribute("src", re.compile("poster"))


def test_tiles_that_can_be_loaded_listen_neither_to_the_tab_nor_to_the_connection(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    ids = shelf.add_many(20, "failed")
    jobs_page.open()
    jobs_page.expect_ids(ids)
    tools = page.context.new_cdp_session(page)
    listeners = []
    for target in ("document", "window"):
        found = tools.send("Runtime.evaluate", {"expression": target})["result"]["objectId"]
        listeners += tools.send("DOMDebugger.getEventListeners", {"objectId": found})["listeners"]
    for event in ("visibilitychange", "online", "offline"):
        assert 1 <= sum(one["type"] == event for one in listeners) < len(ids)


def test_a_medium_that_was_given_up_is_shown_after_the_list_is_refreshed_and_keeps_the_focus(
    jobs_page: JobsPage, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.extend(["status of 403 .*reference.jpg", "status of 503 .*/thumbnails"])
    job_id = shelf.add()
    page = jobs_page.page
    Refusal(page, "reference.jpg", times=1)
    page.route("**/thumbnails", unavailable("Firestore is not available now."), times=1)
    jobs_page.open()
    expect(jobs_page.card(job_id).get_by_text("Not available")).to_be_visible()
    tile = jobs_page.tile(job_id, "reference image")
    tile.focus()
    # As when new jobs arrive: a click would move the focus.
    page.get_by_role("button", name="Refresh the list").dispatch_event("click")
    expect(tile.locator("img")).to_have_css("opacity", "1")
    expect(tile).to_be_focused()
