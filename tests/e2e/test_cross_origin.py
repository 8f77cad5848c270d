"""The page and other API clients in a browser, with every function at a different origin."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from google.cloud import storage
from playwright.sync_api import Browser, Error, Page, expect

from infra.local import browser as chromium
from infra.local import ports
from infra.local.gateway import AUTH
from infra.local.stack import Stack
from infra.local.users import Account
from tests.conftest import PASSWORD
from tests.e2e.apart import CALLED_BY_THE_PAGE, FOLDER, PAGE, PAGE_HOST, address, host, hosted
from tests.e2e.clock import Clock
from tests.e2e.conftest import NewContext, launch
from tests.e2e.faults import failed_load
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import OUTPUT, Shelf
from tests.e2e.test_erasure import erase_everything
from tests.jobs import new_id
from tests.waiting import wait_until

pytestmark = pytest.mark.motion

PUBLIC = "share_video"
STUDIO = "http://studio.localhost/create"
LIMITED = "limited"
"""An instance of share_video for a single test, which exhausts a client's rate limit."""
POLL = re.compile(rf"^{address('list_jobs')}/jobs\?.*\bids=")
ADDED = {
    "Content-Type": "application/json",
    "X-Requested-With": "XMLHttpRequest",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "nuumee=1",
    "baggage": "sentry-environment=production",
    "sentry-trace": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
}
"""Headers that common clients and monitoring libraries add to every call."""
SEND = """
    async ([address, method, headers, body]) => {
        const response = await fetch(address, { method, headers, body });
        return [response.status, Object.fromEntries(response.headers), await response.text()];
    }
"""


@pytest.fixture(scope="module")
def browser(browser: Browser, stack: Stack) -> Iterator[Browser]:
    """A second browser, in which the host names resolve to this machine."""
    if not (FOLDER / "jobs" / "index.html").is_file():
        pytest.fail("the page is not built with an address for each function: make test builds it", pytrace=False)
    with hosted(FOLDER) as port:
        hosts = {
            PAGE_HOST: port,
            **{host(name): stack.ports[name] for name in (*CALLED_BY_THE_PAGE, AUTH, PUBLIC)},
        }
        hosts[host(LIMITED)] = ports.any_free([LIMITED])[LIMITED]
        stack.start_variant(PUBLIC, LIMITED, hosts[host(LIMITED)])
        stack.processes.wait_for(LIMITED, lambda: ports.answers(hosts[host(LIMITED)]))
        running = launch(browser.browser_type, str(chromium.find()), hosts)
        yield running
        running.close()
        stack.processes.stop([LIMITED])


@pytest.fixture
def origins(stack: Stack) -> list[str]:
    return [PAGE, stack.storage_url, *map(address, (*CALLED_BY_THE_PAGE, AUTH, PUBLIC, LIMITED))]


