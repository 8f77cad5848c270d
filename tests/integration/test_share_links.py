"""Share links through the whole local cloud: resolved, renewed, ended, viewed by many at once, and counted."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from google.cloud import firestore, pubsub_v1, storage
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.functions import table
from infra.local.stack import Stack
from infra.local.users import Account
from shared.sharing.short_links import new_short_id
from tests.integration.lines import OnLines
from tests.integration.test_outages import LONGEST
from tests.jobs import deleted, document, new_id, read
from tests.waiting import wait_until

SHOWN = {"Sec-Fetch-Site": "same-origin"}
"""Sent with the request by which a page reports that it has been shown."""
SECONDS = 240
"""How long a busy machine may take to record many views."""
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
_addresses = itertools.count(1)


def new_address() -> str:
    number = next(_addresses)
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def look(url: str, address: str | None = None, **headers: str) -> requests.Response:
    """Open a URL like a new browser, or like one at this address."""
    sent = {"User-Agent": CHROME, "X-Forwarded-For": address or new_address(), **headers}
    return requests.get(url, headers=sent, timeout=30, allow_redirects=False)


@pytest.fixture
def share(
    stack: Stack, database: firestore.Client, buckets: storage.Client, account: Account
) -> Callable[..., tuple[str, str]]:
    """Make a job with an output, a poster and a link. Returns its id and its short id."""

    def make(**changes: Any) -> tuple[str, str]:
        job_id, short_id = new_id(), new_short_id(8)
        folder = f"{account.user_id}/{job_id}"
        for name in ("output.mp4", "poster.webp"):
            buckets.bucket(stack.settings.outputs_bucket).blob(f"{folder}/{name}").upload_from_string(
                name.encode()
            )
        paths = {"output_video_path": f"{folder}/output.mp4", "posters": {"output_video": f"{folder}/poster.webp"}}
        fields = document(account.user_id, short_id=short_id, view_count=0, **paths)
        database.collection("jobs").document(job_id).set({**fields, **changes})
        database.collection("short_links").document(short_id).set({"job_id": job_id})
        return job_id, short_id

    return make


@pytest.fixture
def count(stack: Stack, database: firestore.Client) -> Callable[[str, int], int]:
    """Have this many views of a link moved into its job, once they are recorded. Returns the job's count."""

    def counted(job_id: str, views: int) -> int:
        wait_until(lambda: waiting(database, job_id) >= views, SECONDS, every=0.25)
        with pubsub_v1.PublisherClient() as publisher:
            publisher.publish(
                publisher.topic_path(stack.settings.project, table().every_minute_topic), b"{}"
            ).result(timeout=10)
        wait_until(lambda: not waiting(database, job_id))
        return int(read(database, job_id)["view_count"])

    return counted


def waiting(database: firestore.Client, job_id: str) -> int:
    shards = database.collection("view_shards").where(filter=FieldFilter("job_id", "==", job_id)).get()
    return sum((shard.to_dict() or {})["views"] for shard in shards)


