"""The size, place and motion of jobs' cards. What they show: frontend/tests/page-cards.test.tsx."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.e2e.jobs_page import JobsPage, wait_for
from tests.e2e.shelf import Shelf

_CYAN = "rgb(0, 240, 217)"
_ALL = ("pending", "queued", "processing", "watermarking", "completed", "failed")
_LONG_REASON = "The motion video has no person in it: " + "x" * 300


def _animation(card: Locator, label: str) -> str:
    """The name of the animation on the card's badge."""
    badge = card.get_by_role("heading").get_by_text(label, exact=True).locator("..")
    return str(badge.evaluate("element => getComputedStyle(element, '::before').animationName"))


def test_cards_fit_the_window_and_do_not_move_with_reduced_motion_and_else_only_the_processing_badge_pulses(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    ids = {status: shelf.add(status) for status in _ALL}
    shelf.document(ids["failed"]).update({"error_message": _LONG_REASON})
    jobs_page.open()
    _expect_square_tiles_and_one_cyan_border(jobs_page, ids["completed"])
    _expect_the_reference_fills_its_tile(jobs_page, ids["completed"])
    _expect_the_whole_reason(jobs_page.card(ids["failed"]))
    _expect_nothing_moves_with_reduced_motion(jobs_page, ids["processing"])
    _expect_nothing_is_cut_off_on_a_small_screen(jobs_page, ids["completed"])
    _expect_only_the_processing_badge_to_pulse(jobs_page, ids)


def _expect_square_tiles_and_one_cyan_border(jobs_page: JobsPage, job_id: str) -> None:
    """All tiles are 144 pixels square, and only the output has the cyan border."""
    tiles = jobs_page.card(job_id).get_by_role("button", name="Preview the").all()
    boxes = [tile.bounding_box() for tile in tiles]
    assert [box and (box["width"], box["height"]) for box in boxes] == [(144, 144)] * 3
    expect(jobs_page.tile(job_id, "output video")).to_have_css("border-color", _CYAN)
    expect(jobs_page.tile(job_id, "source video")).not_to_have_css("border-color", _CYAN)


def _expect_the_reference_fills_its_tile(jobs_page: JobsPage, job_id: str) -> None:
    picture = jobs_page.tile(job_id, "reference image").locator("img")
    wait_for(picture, "element => element.complete && element.naturalWidth > 0")
    expect(picture).to_have_css("object-fit", "cover")
    expect(picture).to_have_css("opacity", "1")


def _expect_nothing_moves_with_reduced_motion(jobs_page: JobsPage, job_id: str) -> None:
    jobs_page.card(job_id).scroll_into_view_if_needed()
    expect(jobs_page.tile(job_id, "reference image").locator("img")).to_be_visible()
    assert jobs_page.page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    assert jobs_page.page.evaluate("document.getAnimations().length") == 0


def _expect_nothing_is_cut_off_on_a_small_screen(jobs_page: JobsPage, job_id: str) -> None:
    usual = jobs_page.page.viewport_size
    assert usual is not None
    for width in (320, 768):
        jobs_page.page.set_viewport_size({"width": width, "height": 700})
        assert jobs_page.page.evaluate("document.documentElement.scrollWidth") == width
        for button in jobs_page.card(job_id).get_by_role("button").all():
            box = button.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
    jobs_page.page.set_viewport_size(usual)


def _expect_the_whole_reason(card: Locator) -> None:
    reason = card.get_by_text(_LONG_REASON)
    expect(reason).to_be_visible()
    assert reason.evaluate("element => element.scrollWidth <= element.clientWidth"), "the reason is cut off"


def _expect_only_the_processing_badge_to_pulse(jobs_page: JobsPage, ids: dict[str, str]) -> None:
    jobs_page.page.emulate_media(reduced_motion="no-preference")
    processing, queued = jobs_page.card(ids["processing"]), jobs_page.card(ids["queued"])
    processing.scroll_into_view_if_needed()
    running = "element => element.getAnimations({ subtree: true }).some(one => one.playState === 'running')"
    wait_for(processing.get_by_role("heading"), running)
    assert _animation(processing, "Processing") == "badge"
    assert _animation(queued, "Queued") == "none"
