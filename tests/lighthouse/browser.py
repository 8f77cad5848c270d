"""Measures in a Chromium of its own, as a new visitor who is signed in already: with Lighthouse and without."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL
from typing import Any, NamedTuple

import requests
from playwright.sync_api import Browser, CDPSession, Playwright, sync_playwright

from infra.local import browser as chromium
from infra.local import ports
from infra.local.stack import Stack
from infra.local.users import Account
from infra.stage import ROOT
from tests.benchmarks.load import memory_mib
from tests.e2e.jobs_page import sign_in
from tests.e2e.states import settle
from tests.e2e.test_saving import FOLDER, NO_FOLDERS
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
# Clicks when nothing is attached to the page any more. The page's title tells how far it is.
_SAVE = """button => {
    document.title = "waiting";
    setTimeout(() => {
        document.title = "saving";
        button.click();
        setInterval(() => {
            const told = [...document.querySelectorAll("[role=dialog] :is([role=status], [role=alert])")];
            const said = told.map(one => one.textContent).join("");
            if (said) document.title = said;
        }, 100);
    }, 5000);
}"""


class _Running(NamedTuple):
    """A Chromium."""

    port: int
    """Of its debugging protocol."""
    group: int
    """Of its processes."""


def report(url: str, name: str, local: Stack, account: Account, password: str) -> dict[str, Any]:
    """Lighthouse's report of the URL on a throttled phone, which is its default.

    The browser's profile is new, so nothing is in a cache, and nothing in it stems from an earlier run.
    """
    with _signed_in(local, account, password) as running:
        path = REPORTS / name
        options = (f"--port={running.port}", "--disable-storage-reset", "--quiet", "--no-enable-error-reporting")
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
    with _signed_in(local, account, password) as running, sync_playwright() as playwright:
        page = _attached(playwright, running).contexts[0].new_page()
        page.goto(url)
        page.get_by_role("article").first.wait_for()
        settle(page)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        before = _busy(devtools)
        page.wait_for_timeout(1000 * seconds)
        return 1000 * (_busy(devtools) - before)


def memory_of_saving(url: str, videos: int, is_zip: bool, local: Stack, account: Account, password: str) -> float:
    """By how many megabytes the whole browser grows at most while this page saves the videos of all its jobs.

    They are saved into the browser's own storage, as a zip file or as into a folder. Nothing is attached to the
    page meanwhile: a debugger keeps what is received. Linux alone tells how much memory there is.
    """
    with _signed_in(local, account, password) as running:
        with sync_playwright() as playwright:
            attached = _attached(playwright, running)
            page = attached.contexts[0].new_page()
            page.add_init_script(NO_FOLDERS if is_zip else FOLDER)
            page.goto(url)
            boxes = page.get_by_role("article").get_by_role("checkbox")
            boxes.first.check()
            boxes.nth(videos - 1).click(modifiers=["Shift"])
            page.get_by_role("region", name="Selected jobs").get_by_role("button", name="Download").click()
            way = "Save as a zip file" if is_zip else "Choose a folder"
            page.get_by_role("dialog").get_by_role("button", name=way).evaluate(_SAVE)
            attached.close()
        seen: dict[str, list[float]] = {"waiting": [], "saving": []}
        until = time.monotonic() + _ENDS_WITHIN
        while (title := _title(running, url)) in seen and time.monotonic() < until:
            seen[title].append(memory_mib(running.group))
    if title != f"{videos} videos saved." or not all(seen.values()):
        raise RuntimeError(f"the saving could not be measured; the page says: {title}")
    return (max(seen["saving"]) - min(seen["waiting"])) * 1.048576


def _title(running: _Running, url: str) -> str:
    """The title of the page at the URL, which is asked for without attaching to it."""
    pages = requests.get(f"http://127.0.0.1:{running.port}/json/list", timeout=30).json()
    return next(str(page["title"]) for page in pages if page["url"].startswith(url))


def _attached(playwright: Playwright, running: _Running) -> Browser:
    return playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{running.port}")


def _busy(devtools: CDPSession) -> float:
    """Seconds: https://chromedevtools.github.io/devtools-protocol/tot/Performance/#method-getMetrics"""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float({one["name"]: one["value"] for one in metrics}["TaskDuration"])


@contextmanager
def _signed_in(local: Stack, account: Account, password: str) -> Iterator[_Running]:
    executable = chromium.find()
    if executable is None:
        raise RuntimeError("there is no Chromium on this machine: make test installs one")
    port = ports.any_free(("debugging",))["debugging"]
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()  # root never has a sandbox
    with tempfile.TemporaryDirectory(prefix="nuumee-", ignore_cleanup_errors=True) as profile:
        own = (f"--user-data-dir={profile}", f"--remote-debugging-port={port}")
        command = (str(executable), *_FLAGS, *root, *own, "about:blank")
        # What the page saves goes with the profile, not into the user's own downloads.
        preferences = Path(profile) / "Default" / "Preferences"
        preferences.parent.mkdir()
        preferences.write_text(json.dumps({"download": {"default_directory": profile}}))
        # The program may be a script that starts the browser, so all of its processes are ended together.
        process = subprocess.Popen(command, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True)
        try:
            wait_until(lambda: ports.answers(port))
            running = _Running(port, process.pid)
            with sync_playwright() as playwright:
                _sign_in(_attached(playwright, running), local, account, password)
            yield running
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
