"""Where the focus goes after a keyboard action. It is never lost to the top of the page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.faults import LIST, HeldBack, failed_load, unavailable
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf

OUTPUT = re.compile("/output$")


def test_a_download_keeps_the_focus_on_its_button(jobs_page: JobsPage, page: Page, shelf: Shelf) -> None:
    job = shelf.add()
    jobs_page.open()
    held = HeldBack(page, OUTPUT)
    button = jobs_page.button(job, "Download")
    button.press("Enter")
    expect(button).to_be_disabled()
    expect(button).to_be_focused()
    with page.expect_download():
        held.let_go()
    expect(button).to_be_enabled()
    expect(button).to_be_focused()


def test_a_refresh_keeps_the_focus_on_its_button(jobs_page: JobsPage, page: Page, shelf: Shelf) -> None:
    shelf.add(media=False)
    jobs_page.open()
    held = HeldBack(page, LIST)
    button = page.get_by_role("button", name="Refresh the list")
    button.press("Enter")
    expect(button).to_be_disabled()
    expect(button).to_be_focused()
    button.press("Enter")  # ignored while the button is busy
    held.let_go()
    expect(button).to_be_enabled()
    expect(button).to_be_focused()
    assert len(jobs_page.requests) == 2


def test_clearing_the_selection_moves_the_focus_to_the_heading(jobs_page: JobsPage, shelf: Shelf) -> None:
    job = shelf.add(media=False)
    jobs_page.open().card(job).get_by_role("checkbox").check()
    bar = jobs_page.page.get_by_role("region", name="Selected jobs")
    bar.get_by_role("button", name="Clear").press("Enter")
    expect(bar).to_have_count(0)
    assert jobs_page.focused() == "jobs-title"


@pytest.mark.parametrize("cards", [0, 1])
def test_retrying_moves_the_focus_to_the_heading(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str], cards: int
) -> None:
    expected_errors.append(failed_load("503"))
    job = shelf.add(media=False)
    if cards:
        jobs_page.open()
    page.route(LIST, unavailable("Firestore is not available now."))
    if cards:
        page.get_by_role("button", name="Refresh the list").click()
    else:
        jobs_page.open(wait=False)
    again = page.get_by_role("button", name="Try again")
    again.wait_for()
    page.unroute(LIST)
    again.press("Enter")
    jobs_page.expect_ids([job])
    expect(again).to_have_count(0)
    assert jobs_page.focused() == "jobs-title"


@pytest.mark.parametrize("query", ["?status=failed", "?q=nobody"])
def test_showing_all_jobs_moves_the_focus_to_the_heading(
    jobs_page: JobsPage, page: Page, shelf: Shelf, query: str
) -> None:
    job = shelf.add(media=False)
    jobs_page.open(query, wait=False)
    page.get_by_role("button", name="Show all jobs").press("Enter")
    jobs_page.expect_ids([job])
    assert jobs_page.focused() == "jobs-title"
