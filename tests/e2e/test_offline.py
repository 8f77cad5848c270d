"""Without a connection or a part of the page. What it says of failures: frontend/tests/page-session.test.tsx."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.faults import failed_load
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf


def test_without_a_connection_jobs_stay_nothing_opens_or_is_deleted_and_the_page_says_so_until_it_is_back(
    jobs_page: JobsPage, context: BrowserContext, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("net::ERR_INTERNET_DISCONNECTED"))
    ids = shelf.add_many(2, "failed")
    jobs_page.open()
    context.set_offline(True)
    expect(banner(page)).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 420})
    page.evaluate("scrollTo(0, 1000)")
    assert page.evaluate("scrollY") > 100
    expect(banner(page)).to_be_in_viewport(ratio=1)
    jobs_page.button(ids[0], "Delete").click()
    # The component for messages cannot be loaded either.
    expect(page.get_by_role("alert").filter(has_text="This could not be opened")).to_contain_text(
        "The service cannot be reached."
    )
    jobs_page.expect_ids(ids)

    context.set_offline(False)
    expect(banner(page)).to_have_count(0)
    jobs_page.button(ids[0], "Delete").click()
    expect(jobs_page.dialog).to_have_accessible_name(f"Delete job {ids[0][:8]}?")

    page.reload()
    jobs_page.wait_for_cards()
    jobs_page.button(ids[0], "Delete").click()
    page.get_by_role("region", name="Notifications").wait_for(state="attached")
    context.set_offline(True)
    jobs_page.dialog.get_by_role("button", name="Delete job").click()
    expect(jobs_page.toasts).to_contain_text("The service cannot be reached.")
    jobs_page.expect_ids(ids)
    jobs_page.expect_counts(all=2, failed=2)

    context.set_offline(False)
    jobs_page.button(ids[0], "Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()
    jobs_page.expect_ids(ids[1:])


def test_a_page_whose_parts_a_deployment_has_removed_is_reloaded_once_and_then_says_so(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.extend([failed_load("404"), "Refused to execute script"])
    job = shelf.add("failed", media=False)
    jobs_page.open()
    loaded: list[str] = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    page.route(
        lambda url: "/_next/static/chunks/" in url and url not in loaded,
        lambda route: route.fulfill(status=404, body="gone"),
    )
    with page.expect_navigation():
        jobs_page.button(job, "Details").click()
    expect(page.get_by_role("alert").filter(has_text="This could not be opened")).to_contain_text(
        "Part of this page is missing, probably because there is a new version. Please reload it."
    )
    jobs_page.expect_ids([job])


def banner(page: Page) -> Locator:
    return page.get_by_role("status").filter(has_text=re.compile("^You are offline"))
