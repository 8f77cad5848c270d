"""What the page's Content-Security-Policy refuses.

Every other test fails if the policy refuses something, because it then shows in the console.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from infra.local.stack import Stack
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until

ELSEWHERE = "https://elsewhere.test"
INJECT = """
    (markup) => {
        const place = document.createElement("div");
        document.body.append(place);
        place.append(document.createRange().createContextualFragment(markup));
    }
"""
REFUSED = [
    ("<script>window.injected = true</script>", "script-src-elem"),
    ("<img src='/icon.svg' onload='window.injected = true'>", "script-src-attr"),
    (f"<script src='{ELSEWHERE}/a.js'></script>", "script-src-elem"),
    (f"<img src='{ELSEWHERE}/a.png'>", "img-src"),
    (f"<iframe src='{ELSEWHERE}/'></iframe>", "frame-src"),
    (f"<base href='{ELSEWHERE}/'>", "base-uri"),
]
"""Markup, and the directive that refuses it."""
WATCH = """
    window.refused = [];
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) =>
        window.refused.push(effectiveDirective));
"""


@pytest.fixture
def origins(stack: Stack) -> list[str]:
    """With one that a request is made for, and refused."""
    return [stack.url, stack.storage_url, ELSEWHERE]


def test_what_is_injected_into_the_page_neither_runs_nor_loads(
    jobs_page: JobsPage, page: Page, shelf: Shelf, stack: Stack, expected_errors: list[str]
) -> None:
    expected_errors.append("Content Security Policy")
    page.add_init_script(WATCH)
    shelf.add()
    jobs_page.open()
    expect(jobs_page.cards).to_have_count(1)
    assert page.evaluate("window.refused") == []
    anybodys = f"{stack.storage_url}/anybodys-bucket/a"
    refused = [
        *REFUSED,
        (f"<img src='{anybodys}.png'>", "img-src"),
        (f"<video src='{anybodys}.mp4'></video>", "media-src"),
        (f"<iframe src='{anybodys}.mp4'></iframe>", "frame-src"),
    ]
    for markup, _ in refused:
        page.evaluate(INJECT, markup)
    page.evaluate(f"fetch('{ELSEWHERE}/').catch(() => 0)")
    expected = sorted([*(directive for _, directive in refused), "connect-src"])
    wait_until(lambda: sorted(page.evaluate("window.refused")) == expected)
    assert page.evaluate("window.injected") is None


def test_a_page_that_is_not_there_is_shown_without_a_complaint(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append("status of 404")
    page.add_init_script(WATCH)
    page.goto("/nowhere/")
    expect(page.get_by_role("heading")).to_be_visible()
    assert page.evaluate("window.refused") == []
