"""Polling for active jobs every ten seconds while the page is visible."""

from __future__ import annotations

import pytest
from google.cloud import firestore
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.clock import Clock
from tests.e2e.faults import (
    LIST,
    ONE_JOB,
    PAGE,
    POLL,
    HeldAnswers,
    HeldBack,
    failed_load,
    no_connection,
    unavailable,
)
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.signing import signed_anew

MINUTE = 60


@pytest.fixture
def clock(page: Page) -> Clock:
    return Clock(page)


def test_a_page_that_is_opened_while_hidden_shows_all_cards_at_once_if_its_user_wants_to_be_told(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock
) -> None:
    ids = shelf.add_many(20)
    page.add_init_script(
        "localStorage.setItem('tell-when-done', '1');"
        "Object.defineProperty(Notification, 'permission', { value: 'granted' });"
    )
    clock.open_hidden()
    # Without timers, which would let one card follow the other.
    clock.stop()
    jobs_page.open()
    jobs_page.expect_ids(ids)


def test_a_page_that_was_hidden_for_a_moment_polls_once_when_it_is_shown(
    jobs_page: JobsPage, shelf: Shelf, clock: Clock
) -> None:
    shelf.add("processing", media=False)
    jobs_page.open()
    clock.stop()
    clock.hide_page()
    clock.run(seconds=15)
    clock.show_page()
    seen_at = clock.now()
    assert clock.run_to_next(POLL, within=1) == pytest.approx(seen_at, abs=1)
    clock.run(seconds=8)
    assert len(clock.times(LIST)) == 2


def test_switching_tabs_does_not_make_it_poll_more_often(jobs_page: JobsPage, shelf: Shelf, clock: Clock) -> None:
    shelf.add("processing", media=False)
    jobs_page.open()
    clock.stop()
    before = next_poll(clock)
    for _ in range(3):
        clock.hide_page()
        clock.run(seconds=1)
        clock.show_page()
        clock.run(seconds=1)
    assert clock.times(POLL) == [before]
    assert clock.run_to_next(POLL, within=5) - before == pytest.approx(10, abs=1)


def test_polling_slows_down_while_there_is_no_response_and_honours_retry_after(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock, expected_errors: list[str]
) -> None:
    expected_errors += [failed_load("net::ERR_CONNECTION_FAILED"), failed_load("503")]
    job = shelf.add("processing", media=False)
    jobs_page.open()
    clock.stop()
    page.route(POLL, no_connection)
    failed = next_poll(clock)
    for least in (20, 40, 80, 120, 120):
        before, failed = failed, clock.run_to_next(POLL, within=200, after=failed + least - 1)
        assert least <= failed - before <= 1.3 * least + 1
    jobs_page.expect_ids([job])
    page.unroute(POLL)
    recovered = clock.run_to_next(POLL, within=157, after=failed + 119)
    assert next_poll(clock) - recovered == pytest.approx(10, abs=1)

    page.route(POLL, unavailable("Firestore is not available now.", **{"Retry-After": "60"}))
    failed = next_poll(clock)
    page.unroute(POLL)
    recovered = clock.run_to_next(POLL, within=80, after=failed + 59)
    assert 60 <= recovered - failed <= 79
    assert next_poll(clock) - recovered == pytest.approx(10, abs=1)


def test_a_warning_is_shown_from_the_second_failure_until_a_poll_or_a_list_without_active_jobs_succeeds(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("503"))
    job = shelf.add("processing", media=False)
    jobs_page.open()
    clock.stop()
    page.route(POLL, unavailable("Firestore is not available now."))
    failed = next_poll(clock)
    clock.run(seconds=5)
    expect(alert(page)).to_have_count(0)
    failed = clock.run_to_next(POLL, within=26, after=failed + 19)
    expect(alert(page)).to_contain_text("The list may be out of date. Firestore is not available now.")
    page.unroute(POLL)
    clock.run_to_next(POLL, within=52, after=failed + 39)
    expect(alert(page)).to_have_count(0)

    page.route(POLL, unavailable("Firestore is not available now."))
    failed = next_poll(clock)
    clock.run_to_next(POLL, within=26, after=failed + 19)
    shelf.document(job).update({"status": "failed"})
    alert(page).get_by_role("button", name="Try again").click()
    jobs_page.expect_counts(processing=0, failed=1)
    expect(alert(page)).to_have_count(0)


def test_a_list_that_could_not_be_loaded_again_is_loaded_when_it_can_be(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("503"))
    shelf.add_many(21)
    jobs_page.open("?page=2")
    page.route(PAGE, unavailable("Firestore is not available now.", **{"Retry-After": "15"}))
    page.get_by_role("button", name="Refresh the list").click()
    expect(alert(page)).to_contain_text("The list may be out of date.")
    clock.stop()
    clock.run(seconds=13)
    asked = clock.times(PAGE)
    assert len(asked) == 2
    clock.run_to_next(PAGE, within=30)
    page.unroute(PAGE)
    assert clock.run_to_next(PAGE, within=55) - asked[-1] > 40
    expect(alert(page)).to_have_count(0)


