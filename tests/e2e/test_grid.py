"""The compact grid: how many columns it has, that it is remembered, and that everything is in it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.clock import Clock
from tests.e2e.faults import LIST, POLL, HeldBack
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.test_accessibility import sideways

_COLUMNS = "cards => new Set(cards.map(card => card.getBoundingClientRect().x)).size"


def test_a_grid_of_two_to_six_columns_is_remembered_and_has_selection_actions_and_polls(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    *_, processing = [shelf.add(media=False) for _ in range(7)] + [shelf.add("processing")]
    clock = Clock(page)
    page.set_viewport_size({"width": 2560, "height": 1300})
    jobs_page.open()
    jobs_page.grid_toggle.press("Enter")
    expect(jobs_page.grid_toggle).to_have_attribute("aria-pressed", "true")
    jobs_page.wait_for_cards()
    for width, columns in ((2560, 6), (360, 2)):
        page.set_viewport_size({"width": width, "height": 1300})
        assert jobs_page.cards.evaluate_all(_COLUMNS) == columns
        assert sideways(page) == 0
    page.reload()
    jobs_page.wait_for_cards()
    assert jobs_page.cards.evaluate_all(_COLUMNS) == 2

    page.set_viewport_size({"width": 1440, "height": 1300})
    banner = page.get_by_role("banner").locator("a")
    place = banner.bounding_box()
    held = HeldBack(page, LIST)
    jobs_page.filter("Completed").click()
    expect(page.get_by_text("Loading your jobs")).to_be_attached()
    assert banner.bounding_box() == place
    held.let_go()
    jobs_page.filter("All").click()

    card = jobs_page.card(processing)
    card.get_by_role("checkbox").check()
    expect(page.get_by_role("region", name="Selected jobs")).to_contain_text("1 selected")
    clock.stop()
    shelf.complete(processing)
    jobs_page.tile(processing, "reference image").focus()
    clock.run_to_next(POLL, within=11)
    expect(jobs_page.tile(processing, "output video")).to_be_focused()
    expect(card.get_by_role("heading")).to_contain_text("Completed")
    for action in ("Download", "Copy link", "Details", "Delete"):
        expect(jobs_page.button(processing, action)).to_be_visible()
    expect(jobs_page.cards.last).to_contain_text("No views yet")
    jobs_page.tile(processing, "output video").click()
    expect(page.get_by_role("dialog", name="Output video of job")).to_be_visible()
