"""One address serves the page to browsers, of which test_session.py tells more, and the API to clients."""

from __future__ import annotations

import requests
from playwright.sync_api import expect

from infra.local.stack import Stack
from tests.e2e.conftest import NewContext


def test_without_script_the_page_says_what_it_needs(new_context: NewContext) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto("/jobs/")
    expect(page.locator("noscript p")).to_be_visible()  # Playwright finds no text in there
    expect(page.locator("noscript p")).to_contain_text("This page needs JavaScript.")
    expect(page.get_by_role("main")).to_have_count(0)  # hidden, with its endless "Loading your jobs"


def test_the_same_address_serves_the_api_to_its_clients(stack: Stack) -> None:
    for path in ("/jobs", "/api/v1/jobs"):
        answer = requests.get(stack.url + path, timeout=10)
        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
