"""Every state of the page, and how to reach it: visits that lead from one to the next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, Route, expect

from tests.e2e.faults import LIST, HeldBack, problem, unavailable
from tests.e2e.jobs_page import SESSION, JobsPage, wait_for_dialog
from tests.e2e.posters import ALL, tell_of
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until

Visit = Callable[[JobsPage, Shelf], Iterator[str]]
"""Yields the name of each state once the page is in it. It goes on in a window of the size that it began with."""
_UNAVAILABLE = unavailable("The service cannot be reached at the moment. Please try again shortly.")
_ALL = ("pending", "queued", "processing", "completed", "failed", "watermarking")
_OUTPUT = re.compile("/output$")


def signing_in(jobs: JobsPage, shelf: Shelf) -> Iterator[str]:
    _forget_session(jobs.page)
    jobs.page.goto("/sign-in/")
    button = jobs.page.get_by_role("button", name="Sign in")
    button.wait_for()
    yield "sign_in"

    jobs.page.goto("/sign-in/?reason=revoked")
    jobs.page.get_by_label("E-mail address").fill("nobody@nuumee.test")
    jobs.page.get_by_label("Password").fill("wrong")
    button.click()
    expect(jobs.page.get_by_text("The e-mail address or the password is wrong.")).to_be_visible()
    yield "sign_in_refused"


def without_jobs(jobs: JobsPage, shelf: Shelf) -> Iterator[str]:
    page = jobs.page
    held = HeldBack(page, LIST)
    jobs.open(wait=False)
    page.get_by_text("Loading your jobs").first.wait_for(state="attached")
    page.get_by_role("button", name="Refresh the list").wait_for()
    held.wait()
    yield "loading"

    page.route(LIST, _UNAVAILABLE)
    held.let_go(_UNAVAILABLE)
    page.get_by_text("Your jobs could not be loaded").wait_for()
    yield "failed_to_load"

    page.unroute(LIST)
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="No videos yet").wait_for()
    jobs.expect_counts(all=0, completed=0)
    expect(jobs.cards).to_have_count(0)
    yield "empty"

    jobs.open_menu().get_by_role("menuitem", name="Erase everything").wait_for()
    yield "account_menu"

    page.keyboard.press("Escape")
    box = page.get_by_role("textbox", name="Search all jobs by id")
    box.fill("70eb9a0a")
    page.get_by_text("No job found").wait_for()
    yield "nothing_found"

    box.fill(f"no name{'!' * 80}")
    page.get_by_text("Job ids contain only letters").wait_for()
    yield "search_refused"

    jobs.open("?status=completed,failed&type=extend&from=2026-11-01&sort=oldest", wait=False)
    page.get_by_text("None of your jobs matches all of this").wait_for()
    page.get_by_role("button", name="Filter and sort").click()
    jobs.dialog.get_by_label("To").fill("2026-10-31")
    jobs.dialog.get_by_text("The first day must not be after the last.").wait_for()
    yield "filtering"

    jobs.open("?job=gone", wait=False)
    page.get_by_text("There is no such job").wait_for()
    yield "details_of_no_job"

    page.goto("/nowhere/")
    page.get_by_text("There is nothing here").wait_for()
    yield "not_found"


def all_kinds_of_cards(jobs: JobsPage, shelf: Shelf) -> Iterator[str]:
    long = "A name that is rather long for such a small card"
    ids = [shelf.add(status, name=long if status == "failed" else None) for status in _ALL]
    shelf.add("completed", media=False, job_type="later", resolution=None, credits_charged=None)
    long_ago = datetime.now(UTC) - timedelta(hours=25)
    shelf.add("queued", media=False, created_at=long_ago, updated_at=long_ago)
    jobs.open()
    expect(jobs.page.get_by_text("Stalled: no change for")).to_be_visible()
    expect(jobs.page.get_by_text("Not available").first).to_be_visible()
    settle(jobs.page)
    yield "cards"

    jobs.grid_toggle.click()
    settle(jobs.page)
    yield "cards_in_a_grid"

    jobs.grid_toggle.click()
    for job in ids:
        shelf.add_posters(job)
    tell_of(jobs.page, dict.fromkeys(ids, ALL))
    jobs.open()
    settle(jobs.page)
    yield "cards_with_posters"


def pages_and_filters(jobs: JobsPage, shelf: Shelf) -> Iterator[str]:
    page = jobs.page
    shelf.add_many(22)
    for status in _ALL[2:5]:
        shelf.add_deleted(status)
    shelf.add_deleted(name="A name that is rather long for such a small card")
    jobs.open("?page=2")
    expect(page.get_by_text(re.compile("21.22 of 22"))).to_be_visible()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Select all 22 that match").wait_for()
    yield "last_page"

    jobs.filter("Failed").click()
    page.get_by_text("No failed jobs").wait_for()
    yield "none_of_a_status"

    jobs.filter("Deleted").click()
    jobs.wait_for_cards()
    page.get_by_role("checkbox").first.check()
    page.get_by_text("1 selected").wait_for()
    yield "cards_in_the_trash"


def saving_videos(jobs: JobsPage, shelf: Shelf) -> Iterator[str]:
    page = jobs.page
    shelf.add_many(8)
    held = HeldBack(page, _OUTPUT)
    page.add_init_script("window.showDirectoryPicker = () => navigator.storage.getDirectory()")
    jobs.open()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Select all 8").click()
    page.get_by_text("8 selected").wait_for()
    page.get_by_role("region", name="Selected jobs").get_by_role("button", name="Download").click()
    jobs.dialog.get_by_role("button", name="Choose a folder").click()
    jobs.dialog.get_by_role("progressbar").wait_for()
    held.wait()
    yield "saving"

    def without_output(route: Route) -> None:
        problem(route, 404, "The job has no output video.")

    page.route(_OUTPUT, without_output)
    held.let_go(without_output)
    jobs.dialog.get_by_text("0 videos saved, 8 not.").wait_for()
    failures = jobs.dialog.get_by_role("list")
    assert failures.evaluate("list => list.scrollHeight > list.clientHeight"), "it needs no scrolling"
    yield "saved"


def one_after_another(jobs: JobsPage, shelf: Shelf) -> Iterator[str]:
    page, dialog = jobs.page, jobs.dialog
    job, active = shelf.add(), shelf.add("processing")
    jobs.open().tile(job, "reference image").click()
    expect(dialog.get_by_role("img")).to_have_js_property("complete", True)
    yield "preview_of_an_image"

    _close_dialog(jobs)
    jobs.tile(job, "output video").click()
    wait_until(lambda: page.evaluate("document.querySelector('[role=dialog] video')?.currentTime > 0.3"))
    dialog.locator("video").evaluate("video => video.pause()")  # which changes no element
    yield "preview_of_a_video"

    dialog.get_by_role("button", name="Side by side").click()
    playing = "videos => videos.length === 2 && videos.every(video => video.currentTime > 0.3)"
    wait_until(lambda: dialog.locator("video").evaluate_all(playing))
    yield "media_side_by_side"

    _close_dialog(jobs)
    jobs.button(active, "Delete").click()
    dialog.get_by_text("You can restore it for 7 days.").wait_for()
    yield "confirmation"

    _close_dialog(jobs)
    page.route(LIST, _UNAVAILABLE)
    page.get_by_role("button", name="Refresh the list").click()
    page.get_by_text("The list may be out of date").wait_for()
    settle(page)
    yield "out_of_date"

    page.unroute(LIST)
    page.context.set_offline(True)
    page.get_by_text("You are offline").wait_for()
    yield "offline"


def details_and_links(jobs: JobsPage, shelf: Shelf) -> Iterator[str]:
    page = jobs.page
    source = shelf.add("pending", media=False)
    failed, queued = shelf.add("failed"), shelf.add("queued")
    without_link = shelf.add(short_id=None, share_revoked_at=datetime.now(UTC))
    completed = shelf.add(
        name="First try",
        share_expires_at=datetime.now(UTC) + timedelta(days=7),
        extension_prompt="She turns around.",
        seed=7,
        source_job_id=source,
    )
    # One or two cards at a time: axe-core also looks at those behind a dialog.
    jobs.open("?status=failed")
    _open_details(jobs, failed)
    yield "details_of_a_failed_job"

    _close_dialog(jobs)
    jobs.filter("Queued").click()
    _open_details(jobs, queued)
    yield "details_of_an_active_job"

    _close_dialog(jobs)
    jobs.filter("Completed").click()
    _open_details(jobs, without_link)
    jobs.dialog.get_by_text("This job has no share link").wait_for()
    yield "details_of_a_job_without_a_link"

    _close_dialog(jobs)
    _open_details(jobs, completed)
    expect(jobs.dialog.get_by_label("The link ends")).to_have_value(re.compile("^On "))
    jobs.dialog.get_by_role("button", name="Rename").click()
    yield "details_of_a_completed_job"

    page.keyboard.press("Escape")  # leaves the name as it is
    jobs.dialog.get_by_role("button", name="End link").click()
    jobs.dialog.get_by_text("can never be restored").wait_for()
    yield "ending_a_link"

    page.keyboard.press("Escape")  # leads back to the details
    jobs.dialog.get_by_text("can never be restored").wait_for(state="detached")
    _close_dialog(jobs)
    jobs.button(completed, "Copy link").click()
    page.get_by_text("Link copied").wait_for()
    jobs.button(without_link, "Copy link").click()
    page.get_by_text("This job has no share link").wait_for()
    page.route(_OUTPUT, _UNAVAILABLE)
    jobs.button(completed, "Download").click()
    page.get_by_text("could not be downloaded").wait_for()
    _expect_opaque_toasts(jobs)
    yield "messages"


def several(jobs: JobsPage, shelf: Shelf) -> Iterator[str]:
    ids = [shelf.add(status) for status in ("failed", "completed", "processing")]
    jobs.open().open_menu().get_by_role("menuitem", name="Erase everything").click()
    jobs.dialog.get_by_label("to confirm").press("Enter")
    jobs.dialog.get_by_text("Please type exactly").wait_for()
    yield "erasing_everything"

    _close_dialog(jobs)
    boxes = jobs.page.get_by_role("checkbox").all()
    for box in boxes[:2]:
        box.check()
    jobs.page.get_by_text("2 selected").wait_for()
    settle(jobs.page)
    yield "selected"

    boxes[2].check()
    jobs.page.route(f"**/jobs/{ids[0]}", _UNAVAILABLE)
    jobs.page.get_by_role("button", name="Delete", exact=True).click()
    jobs.dialog.get_by_role("button", name="Delete 3 jobs").click()
    jobs.dialog.get_by_text("The service cannot be reached").wait_for()
    expect(jobs.dialog.get_by_text("Deleted", exact=True)).to_have_count(2)
    jobs.toasts.first.wait_for()
    _expect_opaque_toasts(jobs)
    yield "deleting_several"


VISITS: tuple[Visit, ...] = (
    *(signing_in, without_jobs, all_kinds_of_cards, pages_and_filters),
    *(saving_videos, one_after_another, details_and_links, several),
)


def _expect_opaque_toasts(jobs: JobsPage) -> None:
    """Wait until they have faded in. Until then their text has too little contrast."""
    for toast in jobs.toasts.all():
        expect(toast).to_have_css("opacity", "1")


def _forget_session(page: Page) -> None:
    page.add_init_script(f"localStorage.removeItem('{SESSION}')")


def _open_details(jobs: JobsPage, job: str) -> None:
    jobs.button(job, "Details").click()
    jobs.dialog.get_by_text("Video type").wait_for()
    settle(jobs.page)


def _close_dialog(jobs: JobsPage) -> None:
    wait_for_dialog(jobs.page)
    jobs.page.keyboard.press("Escape")
    expect(jobs.dialog).to_have_count(0)


def settle(page: Page) -> None:
    """Wait until every visible tile has its picture."""
    page.locator("main [aria-busy=false]").wait_for()
    skeletons = ", ".join(f"{place} [data-testid=skeleton]" for place in ("article button", "[role=dialog]"))
    loading_tiles = f"[...document.querySelectorAll({skeletons!r})]"
    in_sight = "e => { const { top, bottom } = e.getBoundingClientRect(); return bottom > 0 && top < innerHeight }"
    wait_until(lambda: page.evaluate(f"!{loading_tiles}.some({in_sight})"))
