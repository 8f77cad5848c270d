"""Finding jobs by their ids or by a prefix. Names: see test_finding.py."""

from __future__ import annotations

import re
from collections.abc import Callable

from google.cloud import firestore, storage
from playwright.sync_api import Locator, Page, expect

from infra.local.stack import Stack
from infra.local.users import Account
from tests.e2e.clock import Clock
from tests.e2e.jobs_page import JobsPage, wait_for_dialog
from tests.e2e.shelf import Shelf
from tests.jobs import new_id
from tests.waiting import wait_until


def test_a_job_is_found_by_its_id_or_its_beginning_and_nothing_else_is(
    jobs_page: JobsPage,
    page: Page,
    shelf: Shelf,
    stack: Stack,
    database: firestore.Client,
    buckets: storage.Client,
    new_account: Callable[[], Account],
) -> None:
    failed = shelf.add_many(41, "failed")
    begin = new_id()[:10]
    alike = [shelf.add(status, media=False, id=begin + new_id()) for status in ("failed", "completed")]
    another_users = Shelf(stack.settings, database, buckets, new_account().user_id).add(media=False)
    jobs_page.open()
    on_the_last_page = failed[-1]
    search(jobs_page, on_the_last_page)
    jobs_page.expect_ids([on_the_last_page])
    jobs_page.expect_range(1, 1, 1)
    jobs_page.expect_counts(all=43, failed=42)

    search(jobs_page, begin)
    jobs_page.expect_ids(sorted(alike))

    search(jobs_page, another_users)
    expect(page.get_by_role("heading", name="No job found")).to_be_visible()
    expect(jobs_page.cards).to_have_count(0)

    expect_explained_without_a_request(jobs_page)

    jobs_page.open("?q=nobody", wait=False)
    expect(
        page.get_by_text("None of your job names or ids begins with \N{LEFT DOUBLE QUOTATION MARK}nobody")
    ).to_be_visible()
    page.get_by_role("button", name="Show all jobs").press("Enter")
    jobs_page.expect_ids([*alike[::-1], *failed[:18]])
    assert jobs_page.focused() == "jobs-title"


def expect_explained_without_a_request(jobs_page: JobsPage) -> None:
    """Search for what can begin neither ids nor names."""
    page = jobs_page.page
    requests = len(jobs_page.requests)
    for nonsense in ("two words " * 9, "a" * 81 + "%"):
        search(jobs_page, nonsense)
        problem = page.get_by_role("search").get_by_role("alert")
        expect(problem).to_have_text(
            "Names have at most 80 characters. Job ids contain only letters, digits, - and _."
        )
        expect(box(jobs_page)).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_text(f"begins with \N{LEFT DOUBLE QUOTATION MARK}{nonsense.strip()}")).to_be_visible()
    assert len(jobs_page.requests) == requests


def test_a_search_starts_when_typing_pauses_unless_a_filter_is_chosen_before_and_keeps_details_open(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    typed, given_up, sought, opened = shelf.add_many(4)
    failed = shelf.add_many(1, "failed")
    all_jobs = [*failed, typed, given_up, sought, opened]
    clock = Clock(page)
    jobs_page.open()
    clock.stop()
    for letter in typed[:6]:
        box(jobs_page).press(letter)
        clock.run(seconds=0.2)
    with page.expect_response(re.compile(f"id_prefix={typed[:6]}(&|$)")):
        clock.run(seconds=0.2)
    jobs_page.expect_ids([typed])
    assert len(jobs_page.requests) == 2
    page.clock.resume()  # several cards take time to appear
    page.get_by_role("button", name="Clear the search").click()
    jobs_page.expect_ids(all_jobs)
    clock.stop()

    box(jobs_page).press_sequentially(given_up[:6])
    jobs_page.filter("Failed").click()
    clock.run(seconds=1)
    jobs_page.expect_ids(failed)
    expect(box(jobs_page)).to_have_value("")
    expect(page).to_have_url(re.compile(r"/jobs/\?status=failed$"))
    assert jobs_page.asked(id_prefix=given_up[:6]) == []
    page.clock.resume()
    jobs_page.filter("All").click()
    jobs_page.expect_ids(all_jobs)
    clock.stop()

    box(jobs_page).press_sequentially(sought[:6])
    jobs_page.button(opened, "Details").click()
    expect(jobs_page.dialog).to_have_accessible_name(re.compile(opened[:8]))
    clock.run(seconds=1)
    expect(page).to_have_url(re.compile(f"[?&]q={sought[:6]}"))
    wait_until(lambda: page.evaluate("1") and jobs_page.asked(id_prefix=sought[:6]))
    page.clock.resume()
    expect(jobs_page.card(opened)).to_have_count(0)
    expect(jobs_page.dialog).to_have_accessible_name(re.compile(opened[:8]))
    wait_for_dialog(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    jobs_page.expect_ids([sought])


def test_a_filter_clears_the_search_and_a_search_clears_the_filter(jobs_page: JobsPage, shelf: Shelf) -> None:
    completed = shelf.add_many(1)
    failed = shelf.add_many(2, "failed")
    jobs_page.open("?status=failed")
    search(jobs_page, completed[0])
    jobs_page.expect_ids(completed)
    for name in ("All", "Failed"):
        expect(jobs_page.filter(name)).to_have_attribute("aria-pressed", "false")
    jobs_page.filter("Failed").click()
    jobs_page.expect_ids(failed)
    expect(box(jobs_page)).to_have_value("")


def test_a_search_even_if_sent_twice_is_one_step_back_and_stays_until_it_is_cleared(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    ids = shelf.add_many(2)
    jobs_page.open()
    search(jobs_page, ids[1])
    jobs_page.expect_ids(ids[1:])
    page.go_back()
    jobs_page.expect_ids(ids)
    expect(box(jobs_page)).to_have_value("")
    page.go_forward()
    jobs_page.expect_ids(ids[1:])
    expect(box(jobs_page)).to_have_value(ids[1])
    page.reload()
    jobs_page.expect_ids(ids[1:])
    expect(box(jobs_page)).to_have_value(ids[1])
    page.get_by_role("button", name="Clear the search").click()
    jobs_page.expect_ids(ids)
    expect(box(jobs_page)).to_be_focused()
    expect(box(jobs_page)).to_have_value("")

    # Sent twice, a search is one step back: as by a pause and by Enter on a slow device, which has not drawn the
    # address that the pause changed.
    box(jobs_page).fill(ids[1])
    box(jobs_page).evaluate("box => { box.form.requestSubmit(); box.form.requestSubmit(); }")
    jobs_page.expect_ids(ids[1:])
    page.go_back()
    jobs_page.expect_ids(ids)


def box(jobs_page: JobsPage) -> Locator:
    return jobs_page.page.get_by_role("textbox", name="Search all jobs by id")


def search(jobs_page: JobsPage, text: str) -> None:
    box(jobs_page).fill(text)
    box(jobs_page).press("Enter")
