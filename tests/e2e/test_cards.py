"""A job's card: what it shows and which actions it offers in each state."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf

_CYAN = "rgb(0, 240, 217)"
_ACTIVE = ("pending", "queued", "processing", "watermarking")
_ALL = (*_ACTIVE, "completed", "failed")


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


def test_each_status_has_its_badge_its_tiles_and_its_actions(jobs_page: JobsPage, shelf: Shelf) -> None:
    ids = {status: shelf.add(status) for status in _ALL}
    jobs_page.open()
    for status, job_id in ids.items():
        card = jobs_page.card(job_id)
        expect(card.get_by_role("heading")).to_have_text(f"Animation{status.capitalize()}")
        completed = status == "completed"
        assert _tiles(card) == ["reference image", "source video", *(["output video"] if completed else [])]
        assert _actions(card) == ["Details", *(["Download", "Copy link"] if completed else []), "Delete"]
        expect(card.get_by_test_id("elapsed")).to_have_count(1 if status in _ACTIVE else 0)


def test_files_that_arrive_later_replace_their_placeholders(jobs_page: JobsPage, shelf: Shelf) -> None:
    job_id = shelf.add("pending", media=False)
    card = jobs_page.open().card(job_id)
    expect(card.get_by_text("Not available")).to_have_count(2)
    shelf.bring_files(job_id)
    jobs_page.page.get_by_role("button", name="Refresh the list").click()
    expect(jobs_page.tile(job_id, "reference image").locator("img")).to_have_css("opacity", "1")
    expect(jobs_page.tile(job_id, "source video").locator("video")).to_have_css("opacity", "1")
    expect(card.get_by_text("Not available")).to_have_count(0)


def test_tiles_are_144_pixels_square(jobs_page: JobsPage, shelf: Shelf) -> None:
    card = jobs_page.card(shelf.add())
    jobs_page.open()
    boxes = [tile.bounding_box() for tile in card.get_by_role("button", name="Preview the").all()]
    assert [box and (box["width"], box["height"]) for box in boxes] == [(144, 144)] * 3


def test_only_the_output_has_the_cyan_border(jobs_page: JobsPage, shelf: Shelf) -> None:
    job_id = shelf.add()
    jobs_page.open()
    expect(jobs_page.tile(job_id, "output video")).to_have_css("border-color", _CYAN)
    expect(jobs_page.tile(job_id, "source video")).not_to_have_css("border-color", _CYAN)


def test_a_card_shows_type_id_age_resolution_and_credits(jobs_page: JobsPage, shelf: Shelf) -> None:
    created = datetime.now(UTC) - timedelta(hours=2, minutes=1)
    job_id = shelf.add(media=False, job_type="upscale", resolution="480p", credits_charged=1, created_at=created)
    card = jobs_page.open().card(job_id)
    expect(card.get_by_role("heading")).to_have_text("UpscaleCompleted")
    for text in (job_id, "2 hr. ago", "480p", "1 credit"):
        expect(card.get_by_text(text, exact=True)).to_be_visible()
    age = card.get_by_text("2 hr. ago")
    age.hover()
    expect(age).to_have_attribute("title", re.compile(r"\w+ \d+, \d{4}, \d+:\d\d.[AP]M"))


def test_a_job_with_only_a_creation_time_still_has_a_card(jobs_page: JobsPage, shelf: Shelf) -> None:
    nothing = dict.fromkeys(("job_type", "resolution", "credits_charged", "short_id"))
    job_id = shelf.add("archived", media=False, **nothing)
    card = jobs_page.open().card(job_id)
    expect(card.get_by_role("heading")).to_have_text("VideoArchived")
    expect(card.get_by_text("Not available")).to_have_count(2)
    expect(card).not_to_contain_text(re.compile("null|undefined|NaN|credit", re.IGNORECASE))
    assert _actions(card) == ["Details", "Delete"]


def test_a_failed_job_shows_the_reason_or_that_none_was_recorded(jobs_page: JobsPage, shelf: Shelf) -> None:
    long = "The motion video has no person in it: " + "x" * 300
    told = shelf.add("failed", media=False, error_message=long)
    untold = shelf.add("failed", media=False, error_message=None)
    jobs_page.open()
    reason = jobs_page.card(told).get_by_text(long)
    expect(reason).to_be_visible()
    assert reason.evaluate("element => element.scrollWidth <= element.clientWidth"), "the reason is cut off"
    expect(jobs_page.card(untold).get_by_text("no reason was recorded")).to_be_visible()


def test_elapsed_time_updates_each_second_without_requests(jobs_page: JobsPage, shelf: Shelf) -> None:
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


@pytest.mark.motion
def test_only_the_processing_badge_pulses(jobs_page: JobsPage, shelf: Shelf) -> None:
    processing = shelf.add("processing", media=False)
    queued = shelf.add("queued", media=False)
    jobs_page.open()
    assert _animation(jobs_page.card(processing), "Processing") == "badge"
    assert _animation(jobs_page.card(queued), "Queued") == "none"
    running = "element => element.getAnimations({ subtree: true }).some(one => one.playState === 'running')"
    assert jobs_page.card(processing).get_by_role("heading").evaluate(running)


def test_nothing_on_the_page_moves_with_reduced_motion(jobs_page: JobsPage, shelf: Shelf) -> None:
    jobs_page.page.emulate_media(reduced_motion="reduce")
    job_id = shelf.add("processing")
    jobs_page.open()
    expect(jobs_page.tile(job_id, "reference image").locator("img")).to_be_visible()
    assert jobs_page.page.evaluate("document.getAnimations().length") == 0


def test_nothing_is_cut_off_on_a_small_screen(jobs_page: JobsPage, shelf: Shelf) -> None:
    job_id = shelf.add()
    jobs_page.open()
    for width in (320, 768):
        jobs_page.page.set_viewport_size({"width": width, "height": 700})
        assert jobs_page.page.evaluate("document.documentElement.scrollWidth") == width
        for button in jobs_page.card(job_id).get_by_role("button").all():
            box = button.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width


def test_every_job_can_be_deleted(jobs_page: JobsPage, shelf: Shelf) -> None:
    ids = [shelf.add(status, media=False) for status in _ALL]
    jobs_page.open()
    for job_id in ids:
        jobs_page.button(job_id, "Delete").click()
        jobs_page.dialog.get_by_role("button", name="Delete job").click()
        expect(jobs_page.card(job_id)).to_have_count(0)
    expect(jobs_page.page.get_by_role("heading", name="No videos yet")).to_be_visible()