def owner_sends(stack: Stack, account: Account, method: str, job_id: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {account.token}"}
    return requests.request(method, f"{stack.url}/jobs/{job_id}/share", headers=headers, timeout=30)


def test_a_link_leads_to_the_page_the_data_the_video_and_its_poster(
    stack: Stack, share: Callable[..., tuple[str, str]]
) -> None:
    _, short_id = share()
    page = look(f"{stack.url}/v/{short_id}", Accept="text/html")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f'content="{stack.url}/v/{short_id}/video.mp4"' in page.text
    data = look(f"{stack.url}/public/video/{short_id}").json()
    assert requests.get(data["video_url"], timeout=10).content == b"output.mp4"
    for name, content in (("video.mp4", b"output.mp4"), ("poster.webp", b"poster.webp")):
        answer = look(f"{stack.url}/v/{short_id}/{name}")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
        assert requests.get(answer.headers["Location"], timeout=10).content == content
    download = look(f"{stack.url}/v/{short_id}/video.mp4?download").headers["Location"]
    assert "attachment" in requests.get(download, timeout=10).headers["Content-Disposition"]


def test_an_owner_renews_and_ends_a_link(
    stack: Stack, account: Account, share: Callable[..., tuple[str, str]]
) -> None:
    job_id, first = share()
    second = owner_sends(stack, account, "POST", job_id).json()
    assert second["share_url"] == f"{stack.url}/v/{second['short_id']}"
    assert look(f"{stack.url}/v/{first}").status_code == 404
    assert look(second["share_url"]).status_code == 200
    ended = owner_sends(stack, account, "DELETE", job_id)
    assert (ended.status_code, ended.json()["share_url"]) == (200, None)
    assert look(second["share_url"]).status_code == 404
    third = owner_sends(stack, account, "POST", job_id).json()
    assert look(third["share_url"]).status_code == 200


def test_nobody_else_changes_a_link(
    stack: Stack, new_account: Callable[[], Account], share: Callable[..., tuple[str, str]]
) -> None:
    job_id, short_id = share()
    stranger = new_account()
    assert [owner_sends(stack, stranger, method, job_id).status_code for method in ("POST", "DELETE")] == [404] * 2
    assert look(f"{stack.url}/v/{short_id}").status_code == 200


def test_a_deleted_jobs_link_ends_with_it(
    stack: Stack, account: Account, share: Callable[..., tuple[str, str]]
) -> None:
    job_id, short_id = share()
    headers = {"Authorization": f"Bearer {account.token}"}
    assert requests.delete(f"{stack.url}/jobs/{job_id}", headers=headers, timeout=30).status_code == 202
    assert look(f"{stack.url}/v/{short_id}").status_code == 404
    assert owner_sends(stack, account, "POST", job_id).status_code == 404


def test_dead_links_get_the_same_answer(
    stack: Stack, account: Account, share: Callable[..., tuple[str, str]]
) -> None:
    _, under_way = share(status="processing")
    _, gone = share(**{key: value for key, value in deleted("me").items() if key == "deleted_at"})
    job_id, revoked = share()
    owner_sends(stack, account, "DELETE", job_id)
    ids = [under_way, gone, revoked, new_short_id(8), "x", "..%2Fjobs", "%00", "%ff", "a" * 300]
    answers = [look(f"{stack.url}/public/video/{short_id}") for short_id in ids]
    assert {answer.status_code for answer in answers} == {404}
    assert (
        len({tuple(value for key, value in answer.json().items() if key != "request_id") for answer in answers})
        == 1
    )
    pages = [look(f"{stack.url}/v/{short_id}") for short_id in ids]
    assert {(page.status_code, len(page.content)) for page in pages} == {(404, len(pages[0].content))}


def test_a_view_counts_once_a_visitor_and_never_for_a_machine(
    stack: Stack, share: Callable[..., tuple[str, str]], count: Callable[[str, int], int]
) -> None:
    job_id, short_id = share()
    page, address = f"{stack.url}/v/{short_id}", new_address()
    look(page, new_address())
    for _ in range(3):
        assert look(f"{page}/seen", address, **SHOWN).status_code == 204
    look(f"{page}/seen", **{**SHOWN, "User-Agent": "Slackbot-LinkExpanding 1.0"})
    look(f"{page}/video.mp4")
    assert count(job_id, 1) == 1
    with requests.Session() as browser:
        browser.headers.update({"User-Agent": CHROME, **SHOWN})
        for _ in range(3):  # it changes networks and keeps its cookie
            seen = browser.get(f"{page}/seen", headers={"X-Forwarded-For": new_address()}, timeout=30)
            assert seen.status_code == 204
    assert count(job_id, 1) == 2


def test_a_link_that_is_passed_around_is_answered_and_counted(
    stack: Stack, share: Callable[..., tuple[str, str]], count: Callable[[str, int], int]
) -> None:
    job_id, short_id = share()
    with ThreadPoolExecutor(100) as threads:
        answers = list(threads.map(lambda _: look(f"{stack.url}/v/{short_id}/seen", **SHOWN), range(100)))
    assert {answer.status_code for answer in answers} == {204}
    assert count(job_id, 100) == 100


def test_a_client_that_tries_many_ids_is_told_to_wait(stack: Stack) -> None:
    address = new_address()
    answers = [look(f"{stack.url}/public/video/{new_short_id(8)}", address) for _ in range(90)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.status_code for answer in answers} == {404, 429}
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert refused[0].json()["type"].endswith("/too-many-requests")
    assert look(f"{stack.url}/public/video/{new_short_id(8)}").status_code == 404


@pytest.fixture(scope="module")
def share_video(stack: Stack) -> Iterator[OnLines]:
    function = OnLines(stack, "share_video")
    yield function
    function.close()


@pytest.mark.parametrize("service", ["firestore", "storage"])
def test_with_a_service_away_the_page_says_so_in_time(
    share_video: OnLines, share: Callable[..., tuple[str, str]], service: str
) -> None:
    _, short_id = share(output_video_path=None) if service == "storage" else share()
    share_video.lines[service].cut()
    began = time.monotonic()
    answer = look(f"{share_video.url}/v/{short_id}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert time.monotonic() - began < LONGEST
    assert "Temporarily unavailable" in answer.text
    share_video.mend()
    wait_until(lambda: look(f"{share_video.url}/v/{short_id}").status_code == 200)
