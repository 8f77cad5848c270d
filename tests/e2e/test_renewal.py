"""A video that goes on from a new signed URL. When URLs are renewed: frontend/tests/page-polling.test.tsx."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from tests.e2e.jobs_page import JobsPage, wait_for
from tests.e2e.shelf import Shelf
from tests.e2e.signing import signed_anew

THUMBNAILS = re.compile(r"/api/v1/jobs/[^/]+/thumbnails$")


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
    # A video that is about to stop may be a millisecond further.
    at_the_place = "Math.abs(element.currentTime - 0.5) < 0.01"
    wait_for(video, f"element => element.readyState === 4 && {at_the_place} && !element.seeking")
    assert video.evaluate("element => element.paused")


def sign_anew(route: Route) -> None:
    response = route.fetch()
    answer = response.json()
    page = route.request.frame.page
    answer["output_video_url"] = signed_anew(page, answer["output_video_url"], mark="signed=anew")
    route.fulfill(response=response, json=answer)
