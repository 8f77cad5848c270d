"""New jobs appear without moving what is read. When they are looked for: frontend/tests/page-cards.test.tsx."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Locator, Page, expect

from tests.e2e.clock import Clock
from tests.e2e.faults import LOOK, POLL
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf


def test_the_card_under_the_pointer_or_first_in_sight_stays_there_when_others_appear_or_grow_above_it(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    clock = Clock(page)
    ids = shelf.add_many(12)
    page.set_viewport_size({"width": 390, "height": 740})
    jobs_page.open()
    clock.stop()
    card, last = jobs_page.card(ids[1]), jobs_page.card(ids[-1])
    card.hover()
    place = card.bounding_box()
    new = shelf.add("processing")
    looked = clock.run_to_next(LOOK, within=62, after=clock.now() + 50)
    jobs_page.expect_ids([new, *ids])
    assert card.bounding_box() == place
    before = shelf.document(ids[0]).get().get("created_at")
    restored = shelf.add("processing", created_at=before - timedelta(seconds=1))
    clock.run_to_next(LOOK, within=62, after=looked + 25)
    jobs_page.expect_ids([new, ids[0], restored, *ids[1:]])
    assert card.bounding_box() == place
    _expect_to_stay_while_one_grows(jobs_page, shelf, clock, grows=new, stays=card)
    page.mouse.move(1, 1)
    last.scroll_into_view_if_needed()
    _expect_to_stay_while_one_grows(jobs_page, shelf, clock, grows=restored, stays=last)


def _expect_to_stay_while_one_grows(
    jobs_page: JobsPage, shelf: Shelf, clock: Clock, *, grows: str, stays: Locator
) -> None:
    card, height = jobs_page.card(grows), "card => card.getBoundingClientRect().height"
    place, low = stays.bounding_box(), card.evaluate(height)
    shelf.complete(grows)
    clock.run_to_next(POLL, within=11)
    expect(card).to_contain_text("Completed")
    assert card.evaluate(height) > low
    assert stays.bounding_box() == place
