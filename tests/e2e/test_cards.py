"""A job's card: what it shows and which actions it offers in each state."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Locator, expect

from tests.e2e.jobs_page import JobsPage, wait_for, wait_for_dialog
from tests.e2e.shelf import STATUSES, Shelf
from tests.e2e.test_names import NAMES
from tests.e2e.test_trash import delete

_CYAN = "rgb(0, 240, 217)"
_ACTIVE = ("pending", "queued", "processing", "watermarking")
_ALL = (*_ACTIVE, "completed", "failed")
_LONG_REASON = "The motion video has no person in it: " + "x" * 300


def _tiles(card: Locator) -> list[str]:
    """The media shown as tiles on the card."""
    names = [
        str(tile.get_attribute("aria-label")) for tile in card.get_by_role("button", name="Preview the").all()
    ]
    return [re.sub("^Preview the (.*) of job .*", r"\1", name) for name in names]


def _actions(card: Locator) -> list[str]:
    names = [str(button.get_attribute("aria-label")) for button in card.get_by_role("button").all()]
    return [
        name.partition(" job ")[0].removesuffix(" of").removesuffix(" for")
        for name in names
        if not name.startswith("Preview")
    ]


def _animation(card: Locator, label: str) -> str:
    """The name of the animation on the card's badge."""
    badge = card.get_by_role("heading").get_by_text(label, exact=True).locator("..")
    return str(badge.evaluate("element => getComputedStyle(element, '::before').animationName"))