def test_a_user_can_do_everything_across_origins(
    page: Page, account: Account, shelf: Shelf, stack: Stack, buckets: storage.Client, expected_errors: list[str]
) -> None:
    expected_errors.append(r"status of 404 .*/(reference\.jpg|jobs/erasure)\b")
    lost, active, job = shelf.add("failed"), shelf.add("processing"), shelf.add()
    buckets.bucket(stack.settings.images_bucket).delete_blob(f"{shelf.user_id}/{lost}/reference.jpg")
    asked: set[str | None] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
    clock, jobs_page = Clock(page), JobsPage(page)

    page.goto("/jobs/")
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(jobs_page.cards).to_have_count(3)
    jobs_page.expect_ids([job, active, lost])
    jobs_page.expect_counts(all=3, processing=1, completed=1, failed=1)
    for medium in ("reference image", "source video", "output video"):
        expect(jobs_page.tile(job, medium).locator("img, video")).to_have_css("opacity", "1")
    # Its URL is renewed once before the tile gives up.
    expect(jobs_page.card(lost).get_by_text("Not available")).to_be_visible()
    ways = jobs_page.card(lost).get_by_role("link").evaluate_all("links => links.map(link => link.href)")
    assert ways == [f"{STUDIO}?from={lost}", f"mailto:help@nuumee.test?subject=Job%20{lost}"]

    jobs_page.tile(job, "output video").click()
    expect(jobs_page.dialog.locator("video")).to_have_js_property("readyState", 4)
    page.keyboard.press("Escape")
    expect(jobs_page.dialog).to_have_count(0)

    clock.stop()
    shelf.complete(active)
    clock.run_to_next(POLL, within=10)
    expect(jobs_page.card(active).get_by_role("heading")).to_contain_text("Completed")
    page.clock.resume()

    with page.expect_download() as started:
        jobs_page.button(job, "Download").click()
    assert Path(started.value.path()).read_bytes() == OUTPUT.read_bytes()

    jobs_page.button(job, "Details").click()
    jobs_page.dialog.get_by_role("button", name="Rename job").click()
    page.keyboard.type("First try")
    page.keyboard.press("Enter")
    expect(jobs_page.dialog.get_by_role("region", name="Name")).to_contain_text("First try")
    end_link_and_make_another(jobs_page)
    page.keyboard.press("Escape")
    expect(jobs_page.dialog).to_have_count(0)
    jobs_page.button(job, "Copy link").click()
    expect(jobs_page.toasts.filter(has_text="Link copied")).to_be_visible()
    new_link = shelf.document(job).get().get("short_id")
    assert page.evaluate("navigator.clipboard.readText()") == f"{stack.settings.share_origin}/v/{new_link}"
    assert new_link != job[:8]

    delete_and_undo(jobs_page, job, rest=[active, lost])
    delete(jobs_page, job)
    jobs_page.expect_ids([active, lost])
    wait_until(lambda: shelf.objects(job) == [])
    erase_everything(jobs_page)
    expect(page.get_by_text("All your 2 jobs are deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="Start a video")).to_have_attribute("href", STUDIO)
    assert {host(name) for name in (*CALLED_BY_THE_PAGE, AUTH)} <= asked


def end_link_and_make_another(jobs_page: JobsPage) -> None:
    jobs_page.dialog.get_by_role("button", name="End link").click()
    jobs_page.page.get_by_role("alertdialog").get_by_role("button", name="End link").click()
    jobs_page.dialog.get_by_role("button", name="New link").click()
    expect(jobs_page.toasts.filter(has_text="has a new link")).to_be_visible()


def delete(jobs_page: JobsPage, job_id: str) -> None:
    jobs_page.button(job_id, "Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()


def delete_and_undo(jobs_page: JobsPage, job_id: str, rest: list[str]) -> None:
    delete(jobs_page, job_id)
    jobs_page.expect_ids(rest)
    jobs_page.toasts.get_by_role("button", name="Undo").click()
    jobs_page.expect_ids([job_id, *rest])
    restored = re.compile(f"Job {job_id[:8]} (is being )?restored")
    expect(jobs_page.toasts.filter(has_text=restored)).to_be_visible()


def send(
    page: Page, function: str, path: str, *, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Send a request from a script on the page. Returns what the script can read: status, headers and JSON."""
    body = '{"name": "First try"}' if method == "PATCH" else None
    sent = [address(function) + path, method, {**ADDED, **headers}, body]
    status, answered, text = page.evaluate(SEND, sent)
    return status, answered, json.loads(text or "{}")


def test_a_client_that_adds_headers_can_read_every_response(
    page: Page, account: Account, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("status of 4"))
    page.goto("/sign-in/")
    job, active, unknown = shelf.add(), shelf.add("processing", media=False), new_id()
    token = f"Bearer {account.token}"
    calls = [
        ("list_jobs", "GET", "/jobs?include=media,counts", 200),
        ("list_jobs", "GET", "/jobs?page_size=0", 400),
        ("list_jobs", "GET", f"/jobs/{job}", 200),
        ("list_jobs", "GET", f"/jobs/{unknown}", 404),
        ("get_thumbnails", "GET", f"/jobs/{job}/thumbnails", 200),
        ("get_thumbnails", "GET", f"/jobs/{unknown}/thumbnails", 404),
        ("get_output", "GET", f"/jobs/{job}/output", 200),
        ("get_output", "GET", f"/jobs/{active}/output", 409),
        ("get_output", "GET", f"/jobs/{unknown}/output", 404),
        ("rename_job", "PATCH", f"/jobs/{job}", 200),
        ("rename_job", "PATCH", f"/jobs/{unknown}", 404),
        ("share_job", "POST", f"/jobs/{job}/share", 200),
        ("share_job", "POST", f"/jobs/{active}/share", 409),
        ("share_job", "DELETE", f"/jobs/{job}/share", 200),
        ("share_job", "DELETE", f"/jobs/{unknown}/share", 404),
        ("delete_job", "DELETE", f"/jobs/{active}", 202),
        ("delete_job", "DELETE", f"/jobs/{unknown}", 404),
        ("undelete_job", "POST", f"/jobs/{active}/restore", 202),
        ("undelete_job", "POST", f"/jobs/{unknown}/restore", 404),
    ]
    for function, method, path, expected in calls:
        status, headers, body = send(page, function, path, method=method, Authorization=token)
        assert (path, status) == (path, expected)
        assert ("detail" in body) == (expected >= 400)
        assert ("current_status" in body) == (expected == 409)
        assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
        revalidated = expected == 200 and function in ("list_jobs", "get_thumbnails")
        assert ("etag" in headers) == revalidated
        if revalidated:
            status, _, _ = send(page, function, path, **{"Authorization": token, "If-None-Match": headers["etag"]})
            assert (path, status) == (path, 304)
        status, headers, body = send(page, function, path, method=method)
        assert (path, status) == (path, 401)
        assert body["detail"]


def test_a_client_that_adds_headers_can_read_a_shared_video_and_retry_after(
    new_context: NewContext, account: Account, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(failed_load("status of 4"))
    # The page calls no public function, and its policy allows none. The client is another page of this origin.
    page = new_context(bypass_csp=True).new_page()
    page.goto("/sign-in/")
    path = f"/jobs/{shelf.add()}/share"
    _, _, share = send(page, "share_job", path, method="POST", Authorization=f"Bearer {account.token}")
    status, headers, body = send(page, PUBLIC, f"/public/video/{share['short_id']}")
    assert (status, body["short_id"]) == (200, share["short_id"])
    assert headers["x-request-id"]
    status, _, body = send(page, PUBLIC, "/public/video/ffffffff")
    assert (status, "detail" in body) == (404, True)

    def refused() -> bool:
        nonlocal status, headers, body
        status, headers, body = send(page, LIMITED, "/public/video/ffffffff")
        return status == 429

    wait_until(refused)
    assert int(headers["retry-after"]) >= 1
    assert body["detail"]


def test_a_page_from_a_disallowed_origin_can_read_nothing(
    page: Page, account: Account, expected_errors: list[str]
) -> None:
    expected_errors.append("blocked by CORS policy|net::ERR_FAILED|/favicon.ico")
    page.goto(address("auth"))
    for function, method, path in (("list_jobs", "GET", "/jobs"), ("delete_job", "DELETE", f"/jobs/{new_id()}")):
        with pytest.raises(Error, match="Failed to fetch"):
            send(page, function, path, method=method, Authorization=f"Bearer {account.token}")
