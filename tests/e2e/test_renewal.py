"""Signed URLs last an hour. A page that stays open renews them in time."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.clock import Clock
from tests.e2e.faults import PAGE, HeldBack, failed_load
from tests.e2e.jobs_page import JobsPage, wait_for, wait_for_dialog
from tests.e2e.shelf import Shelf
from tests.e2e.signing import signed_anew

THUMBNAILS = re.compile(r"/api/v1/jobs/[^/]+/thumbnails$")


@pytest.fixture
def clock(page: Page) -> Clock:
    return Clock(page)


class Signer:
    """Makes the functions' URLs expire `minutes` after the real time, with different URLs in each response.

    The page's token lasts an hour. If the URLs expire sooner, a test sees immediately whether they were renewed:
    the page would send the request in the same step, without first renewing its token.
    """

    def __init__(self, page: Page, *, minutes: float) -> None:
        self.minutes = minutes
        self.answers = 0
        page.route(PAGE, self._answer)

    def _answer(self, route: Route) -> None:
        self.answers += 1
        response = route.fetch()
        answer = response.json()
        expires_at = datetime.now(UTC) + timedelta(minutes=self.minutes)
        for job in answer["jobs"]:
            job["media"]["expires_at"] = expires_at.isoformat()
            for name in ("reference_image_url", "motion_video_url", "output_video_url"):
                url = job["media"][name]
                job["media"][name] = signed_anew(route.request.frame.page, url, mark=f"answer={self.answers}")
        route.fulfill(response=response, json=answer)


def test_the_token_is_renewed_too_after_an_hour(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock
) -> None:
    job = shelf.add()
    signer = Signer(page, minutes=60)
    jobs_page.open()
    expect_media_of_answer(jobs_page, job, 1)
    clock.stop()
    signer.minutes = 56 + 60
    with page.expect_request("**/securetoken.googleapis.com/**"):
        clock.jump(minutes=56)
    clock.wait_for(PAGE, times=2)
    expect_media_of_answer(jobs_page, job, 2)


def test_nothing_is_renewed_while_the_page_is_hidden(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock
) -> None:
    job = shelf.add()
    signer = Signer(page, minutes=30)
    jobs_page.open()
    expect_media_of_answer(jobs_page, job, 1)
    clock.stop()
    clock.hide_page()
    clock.jump(minutes=40)
    clock.run(seconds=60)
    assert len(clock.times(PAGE)) == 1
    signer.minutes = 41 + 30
    clock.show_page()
    clock.wait_for(PAGE, times=2)
    expect_media_of_answer(jobs_page, job, 2)


def test_a_wrong_clock_causes_no_renewals_once_the_functions_have_told_theirs(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock
) -> None:
    shelf.add()
    Signer(page, minutes=10)
    jobs_page.open()
    clock.stop()
    clock.be_wrong(minutes=20)
    clock.jump(minutes=20)
    clock.wait_for(PAGE, times=2)
    clock.run(seconds=180)
    assert len(clock.times(PAGE)) == 2
    clock.run_to_next(PAGE, within=180)


def test_a_wrong_clock_does_not_cause_endless_renewals_where_nobody_tells_the_time(
    jobs_page: JobsPage, page: Page, shelf: Shelf, clock: Clock
) -> None:
    shelf.add()
    Signer(page, minutes=10)
    jobs_page.open()
    clock.stop()
    clock.be_wrong(minutes=None)
    clock.jump(minutes=20)
    clock.wait_for(PAGE, times=2)
    times = [clock.times(PAGE)[-1]]
    for _ in range(2):
        times.append(clock.run_to_next(PAGE, within=62, after=times[-1] + 57))
    assert len(clock.times(PAGE)) == 4
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == pytest.approx([60, 60], abs=2)


def test_a_preview_whose_url_has_stopped_working_gets_a_new_one_or_says_after_one_retry_that_it_cannot_be_shown(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("403"))
    refused, expired = shelf.add(), shelf.add()
    jobs_page.open()
    for job in (refused, expired):
        expect(tile(jobs_page, job, "output video")).to_have_css("opacity", "1")
    page.route(f"**/{expired}/output.mp4*", expired_unless_new)
    page.route(f"**/{refused}/output.mp4*", lambda route: route.fulfill(status=403))
    page.route(f"**/{expired}/thumbnails", sign_anew)

    jobs_page.tile(expired, "output video").click()
    video = jobs_page.dialog.locator("video")
    expect(video).to_have_attribute("src", re.compile("&signed=anew$"))
    expect(video).to_have_js_property("readyState", 4)
    assert len(asked_for_media(jobs_page, expired)) == 1
    wait_for_dialog(page)
    page.keyboard.press("Escape")
    expect(jobs_page.dialog).to_have_count(0)

    jobs_page.tile(refused, "output video").click()
    expect(jobs_page.dialog.get_by_text("The output video cannot be shown.")).to_be_visible()
    assert len(asked_for_media(jobs_page, refused)) == 1


def test_a_preview_with_a_new_url_goes_on_where_it_was_and_stays_paused(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    job = shelf.add()
    page.route(THUMBNAILS, sign_anew)
    jobs_page.open()
    jobs_page.tile(job, "output video").click()
    video = jobs_page.dialog.locator("video")
    wait_for(video, "element => element.currentTime > 0")
    # The page notes a place when it hears of it, so the test goes on after the last of the events.
    video.evaluate(
        """element => new Promise(resolve => {
            element.onseeked = resolve;
            element.pause();
            element.currentTime = 0.5;
        })"""
    )
    video.evaluate("element => element.dispatchEvent(new Event('error'))")
    expect(video).to_have_attribute("src", re.compile("&signed=anew$"))
    wait_for(video, "element => element.readyState === 4 && element.currentTime === 0.5 && !element.seeking")
    assert video.evaluate("element => element.paused")


@pytest.mark.motion
def test_a_playing_video_continues_while_another_medium_is_renewed(
    jobs_page: JobsPage, page: Page, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("403"))
    job = shelf.add()
    held = HeldBack(page, re.compile(r"/reference\.jpg\?"))
    page.route(THUMBNAILS, sign_anew)
    jobs_page.open()
    expect(tile(jobs_page, job, "output video")).to_have_css("opacity", "1")
    jobs_page.tile(job, "output video").click()
    video = jobs_page.dialog.locator("video")
    wait_for(video, "element => element.currentTime > 0.1")
    before = video.evaluate("element => { element.marked = true; return element.currentTime }")
    held.let_go(lambda route: route.fulfill(status=403))
    # Not found by role, because the card has none behind the preview.
    expect(jobs_page.card(job).locator("img")).to_have_css("opacity", "1")
    assert len(asked_for_media(jobs_page, job)) == 1
    wait_for(video, f"element => element.currentTime > {before}")
    assert video.evaluate("element => element.marked")
    assert "&signed=anew" not in str(video.get_attribute("src"))


def tile(jobs_page: JobsPage, job_id: str, medium: str) -> Locator:
    return jobs_page.tile(job_id, medium).locator("img, video")


def expect_media_of_answer(jobs_page: JobsPage, job_id: str, number: int) -> None:
    """Wait until the tiles show the URLs of this response."""
    for medium in ("reference image", "source video", "output video"):
        shown = tile(jobs_page, job_id, medium)
        expect(shown).to_have_attribute("src", re.compile(f"&answer={number}(#|$)"))
        expect(shown).to_have_css("opacity", "1")


def asked_for_media(jobs_page: JobsPage, job_id: str) -> list[str]:
    return [request.url for request in jobs_page.requests if request.url.endswith(f"/{job_id}/thumbnails")]


def expired_unless_new(route: Route) -> None:
    if "&signed=anew" in route.request.url:
        route.continue_()
    else:
        route.fulfill(status=403)


def sign_anew(route: Route) -> None:
    response = route.fetch()
    answer = response.json()
    page = route.request.frame.page
    answer["output_video_url"] = signed_anew(page, answer["output_video_url"], mark="signed=anew")
    route.fulfill(response=response, json=answer)
