"""Looking through results: from one medium and job to the next, and a job's media side by side."""

from __future__ import annotations

import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from infra.local.stack import Stack
from infra.local.users import Account
from tests.conftest import PASSWORD
from tests.e2e.conftest import NewContext
from tests.e2e.faults import Refusal, failed_load
from tests.e2e.jobs_page import JobsPage, sign_in
from tests.e2e.posters import ALL, tell_of
from tests.e2e.shelf import Shelf
from tests.e2e.test_accessibility import LARGE
from tests.waiting import wait_until


def _shown(page: Page, title: str) -> Locator:
    return page.get_by_role("dialog", name=title)


def _swipe(finger: CDPSession, medium: Locator, *, right: int) -> None:
    box = medium.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + right / 2, "y": y}]),
        ("touchMove", [{"x": x + right, "y": y}]),
        ("touchEnd", []),
    ):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_results_are_looked_through_with_keys_buttons_and_a_finger_and_have_their_actions_at_hand(
    new_context: NewContext, stack: Stack, account: Account, shelf: Shelf
) -> None:
    oldest, failed, newest = shelf.add(), shelf.add("failed"), shelf.add()
    context = new_context(has_touch=True)
    sign_in(context, stack, account, PASSWORD)
    jobs_page = JobsPage(context.new_page()).open()
    page, keyboard = jobs_page.page, jobs_page.page.keyboard
    tile = jobs_page.tile(newest, "output video")
    tile.focus()
    keyboard.press("Enter")
    jobs_page.dialog.get_by_role("button", name="Copy link").click()
    jobs_page.toasts.filter(has_text="Link copied").wait_for()

    keyboard.press("ArrowRight")
    expect(_shown(page, f"Reference image of job {failed[:8]}")).to_be_visible()
    expect(jobs_page.dialog.get_by_role("status")).to_have_text(f"Reference image of job {failed[:8]}")
    keyboard.press("ArrowLeft")
    keyboard.press("ArrowDown")
    expect(_shown(page, f"Output video of job {oldest[:8]}")).to_be_visible()
    for end in ("Next medium", "Next job"):
        expect(jobs_page.dialog.get_by_role("button", name=end)).to_be_disabled()
    finger = context.new_cdp_session(page)
    _swipe(finger, jobs_page.dialog.locator("video"), right=120)
    expect(_shown(page, f"Source video of job {oldest[:8]}")).to_be_visible()

    jobs_page.dialog.get_by_role("button", name="Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()
    expect(_shown(page, f"Source video of job {failed[:8]}")).to_be_visible()
    expect(jobs_page.dialog.get_by_role("button", name="Delete")).to_be_focused()
    expect(jobs_page.card(oldest)).to_have_count(0)
    # The focus goes to the job that was looked at last.
    keyboard.press("Escape")
    expect(jobs_page.card(failed)).to_be_focused()

    jobs_page.tile(failed, "source video").click()
    jobs_page.dialog.get_by_role("button", name="Details").click()
    expect(jobs_page.dialog.get_by_text("Video type")).to_be_visible()
    expect(jobs_page.page.get_by_role("dialog")).to_have_count(1)
    keyboard.press("Escape")
    expect(jobs_page.card(failed)).to_be_focused()


def test_source_and_output_play_in_step_with_one_scrubber_and_one_button(
    jobs_page: JobsPage, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("403"))
    job_id = shelf.add()
    shelf.add_posters(job_id)
    tell_of(jobs_page.page, {job_id: ALL})
    jobs_page.open()
    refusal = Refusal(jobs_page.page, "/output.mp4", 1)
    jobs_page.tile(job_id, "reference image").click()
    jobs_page.dialog.get_by_role("button", name="Side by side").click()
    videos = jobs_page.dialog.locator("video")
    wait_until(lambda: videos.evaluate_all("all => all.every(one => one.currentTime > 0.3 && !one.paused)"))
    assert refusal.refused == jobs_page.renewals() == 1
    assert videos.evaluate_all("all => all.map(one => one.muted)") == [True, False]

    jobs_page.dialog.get_by_role("button", name="Pause").click()
    wait_until(lambda: videos.evaluate_all("all => all.every(one => one.paused && !one.seeking)"))
    source, output = videos.evaluate_all("all => all.map(one => one.currentTime)")
    assert source == output

    position = jobs_page.dialog.get_by_role("slider", name="Position in the videos")
    position.press("Home")
    position.press("PageUp")
    expect(position).to_have_attribute("aria-valuetext", "0:00 of 0:03")
    there = position.evaluate("element => element.valueAsNumber")
    assert there > 0
    assert videos.evaluate_all("all => all.map(one => one.currentTime)") == [there, there]
    assert videos.evaluate_all("all => all.every(one => one.paused)")
    jobs_page.dialog.get_by_role("button", name="Play").click()
    wait_until(lambda: videos.evaluate_all("all => all.every(one => !one.paused)"))

    jobs_page.page.set_viewport_size({"width": 740, "height": 360})  # a phone held sideways
    assert videos.evaluate_all(f"all => all.map({LARGE})") == pytest.approx([0.6, 0.6], abs=0.01)
    closed = [video.evaluate_handle("element => element") for video in videos.all()]
    jobs_page.page.keyboard.press("Escape")
    expect(jobs_page.dialog).to_have_count(0)
    empty = "element => element.networkState === HTMLMediaElement.NETWORK_EMPTY"
    wait_until(lambda: all(video.evaluate(empty) for video in closed))
