"""A job that a poll finds finished, with its media. When the page polls: frontend/tests/page-polling.test.tsx."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.e2e.clock import Clock
from tests.e2e.faults import LIST, POLL
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.signing import signed_anew


def test_a_job_that_finishes_becomes_a_completed_card_in_place_and_its_loaded_media_are_not_loaded_again(
    jobs_page: JobsPage, page: Page, shelf: Shelf
) -> None:
    clock = Clock(page)
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
    clock.run_to_next(POLL, within=10, after=clock.times(LIST)[-1] + 8)
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


def sign_anew(route: Route) -> None:
    """Respond with new URLs for the same media, as the functions do every quarter of an hour."""
    response = route.fetch()
    answer = response.json()
    for job in answer["jobs"]:
        for name in ("reference_image_url", "motion_video_url"):
            url = job["media"][name]
            job["media"][name] = signed_anew(route.request.frame.page, url, mark="signed=anew")
    route.fulfill(response=response, json=answer)
