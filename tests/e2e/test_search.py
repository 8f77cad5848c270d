"""A search in the browser's history. What one finds: frontend/tests/page-lists.test.tsx, page-cards.test.tsx."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf


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
