"""The user is told that a job is done, and sees how long it may take."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

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


def test_of_two_hidden_tabs_one_tells_once_that_a_job_is_done_until_the_page_is_seen(
    context: BrowserContext, jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    context.add_init_script(_NOTE_NOTIFICATIONS)
    job, other = shelf.add("processing", media=False, name="First try"), shelf.add("queued", media=False)
    tabs = [page, context.new_page()]
    clocks = [Clock(tab) for tab in tabs]
    for tab in tabs:
        JobsPage(tab).open()
        expect(tab).to_have_title(PLAIN)
    assert notified(page) == []
    jobs_page.open_menu().get_by_role("menuitemcheckbox", name="Notify me of finished jobs").click()
    expect(jobs_page.open_menu().get_by_role("menuitemcheckbox", checked=True)).to_be_visible()
    page.keyboard.press("Escape")
    (first,) = notified(page)
    for clock in clocks:
        clock.stop()
        clock.hide_page()

    def end(ended: str, fields: dict[str, str]) -> None:
        """Let the job end, and both tabs see it."""
        shelf.document(ended).update(fields)
        said = f"Job {ended[:8]} is now {fields['status']}."
        pass_time(clocks, lambda: all(JobsPage(tab).announcer.text_content() == said for tab in tabs), within=62)
        for tab, clock in zip(tabs, clocks, strict=True):
            expect(JobsPage(tab).announcer).to_have_text(said)
            last, now = sorted(clock.times(PAGE) + clock.times(POLL))[-2:]
            assert now - last == pytest.approx(60, abs=2)

    end(job, {"status": "completed"})
    wait_until(lambda: sorted(map(icon, tabs)) == ["/icon-done.svg", "/icon.svg"])
    assert sorted(tab.title() for tab in tabs)[1] == f"✓ 1 done · {PLAIN}"
    end(other, {"status": "failed"})
    wait_until(lambda: any("✗ 1 failed" in tab.title() for tab in tabs))
    now = datetime.now(UTC)
    shelf.add(media=False, name="Started meanwhile", created_at=now, completed_at=now)

    def told() -> list[str]:
        return [title for tab in tabs for title in notified(tab)]

    # One tab may have looked just before, and looks again only minutes later.
    pass_time(clocks, lambda: all(JobsPage(tab).cards.count() == 3 for tab in tabs), within=301)
    wait_until(lambda: "Started meanwhile is done" in told())
    for tab in tabs:
        expect(JobsPage(tab).cards).to_have_count(3)
    ends = ["First try is done", "Animation has failed", "Started meanwhile is done"]
    assert sorted(told()) == sorted([first, *ends])

    clocks[0].show_page()
    for tab in tabs:
        expect(tab).to_have_title(PLAIN)
        assert icon(tab) == "/icon.svg"
        tab.reload()
        JobsPage(tab).cards.first.wait_for()
        assert notified(tab) == []


def test_hidden_tabs_tell_as_soon_as_another_one_has_turned_notifications_on(
    context: BrowserContext, jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    context.add_init_script(_NOTE_NOTIFICATIONS)
    old, job = shelf.add("processing", media=False), shelf.add("processing", media=False, name="First try")
    clocks = [Clock(page)]
    jobs_page.open()
    clocks[0].hide_page()
    shelf.complete(old)
    on, unloaded = context.new_page(), context.new_page()
    clocks.append(Clock(unloaded))
    clocks[1].open_hidden()
    unloaded.goto(page.url)
    JobsPage(on).open()
    menu = JobsPage(on).open_menu
    menu().get_by_role("menuitemcheckbox", name="Notify me of finished jobs").click()
    expect(menu().get_by_role("menuitemcheckbox", checked=True)).to_be_visible()
    on.close()
    clocks[0].stop()
    tabs = [jobs_page, JobsPage(unloaded)]
    pass_time(clocks, lambda: all(tab.card(old).get_by_text("Completed").count() for tab in tabs), within=62)
    for tab in tabs:
        expect(tab.card(old)).to_contain_text("Completed")
        expect(tab.page).to_have_title(re.compile("^Processing "))
    shelf.complete(job)
    said = f"Job {job[:8]} is now completed."
    pass_time(clocks, lambda: all(tab.announcer.text_content() == said for tab in tabs), within=62)
    wait_until(lambda: notified(page) + notified(unloaded) == ["First try is done"])
    assert sorted(tab.title() for tab in (page, unloaded)) == [PLAIN, f"✓ 1 done · {PLAIN}"]


def test_a_hidden_tab_asks_nothing_more_once_the_browser_no_longer_allows_notifications(
    context: BrowserContext, jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    # Without a window, Chromium tells of changed permissions, but Notification.permission stays "denied".
    context.add_init_script(_NOTE_NOTIFICATIONS)
    context.grant_permissions(["notifications"])
    shelf.add("processing", media=False)
    clock = Clock(page)
    jobs_page.open()
    jobs_page.open_menu().get_by_role("menuitemcheckbox", name="Notify me of finished jobs").click()
    expect(jobs_page.open_menu().get_by_role("menuitemcheckbox", checked=True)).to_be_visible()
    clock.stop()
    clock.hide_page()
    clock.run_to_next(POLL, within=62)
    before = clock.times(POLL)
    page.evaluate(_NOTE_CHANGES)
    context.clear_permissions()
    page.wait_for_function("window.changed", polling=100)
    clock.run(seconds=600)
    assert clock.times(POLL) == before


def test_a_card_says_what_is_usual_and_what_takes_longer_and_what_has_stalled(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    now = datetime.now(UTC)
    for minutes in (2, 3, 3, 4, 4):
        created = now - timedelta(hours=2)
        shelf.add(media=False, created_at=created, completed_at=created + timedelta(minutes=minutes))
    long_ago = now - timedelta(hours=25)
    stalled = shelf.add("queued", media=False, created_at=long_ago, updated_at=long_ago)
    started = now - timedelta(minutes=1)
    moving = shelf.add("processing", media=False, created_at=started, updated_at=started)
    clock = Clock(page)
    jobs_page.open()
    expect(jobs_page.card(moving).get_by_text("usually 2\N{EN DASH}4 min")).to_be_visible()
    expect(jobs_page.card(stalled).get_by_text("Stalled: no change for 1d 1h")).to_be_visible()
    clock.stop()
    clock.run_to_next(POLL, within=11)
    assert parse_qs(urlsplit(jobs_page.asked()[-1].url).query)["ids"] == [moving]
    clock.run(seconds=240)
    expect(jobs_page.card(moving).get_by_text("Taking longer than usual")).to_be_visible()
    assert page.title().startswith("Processing 5m ")
    assert page.title().endswith(f"s · {PLAIN}")
