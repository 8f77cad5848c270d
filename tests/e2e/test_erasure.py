"""Deleting all jobs, from the account menu."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.conftest import PASSWORD
from tests.e2e.faults import failed_load
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.test_accessibility import expect_fits_and_no_violations, violations
from tests.waiting import wait_until

_ERASE = re.compile(r"/jobs\?confirm=\d+$")
_PROGRESS = "**/api/v1/jobs/erasure"


def test_everything_is_erased_with_the_keyboard_alone_once_the_user_has_signed_in_again(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    # There was no erasure before, the sign-in is too old, and the first password is wrong.
    expected_errors += [failed_load("404"), failed_load("401"), failed_load("400")]
    jobs = [shelf.add(name="A name"), shelf.add("failed"), shelf.add("processing")]
    too_old = {"type": "https://nuumee.ai/problems/sign-in-too-old", "detail": "Please sign in again."}
    page.route(_ERASE, lambda route: _answer(route, 401, too_old))
    jobs_page.open()
    button = page.get_by_role("banner").get_by_role("button")
    button.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Erase everything")).to_be_focused()
    assert violations(page) == []
    page.keyboard.press("s")
    expect(page.get_by_role("menuitem", name="Sign out")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.press("Enter")

    expect(jobs_page.dialog).to_contain_text("All your 3 jobs will be deleted")
    phrase = jobs_page.dialog.get_by_label("to confirm")
    phrase.press_sequentially("erase")
    phrase.press("Enter")
    expect(jobs_page.dialog.get_by_text("Please type exactly: erase everything")).to_be_visible()
    phrase.press_sequentially(" everything")
    phrase.press("Enter")

    password = jobs_page.dialog.get_by_label("Password", exact=True)
    password.fill("not-the-password")
    expect_fits_and_no_violations(page, "signing_in_again")
    password.press("Enter")
    expect(jobs_page.dialog.get_by_text("the password is wrong")).to_be_visible()
    page.unroute(_ERASE)
    page.route(_PROGRESS, lambda route: _answer(route, 200, {"state": "pending", "jobs": 1_000, "deleted": 600}))
    password.fill(PASSWORD)
    password.press("Enter")
    expect(page.get_by_text("600 of 1000")).to_be_visible()
    expect_fits_and_no_violations(page, "erasure_under_way")
    page.unroute(_PROGRESS)

    expect(page.get_by_text("All your 3 jobs are deleted.")).to_be_visible()
    expect(page.get_by_role("heading", name="No videos yet")).to_be_visible()
    jobs_page.expect_counts(all=0, completed=0, failed=0)
    wait_until(lambda: not any(map(shelf.objects, jobs)))
    assert "name" not in (shelf.document(jobs[0]).get().to_dict() or {})

    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_text("All your 3 jobs are deleted.")).to_have_count(0)
    jobs_page.filter("Deleted").click()
    expect(jobs_page.cards).to_have_count(3)


def erase_everything(jobs_page: JobsPage) -> None:
    # With a key: messages at the top may cover the menu for some seconds.
    jobs_page.open_menu().get_by_role("menuitem", name="Erase everything").press("Enter")
    jobs_page.dialog.get_by_label("to confirm").fill("erase everything")
    jobs_page.dialog.get_by_role("button", name="Erase everything").click()


def _answer(route: Route, status: int, body: dict[str, Any]) -> None:
    kind = "application/json" if status < 400 else "application/problem+json"
    route.fulfill(status=status, content_type=kind, body=json.dumps(body))
