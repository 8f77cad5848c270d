"""Several tabs tell once that a job is done. What one tells: frontend/tests/page-session.test.tsx."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.clock import Clock
from tests.e2e.faults import PAGE, POLL
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until

PLAIN = "Jobs · NuuMee"
_NOTE_NOTIFICATIONS = """
    window.notified = [];
    window.Notification = class {
        static get permission() { return localStorage.getItem("test:permission") ?? "default"; }
        static async requestPermission() {
            localStorage.setItem("test:permission", "granted");
            return "granted";
        }
        constructor(title) { window.notified.push(title); }
    };
"""

_NOTE_CHANGES = """
    async () => {
        localStorage.setItem("test:permission", "denied");
        window.permission = await navigator.permissions.query({ name: "notifications" });
        window.permission.addEventListener("change", () => { window.changed = true; });
    }
"""


def notified(page: Page) -> list[str]:
    """The notifications that the page has shown since it was opened."""
    return list(page.evaluate("window.notified"))


def pass_time(clocks: list[Clock], until: Callable[[], bool], *, within: int) -> None:
    """Advance all tabs' time in steps of two seconds. Each request has its response before the time goes on."""
    for _ in range(0, within, 2):
        if until():
            return
        clocks[0].run(seconds=2)  # for all tabs alike
        for clock in clocks:
            clock.wait_for_answers()


def icon(page: Page) -> str:
    return str(page.locator('link[rel="icon"]').evaluate("link => new URL(link.href).pathname"))


def test_of_hidden_tabs_one_tells_once_what_is_done_after_one_has_turned_that_on_until_it_is_seen_or_not_allowed(
    context: BrowserContext, jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    context.add_init_script(_NOTE_NOTIFICATIONS)
    # Without a window, Chromium tells of changed permissions, but Notification.permission stays "denied".
    context.grant_permissions(["notifications"])
    job, other = shelf.add("processing", media=False, name="First try"), shelf.add("queued", media=False)
    tabs = [page, context.new_page()]
    clocks = [Clock(tab) for tab in tabs]
    clocks[1].open_hidden()
    jobs_page.open()
    behind = JobsPage(tabs[1]).open(wait=False)
    expect(page).to_have_title(PLAIN)
    jobs_page.open_menu().get_by_role("menuitemcheckbox", name="Notify me of finished jobs").click()
    expect(jobs_page.open_menu().get_by_role("menuitemcheckbox", checked=True)).to_be_visible()
    page.keyboard.press("Escape")
    behind.wait_for_cards()
    for clock in clocks:
        clock.stop()
        clock.hide_page()
    (first,) = notified(page)
    shelf.document(job).update({"status": "completed"})
    said = f"Job {job[:8]} is now completed."
    pass_time(clocks, lambda: all(JobsPage(tab).announcer.text_content() == said for tab in tabs), within=62)
    for tab, clock in zip(tabs, clocks, strict=True):
        expect(JobsPage(tab).announcer).to_have_text(said)
        last, now = sorted(clock.times(PAGE) + clock.times(POLL))[-2:]
        assert now - last == pytest.approx(60, abs=2)
    wait_until(lambda: sorted(map(icon, tabs)) == ["/icon-done.svg", "/icon.svg"])
    titles = [tab.title() for tab in tabs]
    assert sorted("done" in title for title in titles) == [False, True]
    assert f"✓ 1 done · {PLAIN}" in titles
    assert sorted(title for tab in tabs for title in notified(tab)) == sorted([first, "First try is done"])

    clocks[0].show_page()
    for tab in tabs:
        expect(tab).to_have_title(re.compile(rf"^Queued .*{PLAIN}$"))
        assert icon(tab) == "/icon.svg"
    clocks[0].hide_page()
    polls = [clock.times(POLL) for clock in clocks]
    page.evaluate(_NOTE_CHANGES)
    context.clear_permissions()
    page.wait_for_function("window.changed", polling=100)
    clocks[0].run(seconds=600)
    assert [clock.times(POLL) for clock in clocks] == polls
    assert other in jobs_page.ids()
