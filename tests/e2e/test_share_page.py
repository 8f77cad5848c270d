"""The page behind a shared link, in a browser: it plays, looks right, and runs no foreign code."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore, storage
from playwright.sync_api import Page, expect

from infra.local.stack import Stack
from tests.e2e.conftest import NewContext
from tests.e2e.shelf import MEDIA, Shelf
from tests.e2e.test_accessibility import expect_fits_and_no_violations
from tests.waiting import wait_until

pytestmark = pytest.mark.motion

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
_visitors = itertools.count(1)


@pytest.fixture
def visitor(new_context: NewContext) -> Page:
    """A browser without a session."""
    address = {"X-Forwarded-For": f"198.51.100.{next(_visitors)}"}
    context = new_context(user_agent=CHROME, extra_http_headers=address)
    return context.new_page()


@pytest.fixture
def share(shelf: Shelf, stack: Stack, database: firestore.Client, buckets: storage.Client) -> Callable[..., str]:
    """Add a job with a share link. Returns the short id."""

    def make(*, poster: bool = True, **changes: Any) -> str:
        job_id = shelf.add(**changes)
        if poster:
            name = f"{shelf.user_id}/{job_id}/poster.webp"
            blob = buckets.bucket(stack.settings.outputs_bucket).blob(name)
            blob.upload_from_filename(MEDIA / "reference-nova.jpg", content_type="image/jpeg")
            shelf.document(job_id).update({"posters": {"output_video": name}})
        database.collection("short_links").document(job_id[:8]).set({"job_id": job_id})
        return job_id[:8]

    return make


def wait_for_video(page: Page) -> None:
    """Wait for the first frame. Playwright's own waiting evaluates text, which the page's policy forbids."""
    wait_until(lambda: page.locator("video").evaluate("video => video.readyState >= 2"))


def test_a_shared_link_opens_a_page_that_fits_the_window_without_violations_plays_and_has_a_download(
    visitor: Page, share: Callable[..., str]
) -> None:
    short_id = share(view_count=1234)
    with visitor.expect_response(f"**/v/{short_id}/seen") as seen:
        visitor.goto(f"/v/{short_id}")
    assert seen.value.status == 204
    assert [cookie["value"] for cookie in visitor.context.cookies(seen.value.url)] == ["seen"]
    expect(visitor).to_have_title("A video made with NuuMee")
    wait_for_video(visitor)
    expect_fits_and_no_violations(visitor, "shared")

    video = visitor.locator("video")
    video.evaluate("video => video.play()")
    wait_until(lambda: video.evaluate("video => video.currentTime > 0.2"))
    assert video.evaluate("video => [video.videoWidth > 0, video.error]") == [True, None]

    with visitor.expect_download() as download:
        visitor.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith(".mp4")


@pytest.mark.parametrize("state", ["shared-without-poster", "shared-nothing", "shared-player"])
def test_axe_finds_no_violations_and_everything_fits_the_window(
    visitor: Page, share: Callable[..., str], expected_errors: list[str], state: str
) -> None:
    if state == "shared-nothing":
        expected_errors.append("404")
    short_id = share(poster=state != "shared-without-poster", view_count=1234)
    address = {"shared-nothing": "/v/ffffffff", "shared-player": f"/v/{short_id}?embed=1"}.get(state)
    visitor.goto(address or f"/v/{short_id}")
    if state != "shared-nothing":
        wait_for_video(visitor)
    expect_fits_and_no_violations(visitor, state)


@pytest.mark.parametrize(("end", "is_online_again"), [("", False), ("/", True)])
def test_a_video_continues_after_its_url_has_expired(
    visitor: Page,
    share: Callable[..., str],
    stack: Stack,
    expected_errors: list[str],
    end: str,
    is_online_again: bool,
) -> None:
    """The URL in the page is refused, as it would be an hour later; a later renewal fails at first."""
    expected_errors += ["403", "503"]
    refused: list[int] = []

    def refuse(address: str, status: int) -> None:
        def answer(route: Any) -> None:
            refused.append(status)
            route.fulfill(status=status)

        visitor.route(address, answer, times=1)

    visitor.clock.install()
    refuse(f"{stack.storage_url}/**/output.mp4*", 403)
    short_id = share()
    visitor.goto(f"/v/{short_id}{end}")
    wait_for_video(visitor)
    video = visitor.locator("video")
    assert refused == [403]
    assert video.evaluate("video => video.src").endswith(f"/v/{short_id}/video.mp4")

    video.evaluate("video => video.play()")
    wait_until(lambda: video.evaluate("video => video.currentTime > 0.5"))
    visitor.clock.fast_forward("01:00")
    refuse("**/video.mp4", 503)
    video.evaluate("video => { video.dispatchEvent(new Event('error')); }")
    wait_until(lambda: video.evaluate("video => video.error !== null"))
    assert refused == [403, 503]
    if is_online_again:
        visitor.evaluate("() => { window.dispatchEvent(new Event('online')); }")
    else:
        visitor.clock.fast_forward("02:00")
    wait_for_video(visitor)
    assert video.evaluate("video => [video.currentTime >= 0.5, video.paused]") == [True, False]
