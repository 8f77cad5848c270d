"""New jobs appear by themselves: the page looks for them, and loads an old list when its user comes back."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.clock import Clock
from tests.e2e.faults import LIST, LOOK, POLL
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf

MINUTE = 60


@pytest.fixture
def clock(page: Page) -> Clock:
    return Clock(page)


def test_finished_jobs_are_not_polled_and_new_ones_slide_in_without_moving_what_is_read(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock
) -> None:
    ids = shelf.add_many(20)
    jobs_page.open()
    clock.stop()
    began = clock.times(LIST)[0]
    looked = clock.run_to_next(LOOK, within=62, after=began + 55)
    assert looked == pytest.approx(began + MINUTE, abs=3)
    assert len(clock.times(LIST)) == 2
    new = shelf.add("processing", media=False)
    last = jobs_page.card(ids[-1])
    last.scroll_into_view_if_needed()
    place = last.bounding_box()
    assert clock.run_to_next(LOOK, within=92, after=looked + 85) == pytest.approx(looked + 90, abs=3)
    jobs_page.expect_ids([new, *ids])
    assert last.bounding_box() == place
    jobs_page.expect_counts(all=21, processing=1)
    expect(jobs_page.announcer).to_have_text("There is a new job.")
    clock.run_to_next(POLL, within=10)
    assert parse_qs(urlsplit(jobs_page.asked()[-1].url).query)["ids"] == [new]


def test_the_card_under_the_pointer_stays_there_when_others_appear_or_grow_above_it(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock
) -> None:
    ids = shelf.add_many(12)
    page.set_viewport_size({"width": 390, "height": 740})
    jobs_page.open()
    clock.stop()
    card = jobs_page.card(ids[1])
    card.hover()
    place = card.bounding_box()
    new = shelf.add("processing")
    looked = clock.run_to_next(LOOK, within=62, after=clock.times(LIST)[0] + 55)
    jobs_page.expect_ids([new, *ids])
    assert card.bounding_box() == place
    before = shelf.document(ids[0]).get().get("created_at")
    restored = shelf.add(media=False, created_at=before - timedelta(seconds=1))
    clock.run_to_next(LOOK, within=62, after=looked + 25)
    jobs_page.expect_ids([new, ids[0], restored, *ids[1:]])
    assert card.bounding_box() == place
    height = "card => card.getBoundingClientRect().height"
    low = jobs_page.card(new).evaluate(height)
    shelf.complete(new)
    clock.run_to_next(POLL, within=11)
    expect(jobs_page.card(new)).to_contain_text("Completed")
    assert jobs_page.card(new).evaluate(height) > low
    assert card.bounding_box() == place


@pytest.mark.parametrize("events", [["visibilitychange"], ["pageshow"], ["visibilitychange", "pageshow"]])
def test_an_old_list_is_loaded_again_when_the_user_comes_back(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock, events: list[str]
) -> None:
    job = shelf.add(media=False)
    jobs_page.open()
    clock.stop()
    clock.run(seconds=20)
    _come_back(page, events)
    clock.run(seconds=1)
    assert len(clock.times(LIST)) == 1
    new = shelf.add("queued", media=False)
    clock.run(seconds=10)
    _come_back(page, events)
    jobs_page.expect_ids([new, job])
    jobs_page.expect_counts(all=2, queued=1)
    assert len(clock.times(LIST)) == 2


def _come_back(page: Page, events: list[str]) -> None:
    """As a browser does after another tab or, from its back/forward cache, after another page."""
    targets = {"visibilitychange": "document", "pageshow": "window"}
    page.evaluate(
        "; ".join(f"{targets[event]}.dispatchEvent(new Event('{event}', {{ bubbles: true }}))" for event in events)
    )
