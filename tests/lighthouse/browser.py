"""Runs Lighthouse in a Chromium of its own, as a new visitor who is signed in already."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

from playwright.sync_api import Browser, CDPSession, sync_playwright

from infra.local import browser as chromium
from infra.local import ports
from infra.local.stack import Stack
from infra.local.users import Account
from infra.stage import ROOT
from tests.e2e.jobs_page import sign_in
from tests.e2e.states import settle
from tests.waiting import wait_until

REPORTS = ROOT / "artifacts" / "lighthouse"
"""Each report as JSON and as a page to read."""
CATEGORIES = ("performance", "accessibility", "best-practices")
_PROGRAM = Path(__file__).parent / "node_modules" / "lighthouse" / "cli" / "index.js"
_FLAGS = (
    *("--headless", "--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
)
_ENDS_WITHIN = 300
"""Seconds."""


def report(url: str, name: str, local: Stack, account: Account, password: str) -> dict[str, Any]:
    """Lighthouse's report of the URL on a throttled phone, which is its default.

    The browser's profile is new, so nothing is in a cache, and nothing in it stems from an earlier run.
    """
    with _signed_in(local, account, password) as port:
        path = REPORTS / name
        options = (f"--port={port}", "--disable-storage-reset", "--quiet", "--no-enable-error-reporting")
        wanted = (f"--only-categories={','.join(CATEGORIES)}", "--output=json", "--output=html")
        REPORTS.mkdir(parents=True, exist_ok=True)
        command = ("node", str(_PROGRAM), url, *options, *wanted, f"--output-path={path}")
        subprocess.run(command, check=True, timeout=_ENDS_WITHIN)
    result: dict[str, Any] = json.loads(path.with_name(f"{name}.report.json").read_text())
    if error := result.get("runtimeError"):
        raise RuntimeError(f"Lighthouse could not measure {name}: {error['message']}")
    return result


def main_thread(url: str, seconds: int, local: Stack, account: Account, password: str) -> float:
    """How many milliseconds of this time the main thread of a loaded page is busy that nobody touches."""
    with _signed_in(local, account, password) as port, sync_playwright() as playwright:
        page = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}").contexts[0].new_page()
        page.goto(url)
        page.get_by_role("article").first.wait_for()
        settle(page)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        before = _busy(devtools)
        page.wait_for_timeout(1000 * seconds)
        return 1000 * (_busy(devtools) - before)


def _busy(devtools: CDPSession) -> float:
    """Seconds: https://chromedevtools.github.io/devtools-protocol/tot/Performance/#method-getMetrics"""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float({one["name"]: one["value"] for one in metrics}["TaskDuration"])


@contextmanager
def _signed_in(local: Stack, account: Account, password: str) -> Iterator[int]:
    """A Chromium. Yields the port of its debugging protocol."""
    executable = chromium.find()
    if executable is None:
        raise RuntimeError("there is no Chromium on this machine: make test installs one")
    port = ports.any_free(("debugging",))["debugging"]
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()  # root never has a sandbox
    with tempfile.TemporaryDirectory(prefix="nuumee-", ignore_cleanup_errors=True) as profile:
        own = (f"--user-data-dir={profile}", f"--remote-debugging-port={port}")
        command = (str(executable), *_FLAGS, *root, *own, "about:blank")
        # The program may be a script that starts the browser, so all of its processes are ended together.
        process = subprocess.Popen(command, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True)
        try:
            wait_until(lambda: ports.answers(port))
            with sync_playwright() as playwright:
                running = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
                _sign_in(running, local, account, password)
            yield port
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _sign_in(browser: Browser, local: Stack, account: Account, password: str) -> None:
    context = browser.contexts[0]
    sign_in(context, local, account, password)
    page = context.new_page()
    page.goto(f"{local.url}/icon-done.svg")  # of the same origin, and no part of a visit
    page.close()
    browser.close()
