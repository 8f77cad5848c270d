"""One address serves the page to browsers and the API to clients."""

from __future__ import annotations

import re

import requests
from playwright.sync_api import Page, expect

from infra.local.stack import Stack
from tests.e2e.conftest import NewContext


def led_to_sign_in(page: Page) -> None:
    """Wait for the sign-in page, where a user without a session ends up. Closing a browser earlier may hang."""
    expect(page.get_by_label("Password")).to_be_visible()


def test_the_page_opens_at_the_address_that_make_dev_prints(page: Page, stack: Stack) -> None:
    answer = page.goto(stack.page_url)
    assert answer is not None
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    expect(page).to_have_title(re.compile("NuuMee"))
    led_to_sign_in(page)


def test_the_page_is_found_without_its_trailing_slash(page: Page, stack: Stack) -> None:
    page.goto("/jobs?status=failed", wait_until="commit")
    assert page.url.startswith(f"{stack.page_url}?status=failed")
    led_to_sign_in(page)


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
