"""Deleting all jobs, from the account menu."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.conftest import PASSWORD
from tests.e2e.faults import HeldBack, failed_load, unavailable
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.test_accessibility import expect_fits_and_no_violations, violations
from tests.waiting import wait_until

_ERASE = re.compile(r"/jobs\?confirm=\d+$")
_SIGN_IN = re.compile(r"/accounts:signInWithPassword\?")
_PROGRESS = "**/api/v1/jobs/erasure"


def test_everything_is_erased_with_the_keyboard_alone(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("404"))  # there was no erasure before
    jobs = [shelf.add(name="A name"), shelf.add("failed"), shelf.add("processing")]
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
    expect(page.get_by_text("All your 3 jobs are deleted.")).to_be_visible()
    expect(page.get_by_role("heading", name="No videos yet")).to_be_visible()
    jobs_page.expect_counts(all=0, completed=0, failed=0)
    wait_until(lambda: not any(map(shelf.objects, jobs)))
    assert "name" not in (shelf.document(jobs[0]).get().to_dict() or {})

    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_text("All your 3 jobs are deleted.")).to_have_count(0)
    jobs_page.filter("Deleted").click()
    expect(jobs_page.cards).to_have_count(3)


def test_the_progress_is_shown_again_when_the_page_is_opened_while_an_erasure_runs(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    shelf.add(media=False)
    answers: list[dict[str, Any]] = [{"state": "done", "jobs": 1, "deleted": 1}]  # an earlier one

    def accept(route: Route) -> None:
        answers[0] = {"state": "pending", "jobs": 1_000, "deleted": 200}
        _answer(route, 202, {"message": "…", "erasure": "0" * 32})

    page.route(_PROGRESS, lambda route: _answer(route, 200, answers[0]))
    page.route(_ERASE, accept)
    jobs_page.open()
    erase_everything(jobs_page)
    expect(page.get_by_text("200 of 1000")).to_be_visible()

    answers[0] = {**answers[0], "deleted": 600}
    jobs_page.open()
    expect(page.get_by_text("600 of 1000")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Deleted so far")).to_have_js_property("value", 600)
    expect_fits_and_no_violations(page, "erasure_under_way")
    answers[0] = {**answers[0], "state": "done", "deleted": 1_001}
    expect(page.get_by_text("All your 1001 jobs are deleted.")).to_be_visible()
    assert not page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('erasing:'))")
    jobs_page.open()
    page.mouse.move(100, 100)
    page.get_by_role("region", name="Notifications").wait_for(state="attached")
    expect(page.get_by_text("jobs are deleted")).to_have_count(0)


def test_a_sign_in_that_is_too_old_is_asked_for_again_and_then_everything_is_erased(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors += [failed_load("401"), failed_load("400"), failed_load("404")]
    job = shelf.add(media=False)
    too_old = {"type": "https://nuumee.ai/problems/sign-in-too-old", "detail": "Please sign in again."}
    page.route(_ERASE, lambda route: _answer(route, 401, too_old))
    jobs_page.open()
    erase_everything(jobs_page)
    password = jobs_page.dialog.get_by_label("Password", exact=True)
    password.fill("not-the-password")
    expect_fits_and_no_violations(page, "signing_in_again")
    password.press("Enter")
    expect(jobs_page.dialog.get_by_text("the password is wrong")).to_be_visible()
    page.unroute(_ERASE)
    password.fill(PASSWORD)
    password.press("Enter")
    expect(page.get_by_text("Your job is deleted.")).to_be_visible()
    wait_until(lambda: (shelf.document(job).get().to_dict() or {}).get("deleted_at"))


def test_who_closes_the_dialog_before_the_answer_is_told_of_a_refusal(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors += [failed_load("503"), failed_load("404")]
    shelf.add(media=False)
    request = HeldBack(page, _ERASE)
    jobs_page.open()
    erase_everything(jobs_page)
    request.wait()
    page.keyboard.press("Escape")
    expect(jobs_page.dialog).to_have_count(0)
    request.let_go(unavailable("Firestore is not available now."))
    expect(jobs_page.toasts).to_contain_text("The request to erase everything failed")
    expect(jobs_page.toasts).to_contain_text("Firestore is not available now.")


def test_who_keeps_everything_while_signing_in_again_keeps_it(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors += [failed_load("401"), failed_load("404")]
    shelf.add(media=False)
    asked: list[str] = []
    too_old = {"type": "https://nuumee.ai/problems/sign-in-too-old", "detail": "Please sign in again."}

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        _answer(route, 401, too_old)

    page.route(_ERASE, refuse)
    sign_in = HeldBack(page, _SIGN_IN)
    jobs_page.open()
    erase_everything(jobs_page)
    jobs_page.dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    with page.expect_request(_SIGN_IN):
        page.keyboard.press("Enter")
    before = len(asked)
    jobs_page.dialog.get_by_role("button", name="Keep everything").click()
    expect(jobs_page.dialog).to_have_count(0)
    with page.expect_response("**/accounts:lookup*"):  # the sign-in's last request
        sign_in.let_go()
    page.wait_for_timeout(500)
    assert len(asked) == before


def erase_everything(jobs_page: JobsPage) -> None:
    # With a key: messages at the top may cover the menu for some seconds.
    jobs_page.open_menu().get_by_role("menuitem", name="Erase everything").press("Enter")
    jobs_page.dialog.get_by_label("to confirm").fill("erase everything")
    jobs_page.dialog.get_by_role("button", name="Erase everything").click()


def _answer(route: Route, status: int, body: dict[str, Any]) -> None:
    kind = "application/json" if status < 400 else "application/problem+json"
    route.fulfill(status=status, content_type=kind, body=json.dumps(body))