def test_a_job_with_an_unknown_status_is_polled_until_it_finishes(
    jobs_page: JobsPage, shelf: Shelf, clock: Clock
) -> None:
    job = shelf.add("processing")
    jobs_page.open()
    clock.stop()
    card = jobs_page.card(job)
    unknown = {"watermarking": "Watermarking", "post_processing": "Post processing", None: "Unknown"}
    for status, label in unknown.items():
        shelf.document(job).update({"status": "processing"})
        next_poll(clock)
        jobs_page.expect_counts(all=1, processing=1)
        shelf.document(job).update({"status": status})
        next_poll(clock)
        expect(card.get_by_role("heading")).to_contain_text(label)
        expect(card.get_by_test_id("elapsed")).to_contain_text(f"{label}... ")
        expect(jobs_page.announcer).to_have_text(f"Job {job[:8]} is now {label.lower()}.")
        jobs_page.expect_counts(all=1, processing=0, other=1)
    shelf.complete(job)
    next_poll(clock)
    expect(card.get_by_role("heading")).to_contain_text("Completed")
    jobs_page.expect_counts(all=1, completed=1)


def test_a_poll_during_a_deletion_does_not_count_the_job_twice(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock
) -> None:
    kept, gone = (shelf.add("processing", media=False) for _ in range(2))
    jobs_page.open()
    clock.stop()
    poll = HeldBack(page, POLL)
    clock.run(seconds=10)
    # The functions delete the job, but the page does not get the response yet.
    deletion = HeldAnswers(page, ONE_JOB)
    jobs_page.button(gone, "Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()
    deletion.wait()
    poll.let_go()
    clock.wait_for(POLL, times=1)
    refresh = HeldBack(page, LIST)
    page.clock.resume()  # messages take time to appear
    deletion.let_go()
    expect(jobs_page.toasts).to_have_text(f"Job {gone[:8]} deletedUndo")
    jobs_page.expect_counts(all=1, processing=1)
    refresh.let_go()
    jobs_page.expect_ids([kept])


def test_a_job_that_finishes_becomes_a_completed_card_in_place_and_its_loaded_media_are_not_loaded_again(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock
) -> None:
    first, job, last = shelf.add(media=False), shelf.add("processing"), shelf.add("failed", media=False)
    jobs_page.open()
    jobs_page.expect_counts(all=3, processing=1, completed=1)
    media = [
        jobs_page.tile(job, "reference image").locator("img"),
        jobs_page.tile(job, "source video").locator("video"),
    ]
    for medium in media:
        expect(medium).to_have_css("opacity", "1")
        medium.evaluate("element => { element.marked = true; }")
    sources = [medium.get_attribute("src") for medium in media]
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.route(POLL, sign_anew)
    clock.stop()
    jobs_page.button(job, "Delete").click()
    expect(jobs_page.dialog).to_contain_text("reference image and source video will be deleted")
    shelf.complete(job)
    next_poll(clock)
    expect(jobs_page.dialog).to_contain_text("reference image, source and output videos will be deleted")
    jobs_page.dialog.get_by_role("button", name="Keep it").click()
    expect(jobs_page.card(job).get_by_role("heading")).to_contain_text("Completed")
    expect(jobs_page.tile(job, "output video").locator("video")).to_have_css("opacity", "1")
    expect(jobs_page.button(job, "Download")).to_be_enabled()
    expect(jobs_page.announcer).to_have_text(f"Job {job[:8]} is now completed.")
    jobs_page.expect_counts(all=3, processing=0, completed=2)
    jobs_page.expect_ids([last, job, first])
    assert [medium.evaluate("element => element.marked") for medium in media] == [True, True]
    assert [medium.get_attribute("src") for medium in media] == sources
    assert not [url for url in loaded if "/reference.jpg" in url or "/motion.mp4" in url]


def test_a_job_deleted_elsewhere_leaves_the_page_and_polling_stops_when_the_last_job_finishes(
    jobs_page: JobsPage, shelf: Shelf, clock: Clock
) -> None:
    jobs = [shelf.add(status, media=False) for status in ("queued", "processing")]
    gone = shelf.add("queued", media=False)
    jobs_page.open()
    clock.stop()
    shelf.document(gone).update({"deleted_at": firestore.SERVER_TIMESTAMP})
    next_poll(clock)
    jobs_page.expect_ids(jobs[::-1])
    jobs_page.expect_counts(all=2, queued=1, processing=1, failed=0)
    jobs_page.expect_range(1, 2, 2)

    for number, job in enumerate(jobs, start=1):
        shelf.document(job).update({"status": "failed"})
        next_poll(clock)
        jobs_page.expect_counts(failed=number)
    clock.run(seconds=2 * MINUTE)
    assert len(clock.times(POLL)) == 3
    assert f"ids={jobs[1]}&" in jobs_page.asked(ids=jobs[1])[0].url


def test_the_next_jobs_move_up_when_a_whole_page_is_deleted_elsewhere(
    jobs_page: JobsPage, shelf: Shelf, clock: Clock
) -> None:
    last, *gone = [shelf.add("queued", media=False) for _ in range(21)]
    jobs_page.open()
    clock.stop()
    for job_id in gone:
        shelf.document(job_id).update({"deleted_at": firestore.SERVER_TIMESTAMP})
    next_poll(clock)
    jobs_page.expect_ids([last])


def next_poll(clock: Clock) -> float:
    """Run to the next poll, ten seconds after the last request for jobs, and return its time."""
    return clock.run_to_next(POLL, within=10, after=clock.times(LIST)[-1] + 8)


def sign_anew(route: Route) -> None:
    """Respond with new URLs for the same media, as the functions do every quarter of an hour."""
    response = route.fetch()
    answer = response.json()
    for job in answer["jobs"]:
        for name in ("reference_image_url", "motion_video_url"):
            url = job["media"][name]
            job["media"][name] = signed_anew(route.request.frame.page, url, mark="signed=anew")
    route.fulfill(response=response, json=answer)


def alert(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("alert")