def test_jobs_of_all_statuses_have_their_parts_fit_the_window_do_not_move_and_can_be_deleted(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    ids = {status: shelf.add(status) for status in _ALL}
    jobs_page.open()
    for status, job_id in ids.items():
        _expect_badge_tiles_and_actions(jobs_page.card(job_id), status)
    _expect_square_tiles_and_one_cyan_border(jobs_page, ids["completed"])
    _expect_the_reference_fills_its_tile(jobs_page, ids["completed"])
    _expect_nothing_moves_with_reduced_motion(jobs_page, ids["processing"])
    _expect_nothing_is_cut_off_on_a_small_screen(jobs_page, ids["completed"])
    for status, job_id in ids.items():
        _expect_to_be_deleted(jobs_page, shelf, status, job_id)
    expect(jobs_page.page.get_by_role("heading", name="No videos yet")).to_be_visible()


def _expect_badge_tiles_and_actions(card: Locator, status: str) -> None:
    expect(card.get_by_role("heading")).to_have_text(f"Animation{status.capitalize()}")
    completed = status == "completed"
    assert _tiles(card) == ["reference image", "source video", *(["output video"] if completed else [])]
    assert _actions(card) == ["Details", *(["Download", "Copy link"] if completed else []), "Delete"]
    expect(card.get_by_test_id("elapsed")).to_have_count(1 if status in _ACTIVE else 0)


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


def _expect_to_be_deleted(jobs_page: JobsPage, shelf: Shelf, status: str, job_id: str) -> None:
    delete(jobs_page, job_id)
    expect(jobs_page.toasts.filter(has_text=f"Job {job_id[:8]} deleted")).to_have_count(1)
    if status in STATUSES:
        jobs_page.expect_counts(**{status: 0})
    else:
        expect(jobs_page.filter("Other")).to_have_count(0)
    assert "deleted_at" in (shelf.document(job_id).get().to_dict() or {})
    expect(jobs_page.card(job_id)).to_have_count(0)


def test_files_that_arrive_later_replace_their_placeholders(jobs_page: JobsPage, shelf: Shelf) -> None:
    job_id = shelf.add("pending", media=False)
    card = jobs_page.open().card(job_id)
    expect(card.get_by_text("Not available")).to_have_count(2)
    shelf.bring_files(job_id)
    jobs_page.page.get_by_role("button", name="Refresh the list").click()
    expect(jobs_page.tile(job_id, "reference image").locator("img")).to_have_css("opacity", "1")
    expect(jobs_page.tile(job_id, "source video").locator("video")).to_have_css("opacity", "1")
    expect(card.get_by_text("Not available")).to_have_count(0)


def test_a_card_shows_its_job_s_facts_or_failure_and_nothing_odd_for_missing_values_or_strange_types(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    created = datetime.now(UTC) - timedelta(hours=2, minutes=1)
    full = shelf.add(media=False, job_type="upscale", resolution="480p", credits_charged=1, created_at=created)
    nothing = dict.fromkeys(("job_type", "resolution", "credits_charged", "short_id"))
    bare = shelf.add("archived", media=False, **nothing)
    told = shelf.add("failed", media=False, error_message=_LONG_REASON)
    untold = shelf.add("failed", media=False, error_message=None)
    strange = [shelf.add(media=False, job_type=name) for name in NAMES]
    jobs_page.open()
    _expect_type_id_age_resolution_and_credits(jobs_page.card(full), full)
    _expect_a_card_from_a_creation_time_alone(jobs_page.card(bare))
    reason = jobs_page.card(told).get_by_text(_LONG_REASON)
    expect(reason).to_be_visible()
    assert reason.evaluate("element => element.scrollWidth <= element.clientWidth"), "the reason is cut off"
    expect(jobs_page.card(untold).get_by_text("no reason was recorded")).to_be_visible()
    for job_id in strange:
        _expect_a_card_and_details_of_a_strange_type(jobs_page, job_id)


def _expect_type_id_age_resolution_and_credits(card: Locator, job_id: str) -> None:
    expect(card.get_by_role("heading")).to_have_text("UpscaleCompleted")
    for text in (job_id, "2 hr. ago", "480p", "1 credit"):
        expect(card.get_by_text(text, exact=True)).to_be_visible()
    age = card.get_by_text("2 hr. ago")
    age.hover()
    expect(age).to_have_attribute("title", re.compile(r"\w+ \d+, \d{4}, \d+:\d\d.[AP]M"))


def _expect_a_card_from_a_creation_time_alone(card: Locator) -> None:
    expect(card.get_by_role("heading")).to_have_text("VideoArchived")
    expect(card.get_by_text("Not available")).to_have_count(2)
    expect(card).not_to_contain_text(re.compile("null|undefined|NaN|credit", re.IGNORECASE))
    assert _actions(card) == ["Details", "Delete"]


def _expect_a_card_and_details_of_a_strange_type(jobs_page: JobsPage, job_id: str) -> None:
    expect(jobs_page.card(job_id).get_by_role("heading")).to_have_text("VideoCompleted")
    jobs_page.button(job_id, "Details").click()
    expect(jobs_page.dialog).to_have_accessible_name(f"Video {job_id[:8]}")
    wait_for_dialog(jobs_page.page)
    jobs_page.page.keyboard.press("Escape")
    expect(jobs_page.dialog).to_have_count(0)


def test_elapsed_time_updates_each_second_without_requests_and_only_the_processing_badge_pulses(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    created = {
        "processing": datetime.now(UTC) - timedelta(hours=1, minutes=2, seconds=30),
        "queued": datetime.now(UTC) - timedelta(minutes=2, seconds=30),
        "watermarking": datetime.now(UTC) - timedelta(minutes=2, seconds=30),
        "pending": datetime.now(UTC),
    }
    ids = {status: shelf.add(status, media=False, created_at=time) for status, time in created.items()}
    jobs_page.open()
    elapsed = {status: jobs_page.card(job_id).get_by_test_id("elapsed") for status, job_id in ids.items()}
    expect(elapsed["processing"]).to_have_text(re.compile(r"^Processing\.\.\. 1h 2m \d+s$"))
    expect(elapsed["queued"]).to_have_text(re.compile(r"^Queued\.\.\. 2m \d+s$"))
    expect(elapsed["watermarking"]).to_have_text(re.compile(r"^Watermarking\.\.\. 2m \d+s$"))
    expect(elapsed["pending"]).to_have_text(re.compile(r"^Pending\.\.\. \d+s$"))

    asked = len(jobs_page.requests)
    for _ in range(2):
        now = elapsed["pending"].inner_text()
        expect(elapsed["pending"]).not_to_have_text(now, timeout=2000)
    assert len(jobs_page.requests) == asked

    jobs_page.page.emulate_media(reduced_motion="no-preference")
    processing, queued = jobs_page.card(ids["processing"]), jobs_page.card(ids["queued"])
    processing.scroll_into_view_if_needed()
    running = "element => element.getAnimations({ subtree: true }).some(one => one.playState === 'running')"
    wait_for(processing.get_by_role("heading"), running)
    assert _animation(processing, "Processing") == "badge"
    assert _animation(queued, "Queued") == "none"
