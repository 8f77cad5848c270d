"""Where the focus goes after a keyboard action. It is never lost to the top of the page."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.faults import LIST, HeldBack
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf

OUTPUT = re.compile("/output$")


def test_a_download_and_a_refresh_keep_the_focus_and_clearing_the_selection_moves_it_to_the_heading(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
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

    requests = len(jobs_page.requests)
    held = HeldBack(page, LIST)
    button = page.get_by_role("button", name="Refresh the list")
    button.press("Enter")
    expect(button).to_be_disabled()
    expect(button).to_be_focused()
    button.press("Enter")  # ignored while the button is busy
    held.let_go()
    expect(button).to_be_enabled()
    expect(button).to_be_focused()
    assert len(jobs_page.requests) == requests + 1

    jobs_page.card(job).get_by_role("checkbox").check()
    bar = page.get_by_role("region", name="Selected jobs")
    bar.get_by_role("button", name="Clear").press("Enter")
    expect(bar).to_have_count(0)
    assert jobs_page.focused() == "jobs-title"
