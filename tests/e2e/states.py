"""Every state of the page, and how to reach it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.faults import problem, unavailable
from tests.e2e.jobs_page import SESSION, JobsPage
from tests.e2e.posters import ALL, tell_of
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until

State = Callable[[JobsPage, Shelf], None]
_UNAVAILABLE = unavailable("The service cannot be reached at the moment. Please try again shortly.")
_ALL = ("pending", "queued", "processing", "completed", "failed", "watermarking")


def sign_in(jobs: JobsPage, shelf: Shelf) -> None:
    _forget_session(jobs.page)
    jobs.page.goto("/sign-in/")
    jobs.page.get_by_role("button", name="Sign in").wait_for()


def sign_in_refused(jobs: JobsPage, shelf: Shelf) -> None:
    _forget_session(jobs.page)
    jobs.page.goto("/sign-in/?reason=revoked")
    jobs.page.get_by_label("E-mail address").fill("nobody@nuumee.test")
    jobs.page.get_by_label("Password").fill("wrong")
    jobs.page.get_by_role("button", name="Sign in").click()
    expect(jobs.page.get_by_text("The e-mail address or the password is wrong.")).to_be_visible()


def loading(jobs: JobsPage, shelf: Shelf) -> None:
    jobs.page.route("**/api/v1/jobs?*", lambda route: None)  # never responds
    jobs.open(wait=False)
    jobs.page.get_by_text("Loading your jobs").first.wait_for(state="attached")
    jobs.page.get_by_role("button", name="Refresh the list").wait_for()


def cards(jobs: JobsPage, shelf: Shelf) -> None:
    for status in _ALL:
        shelf.add(status)
    shelf.add("completed", media=False, job_type="later", resolution=None, credits_charged=None)
    long_ago = datetime.now(UTC) - timedelta(hours=25)
    shelf.add("queued", media=False, created_at=long_ago, updated_at=long_ago)
    jobs.open()
    expect(jobs.page.get_by_text("Stalled: no change for")).to_be_visible()
    expect(jobs.page.get_by_text("Not available").first).to_be_visible()
    settle(jobs.page)


def last_page(jobs: JobsPage, shelf: Shelf) -> None:
    shelf.add_many(22)
    jobs.open("?page=2")
    expect(jobs.page.get_by_text(re.compile("21.22 of 22"))).to_be_visible()
    jobs.page.get_by_role("checkbox").first.check()
    jobs.page.get_by_role("button", name="Select all 22 that match").wait_for()


def selected(jobs: JobsPage, shelf: Shelf) -> None:
    for status in _ALL[2:5]:
        shelf.add(status)
    jobs.open()
    for box in jobs.page.get_by_role("checkbox").all()[:2]:
        box.check()
    jobs.page.get_by_text("2 selected").wait_for()
    settle(jobs.page)


def empty(jobs: JobsPage, shelf: Shelf) -> None:
    jobs.open(wait=False)
    jobs.page.get_by_text("No videos yet").wait_for()


def none_of_a_status(jobs: JobsPage, shelf: Shelf) -> None:
    shelf.add()
    jobs.open("?status=failed", wait=False)
    jobs.page.get_by_text("No failed jobs").wait_for()


def nothing_found(jobs: JobsPage, shelf: Shelf) -> None:
    jobs.open("?q=70eb9a0a", wait=False)
    jobs.page.get_by_text("No job found").wait_for()


def search_refused(jobs: JobsPage, shelf: Shelf) -> None:
    jobs.open(f"?q=no%20name{'!' * 80}", wait=False)
    jobs.page.get_by_text("Job ids contain only letters").wait_for()


def filtering(jobs: JobsPage, shelf: Shelf) -> None:
    jobs.open("?status=completed,failed&type=extend&from=2026-11-01&sort=oldest", wait=False)
    jobs.page.get_by_text("None of your jobs matches all of this").wait_for()
    jobs.page.get_by_role("button", name="Filter and sort").click()
    jobs.dialog.get_by_label("To").fill("2026-10-31")
    jobs.dialog.get_by_text("The first day must not be after the last.").wait_for()


def saving(jobs: JobsPage, shelf: Shelf) -> None:
    shelf.add(media=False)
    jobs.page.route("**/output", lambda route: None)  # never responds
    _open_folders(jobs.page)
    jobs.open()
    jobs.page.get_by_role("checkbox").check()
    _save_selected(jobs)
    jobs.dialog.get_by_role("progressbar").wait_for()


def saved(jobs: JobsPage, shelf: Shelf) -> None:
    shelf.add_many(8)
    jobs.page.route("**/output", lambda route: problem(route, 404, "The job has no output video."))
    _open_folders(jobs.page)
    jobs.open()
    jobs.page.get_by_role("checkbox").first.check()
    jobs.page.get_by_role("button", name="Select all 8").click()
    jobs.page.get_by_text("8 selected").wait_for()
    _save_selected(jobs)
    jobs.dialog.get_by_text("0 videos saved, 8 not.").wait_for()
    failures = jobs.dialog.get_by_role("list")
    assert failures.evaluate("list => list.scrollHeight > list.clientHeight"), "it needs no scrolling"


def _open_folders(page: Page) -> None:
    page.add_init_script("window.showDirectoryPicker = () => navigator.storage.getDirectory()")


def _save_selected(jobs: JobsPage) -> None:
    jobs.page.get_by_role("region", name="Selected jobs").get_by_role("button", name="Download").click()
    jobs.dialog.get_by_role("button", name="Choose a folder").click()


def failed_to_load(jobs: JobsPage, shelf: Shelf) -> None:
    jobs.page.route("**/api/v1/jobs?*", _UNAVAILABLE)
    jobs.open(wait=False)
    jobs.page.get_by_text("Your jobs could not be loaded").wait_for()


def out_of_date(jobs: JobsPage, shelf: Shelf) -> None:
    shelf.add()
    jobs.open()
    jobs.page.route("**/api/v1/jobs?*", _UNAVAILABLE)
    jobs.page.get_by_role("button", name="Refresh the list").click()
    jobs.page.get_by_text("The list may be out of date").wait_for()
    settle(jobs.page)


def offline(jobs: JobsPage, shelf: Shelf) -> None:
    shelf.add("processing")
    jobs.open()
    settle(jobs.page)
    jobs.page.context.set_offline(True)
    jobs.page.get_by_text("You are offline").wait_for()


def preview_of_an_image(jobs: JobsPage, shelf: Shelf) -> None:
    job = shelf.add()
    jobs.open().tile(job, "reference image").click()
    expect(jobs.dialog.get_by_role("img")).to_have_js_property("complete", True)


def preview_of_a_video(jobs: JobsPage, shelf: Shelf) -> None:
    job = shelf.add()
    jobs.open().tile(job, "output video").click()
    wait_until(lambda: jobs.page.evaluate("document.querySelector('[role=dialog] video')?.currentTime > 0.3"))
    jobs.dialog.locator("video").evaluate("video => video.pause()")  # which changes no element


def media_side_by_side(jobs: JobsPage, shelf: Shelf) -> None:
    job = shelf.add()
    jobs.open().tile(job, "output video").click()
    jobs.dialog.get_by_role("button", name="Side by side").click()
    playing = "videos => videos.length === 2 && videos.every(video => video.currentTime > 0.3)"
    wait_until(lambda: jobs.dialog.locator("video").evaluate_all(playing))


def details_of_a_completed_job(jobs: JobsPage, shelf: Shelf) -> None:
    end = datetime.now(UTC) + timedelta(days=7)
    recipe = {"extension_prompt": "She turns around.", "seed": 7, "source_job_id": shelf.add(media=False)}
    _details(jobs, shelf, "completed", share_expires_at=end, name="First try", **recipe)
    expect(jobs.dialog.get_by_label("The link ends")).to_have_value(re.compile("^On "))
    jobs.dialog.get_by_role("button", name="Rename").click()


def details_of_a_failed_job(jobs: JobsPage, shelf: Shelf) -> None:
    _details(jobs, shelf, "failed")


def details_of_an_active_job(jobs: JobsPage, shelf: Shelf) -> None:
    _details(jobs, shelf, "queued")


def cards_with_posters(jobs: JobsPage, shelf: Shelf) -> None:
    ids = [shelf.add(status) for status in _ALL]
    for job in ids:
        shelf.add_posters(job)
    tell_of(jobs.page, dict.fromkeys(ids, ALL))
    jobs.open()
    settle(jobs.page)


def cards_in_a_grid(jobs: JobsPage, shelf: Shelf) -> None:
    for status in _ALL:
        shelf.add(status, name="A name that is rather long for such a small card" if status == "failed" else None)
    shelf.add("completed", media=False)
    jobs.open()
    jobs.grid_toggle.click()
    settle(jobs.page)


def details_of_a_job_without_a_link(jobs: JobsPage, shelf: Shelf) -> None:
    _details(jobs, shelf, "completed", short_id=None, share_revoked_at=datetime.now(UTC))
    jobs.dialog.get_by_text("This job has no share link").wait_for()


def ending_a_link(jobs: JobsPage, shelf: Shelf) -> None:
    _details(jobs, shelf, "completed")
    jobs.dialog.get_by_role("button", name="End link").click()
    jobs.dialog.get_by_text("can never be restored").wait_for()


def details_of_no_job(jobs: JobsPage, shelf: Shelf) -> None:
    jobs.open("?job=gone", wait=False)
    jobs.page.get_by_text("There is no such job").wait_for()


def confirmation(jobs: JobsPage, shelf: Shelf) -> None:
    job = shelf.add("processing")
    jobs.open().button(job, "Delete").click()
    jobs.dialog.get_by_text("You can restore it for 7 days.").wait_for()


def deleting_several(jobs: JobsPage, shelf: Shelf) -> None:
    ids = [shelf.add("completed" if number else "failed") for number in range(3)]
    jobs.open()
    for box in jobs.page.get_by_role("checkbox").all():
        box.check()
    jobs.page.route(f"**/jobs/{ids[0]}", _UNAVAILABLE)
    jobs.page.get_by_role("button", name="Delete", exact=True).click()
    jobs.dialog.get_by_role("button", name="Delete 3 jobs").click()
    jobs.dialog.get_by_text("The service cannot be reached").wait_for()
    expect(jobs.dialog.get_by_text("Deleted", exact=True)).to_have_count(2)
    jobs.toasts.first.wait_for()
    _expect_opaque_toasts(jobs)


def cards_in_the_trash(jobs: JobsPage, shelf: Shelf) -> None:
    for status in _ALL[2:5]:
        shelf.add_deleted(status)
    shelf.add_deleted(name="A name that is rather long for such a small card")
    jobs.open("?deleted=true")
    jobs.page.get_by_role("checkbox").first.check()
    jobs.page.get_by_text("1 selected").wait_for()


def account_menu(jobs: JobsPage, shelf: Shelf) -> None:
    empty(jobs, shelf)
    jobs.open_menu().get_by_role("menuitem", name="Erase everything").wait_for()


def erasing_everything(jobs: JobsPage, shelf: Shelf) -> None:
    shelf.add(media=False)
    jobs.open().open_menu().get_by_role("menuitem", name="Erase everything").click()
    jobs.dialog.get_by_label("to confirm").press("Enter")
    jobs.dialog.get_by_text("Please type exactly").wait_for()


def messages(jobs: JobsPage, shelf: Shelf) -> None:
    job, other = shelf.add(), shelf.add(short_id=None, share_revoked_at=datetime.now(UTC))
    jobs.open().button(job, "Copy link").click()
    jobs.page.get_by_text("Link copied").wait_for()
    jobs.button(other, "Copy link").click()
    jobs.page.get_by_text("This job has no share link").wait_for()
    jobs.page.route("**/output", _UNAVAILABLE)
    jobs.button(job, "Download").click()
    jobs.page.get_by_text("could not be downloaded").wait_for()
    _expect_opaque_toasts(jobs)


def not_found(jobs: JobsPage, shelf: Shelf) -> None:
    jobs.page.goto("/nowhere/")
    jobs.page.get_by_text("There is nothing here").wait_for()


STATES: dict[str, State] = {
    state.__name__: state
    for state in (
        *(sign_in, sign_in_refused, loading, cards, last_page, selected, empty, none_of_a_status, nothing_found),
        *(
            search_refused,
            filtering,
            saving,
            saved,
            failed_to_load,
            out_of_date,
            offline,
            preview_of_an_image,
            preview_of_a_video,
        ),
        *(details_of_a_completed_job, details_of_a_failed_job, details_of_an_active_job, details_of_no_job),
        *(cards_with_posters, cards_in_a_grid, media_side_by_side, details_of_a_job_without_a_link, ending_a_link),
        *(
            confirmation,
            deleting_several,
            cards_in_the_trash,
            account_menu,
            erasing_everything,
            messages,
            not_found,
        ),
    )
}


def _expect_opaque_toasts(jobs: JobsPage) -> None:
    """Wait until they have faded in. Until then their text has too little contrast."""
    for toast in jobs.toasts.all():
        expect(toast).to_have_css("opacity", "1")


def _forget_session(page: Page) -> None:
    page.add_init_script(f"localStorage.removeItem('{SESSION}')")


def _details(jobs: JobsPage, shelf: Shelf, status: str, **changes: Any) -> None:
    job = shelf.add(status, **changes)
    jobs.open().button(job, "Details").click()
    jobs.dialog.get_by_text("Video type").wait_for()
    settle(jobs.page)


def settle(page: Page) -> None:
    """Wait until every visible tile has its picture."""
    page.locator("main [aria-busy=false]").wait_for()
    skeletons = ", ".join(f"{place} [data-testid=skeleton]" for place in ("article button", "[role=dialog]"))
    loading_tiles = f"[...document.querySelectorAll({skeletons!r})]"
    in_sight = "e => { const { top, bottom } = e.getBoundingClientRect(); return bottom > 0 && top < innerHeight }"
    wait_until(lambda: page.evaluate(f"!{loading_tiles}.some({in_sight})"))
