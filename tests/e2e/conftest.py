"""One browser for all page tests, and for each test a fresh profile, watched for errors and stray requests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import pytest
from google.cloud import firestore, storage
from playwright.sync_api import Browser, BrowserContext, BrowserType, Error, Page, expect, sync_playwright

from infra.local import browser as chromium
from infra.local.stack import PAGES, Stack
from infra.local.users import Account
from tests.conftest import PASSWORD
from tests.e2e.jobs_page import JobsPage, sign_in
from tests.e2e.shelf import Shelf
from tests.e2e.watch import Watch

_MILLISECONDS = 60_000
"""How long a busy machine may take to show something. Waits end as soon as it appears."""
_FLAGS = (
    *("--disable-gpu", "--in-process-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
# Only this machine can be reached. A request to anywhere else fails at once, and Watch reports it.
_THIS_MACHINE = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


class NewContext(Protocol):
    def __call__(self, **options: Any) -> BrowserContext: ...


# Scoped to the package, not the session: while Playwright runs, other tests cannot run their own event loops.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not (PAGES / "jobs" / "index.html").is_file():
        pytest.fail("the page is not built: make test builds it", pytrace=False)
    executable = chromium.find()
    if executable is None:
        pytest.fail("there is no Chromium on this machine: make test installs one", pytrace=False)
    expect.set_options(timeout=_MILLISECONDS)
    with sync_playwright() as playwright:
        running = launch(playwright.chromium, str(executable))
        yield running
        running.close()


def launch(kind: BrowserType, executable: str, hosts: Mapping[str, int] | None = None) -> Browser:
    """Start a browser that resolves each of `hosts` to a port on this machine, and no other name.

    Once in some thousands of starts Chromium crashes. All tests share it, so it is started again.
    """
    named = [f"MAP {host} 127.0.0.1:{port}" for host, port in (hosts or {}).items()]
    flags = (*_FLAGS, f"--host-resolver-rules={', '.join([*named, _THIS_MACHINE])}")
    # Many containers have no sandbox, and root never has one.
    sandboxes = [True, False, False] if os.geteuid() != 0 else [False, False, False]
    for sandbox in sandboxes[:-1]:
        try:
            return kind.launch(executable_path=executable, args=flags, chromium_sandbox=sandbox)
        except Error:
            continue
    return kind.launch(executable_path=executable, args=flags, chromium_sandbox=sandboxes[-1])


@pytest.fixture
def expected_errors() -> list[str]:
    """Regular expressions for the console errors that a test expects. The test appends to them."""
    return []


@pytest.fixture
def origins(stack: Stack) -> list[str]:
    """The origins to which the browser may send requests. The first is the page's own."""
    return [stack.url, stack.storage_url]


@pytest.fixture
def new_context(
    browser: Browser, origins: list[str], expected_errors: list[str], request: pytest.FixtureRequest
) -> Iterator[NewContext]:
    """Makes isolated profiles. Options are those of Playwright's new_context.

    Profiles ask for reduced motion, because drawing animations takes more CPU than everything else. Tests of
    motion or of a whole visit are marked `motion`.
    """
    moves = request.node.get_closest_marker("motion") is not None
    contexts: list[BrowserContext] = []
    watches: list[Watch] = []

    def make(**options: Any) -> BrowserContext:
        defaults = {
            "base_url": origins[0],
            "viewport": {"width": 1280, "height": 900},
            "locale": "en-US",
            "timezone_id": "UTC",
            "reduced_motion": "no-preference" if moves else "reduce",
            "permissions": ["clipboard-read", "clipboard-write"],
        }
        context = browser.new_context(**{**defaults, **options})
        context.set_default_timeout(_MILLISECONDS)
        contexts.append(context)
        watches.append(Watch(context, origins))
        return context

    yield make
    for context in contexts:
        context.close()
    for watch in watches:
        watch.check(expected_errors)


@pytest.fixture
def context(new_context: NewContext) -> BrowserContext:
    return new_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def shelf(stack: Stack, database: firestore.Client, buckets: storage.Client, account: Account) -> Shelf:
    """The jobs of `account`: none until the test adds some."""
    return Shelf(stack.settings, database, buckets, account.user_id)


@pytest.fixture
def jobs_page(context: BrowserContext, page: Page, stack: Stack, account: Account) -> JobsPage:
    """The Jobs page, signed in as `account` but not opened yet."""
    sign_in(context, stack, account, PASSWORD)
    return JobsPage(page)
