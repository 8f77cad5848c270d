"""How many bytes a page of twenty jobs transfers, with and without posters: on opening and after viewing all jobs.

The page's own files are counted compressed, as hosting would send them; the local server does not compress.
"""

from __future__ import annotations

import gzip
from base64 import b64decode
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from infra.local.stack import Stack
from infra.local.users import Account
from infra.stage import ROOT
from shared.posters.posters import LARGEST_POSTER
from tests.conftest import PASSWORD
from tests.e2e.conftest import NewContext
from tests.e2e.jobs_page import JobsPage, sign_in
from tests.e2e.posters import ALL, tell_of
from tests.e2e.shelf import MOTION, OUTPUT, POSTER, REFERENCE, Shelf, padded
from tests.e2e.states import settle
from tests.waiting import wait_until

pytestmark = pytest.mark.motion

MOST = 1_000_000
"""Bytes."""
REPORT = ROOT / "artifacts" / "bytes.txt"
_PICTURE = 300_000
_VIDEO = 1_000_000
_MEDIA = ("Image", "Media")


_COMPRESSED = ("Document", "Script", "Stylesheet")
"""The page's own files, which hosting compresses. The functions compress their lists themselves."""


class Traffic:
    """Bytes that the browser receives, by kind of request, as transferred."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._files: dict[str, int] = {}
        """The compressed size of each of the page's own files, by request."""
        self._kinds: dict[str, str] = {}
        self._requests: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._session = session = page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._ask)
        session.on("Network.dataReceived", self._receive)
        session.send("Network.enable")

    def so_far(self) -> dict[str, tuple[int, int]]:
        """Requests and bytes of each kind."""
        self._page.evaluate("0")  # delivers pending events
        files: Counter[str] = Counter()
        for request, kind in self._kinds.items():
            if kind in _COMPRESSED:
                files[kind] += self._compressed(request)
        return {kind: (count, files[kind] or self._bytes[kind]) for kind, count in sorted(self._requests.items())}

    def _compressed(self, request: str) -> int:
        if request not in self._files:
            got = self._session.send("Network.getResponseBody", {"requestId": request})
            content = b64decode(got["body"]) if got["base64Encoded"] else got["body"].encode()
            self._files[request] = len(gzip.compress(content))
        return self._files[request]

    def _ask(self, event: dict[str, Any]) -> None:
        kind = event.get("type", "Other")
        self._kinds[event["requestId"]] = kind
        self._requests[kind] += 1

    def _receive(self, event: dict[str, Any]) -> None:
        self._bytes[self._kinds.get(event["requestId"], "Other")] += event["dataLength"]


@pytest.fixture
def jobs(shelf: Shelf, tmp_path: Path) -> list[str]:
    """Twenty completed jobs with media of realistic size, newest first."""
    large = {
        file: padded(tmp_path / file.name, file, size)
        for file, size in ((REFERENCE, _PICTURE), (MOTION, _VIDEO), (OUTPUT, _VIDEO))
    }
    poster = padded(tmp_path / POSTER.name, POSTER, LARGEST_POSTER)
    ids = [shelf.add(instead=large) for _ in range(20)]
    for job_id in ids:
        shelf.add_posters(job_id, poster=poster)
    return ids[::-1]


def test_viewing_twenty_jobs_transfers_less_than_a_megabyte(
    new_context: NewContext, stack: Stack, account: Account, jobs: list[str]
) -> None:
    views = {}
    for name, fields, looked_at in (("without posters", (), 5), ("with posters", ALL, 20)):
        context = new_context()
        sign_in(context, stack, account, PASSWORD)
        page = context.new_page()
        tell_of(page, dict.fromkeys(jobs, fields))
        traffic = Traffic(page)
        jobs_page = JobsPage(page).open()
        expect(jobs_page.cards).to_have_count(20)
        _wait_for_pictures(page)
        views[f"{name}, as it opens"] = traffic.so_far()
        for job_id in jobs[:looked_at]:
            jobs_page.card(job_id).scroll_into_view_if_needed()
            _wait_for_pictures(page)
        views[f"{name}, {looked_at} looked at"] = traffic.so_far()

    report = "\n".join(_table(title, view) for title, view in views.items())
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report)
    assert _bytes(views["with posters, 20 looked at"]) < MOST, report
    assert _media(views["with posters, 20 looked at"])["Image"][0] == 3 * len(jobs), report
    assert _bytes(_media(views["without posters, 5 looked at"])) > MOST, report


def _wait_for_pictures(page: Page) -> None:
    settle(page)
    wait_until(lambda: page.evaluate("[...document.images].every(picture => picture.complete)"))


def _media(view: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    return {kind: view[kind] for kind in _MEDIA if kind in view}


def _bytes(view: dict[str, tuple[int, int]]) -> int:
    return sum(size for _, size in view.values())


def _table(title: str, view: dict[str, tuple[int, int]]) -> str:
    lines = [f"{size:>12,}    {kind} ({count} requests)" for kind, (count, size) in view.items()]
    return "\n".join([f"{_bytes(view):>12,}  {title}", *lines]) + "\n"
