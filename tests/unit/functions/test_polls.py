"""What an unchanged poll costs: `ids` with the tag of an answer that still holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.list_jobs import list_jobs
from shared.access.user import User
from shared.jobs.job import Job
from shared.jobs.pagination import JobPage, ListQuery
from tests.calls import call
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, document

NAMED = {
    "reference_image_path": "me/job/reference.png",
    "motion_video_path": "me/job/motion.mp4",
    "posters": {"reference_image": None, "motion_video": None},
}
"""All that an unfinished job can have, so that nothing has to be looked up."""
POLL = "/jobs?ids=job-1,job-2,job-3"


@pytest.fixture
def services() -> FakeServices:
    made = FakeServices()
    for number in (1, 2, 3):
        made.add(f"job-{number}", document("me", status="processing", **NAMED))
    return made


def tag_of(services: FakeServices, path: str) -> str:
    answer = call(list_jobs, services, path)
    assert answer.status_code == 200
    return str(answer.headers["ETag"])


def status(services: FakeServices, path: str, tag: str) -> int:
    return call(list_jobs, services, path, headers={"If-None-Match": tag}).status_code


def test_a_client_that_numbers_pages_gets_each_of_the_jobs_once(services: FakeServices) -> None:
    first, second = (call(list_jobs, services, f"{POLL}&page_size=1&page={number}").json for number in (1, 2))
    assert first
    assert second
    assert [job["id"] for job in first["jobs"]] == ["job-1", "job-2", "job-3"]
    assert (first["page"], first["page_size"], first["total"]) == (1, 1, 3)
    assert (second["jobs"], second["page"], second["page_size"], second["total"]) == ([], 2, 1, 3)


@pytest.mark.parametrize("include", ["", "&include=media", "&include=counts", "&include=media,counts"])
def test_an_unchanged_poll_reads_the_jobs_and_makes_no_answer(
    services: FakeServices, include: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = tag_of(services, POLL + include)

    def made(*_: object, **__: object) -> Any:
        raise AssertionError("a part of the answer was made")

    monkeypatch.setattr(Job, "as_json", made)
    monkeypatch.setattr(services.fake_media, "urls", made)
    monkeypatch.setattr("shared.web.answers.json_answer", made)
    before = services.fake_repository.calls
    answer = call(list_jobs, services, POLL + include, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert services.fake_repository.calls == before + 1


@pytest.mark.parametrize("change", [{"status": "completed"}, {"deleted_at": 1}, {"user_id": "you"}])
def test_a_poll_is_answered_anew_as_soon_as_one_job_is_different(
    services: FakeServices, change: dict[str, Any]
) -> None:
    tag = tag_of(services, POLL)
    services.fake_repository.documents["job-2"].update(change)
    assert status(services, POLL, tag) == 200


@pytest.mark.parametrize("other", [f"{POLL}&include=media", "/jobs?ids=job-1,job-2", f"{POLL}&status=processing"])
def test_the_tag_of_one_poll_is_not_that_of_another(services: FakeServices, other: str) -> None:
    assert status(services, other, tag_of(services, POLL)) == 200


@pytest.mark.parametrize("setting", [{"share_origin": "https://share.test"}, {"revision": "00008"}])
def test_a_tag_does_not_outlive_the_deployment_that_gave_it(
    services: FakeServices, setting: dict[str, str]
) -> None:
    tag = tag_of(services, POLL)
    services.settings = replace(SETTINGS, **setting)  # type: ignore[arg-type]
    assert status(services, POLL, tag) == 200


def test_a_poll_with_counts_is_answered_anew_as_soon_as_they_are_different(services: FakeServices) -> None:
    poll = f"{POLL}&include=counts"
    tag = tag_of(services, poll)
    services.add("another", document("me", status="failed"))
    assert status(services, poll, tag) == 200


def test_a_poll_with_media_is_answered_anew_once_their_urls_have_changed(services: FakeServices) -> None:
    poll = f"{POLL}&include=media"
    tag = tag_of(services, poll)
    assert status(services, poll, tag) == 304
    services.now = lambda: NOW + timedelta(minutes=15)
    assert status(services, poll, tag) == 200


def test_a_poll_whose_media_must_be_looked_up_is_answered_and_compared_whole(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.fake_media, "version", lambda *_: None)
    tag = tag_of(services, f"{POLL}&include=media")
    before = services.fake_media.calls
    assert status(services, f"{POLL}&include=media", tag) == 304
    assert services.fake_media.calls == before + 1


def test_a_list_makes_its_signer_on_another_thread_and_only_once_it_shows_media(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making it may take any time, unlike the rest. A list without media does not become slower for want of it."""
    media, page = services.__dict__.pop("media"), services.fake_repository.page
    happened: list[tuple[str, bool]] = []

    def note(what: str) -> None:
        happened.append((what, threading.current_thread() is threading.main_thread()))

    def made(*_: object) -> Any:
        note("signer made")
        return media

    def read(query: ListQuery, passed: Callable[[int], None]) -> JobPage:
        note("page read")
        return page(query, passed)

    monkeypatch.setattr("shared.storage.signing.url_signer", lambda *_: None)
    monkeypatch.setattr("shared.storage.media.MediaStore", made)
    monkeypatch.setattr(services.fake_repository, "page", read)
    monkeypatch.setattr(services.fake_verifier, "known", User)
    monkeypatch.setattr(list_jobs, "_has_answered", True)
    for include in ("", "&include=media", "&include=media"):
        assert call(list_jobs, services, POLL + include).status_code == 200
    assert happened == [("page read", True), ("signer made", False), ("page read", True), ("page read", True)]
