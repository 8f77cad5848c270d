"""Log lines about paths that are not signed, and versions of URLs. The rest is in tests/contract."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from google.auth.exceptions import TransportError
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unavailable
from shared.jobs.job import Job, Medium, Picture
from shared.settings import Settings, SigningKey
from shared.storage.lookups import Lookups
from shared.storage.media import MediaStore
from shared.storage.signing import KeySigner, Target, Urls, UrlSigner, url_signer
from tests.fakes import KEY, SETTINGS
from tests.jobs import NOW

POOL = ThreadPoolExecutor(1)
"""Unused: a key signs in the caller's thread, and nothing is looked up."""


def none_needed() -> Lookups:
    raise AssertionError("a job that names all of its media has nothing to look for")


def store(settings: Settings = SETTINGS) -> MediaStore:
    return MediaStore(none_needed, settings.bucket_names, url_signer(settings, POOL), POOL)


@pytest.fixture(scope="module", autouse=True)
def pool() -> Iterator[None]:
    with POOL:
        yield


def job(user_id: str, path: str) -> Job:
    paths = {f"{medium.value}_path": path for medium in Medium}
    pictures = dict.fromkeys(Medium, path)
    kinds = {picture.kind.value: pictures for picture in Picture}
    return Job(id="job-1", user_id=user_id, status="completed", **kinds, **paths)  # type: ignore[arg-type]


FIELDS = {
    *("reference_image_path", "motion_video_path", "input_video_path", "output_video_path"),
    *("posters.reference_image", "posters.motion_video", "posters.output_video"),
    *("previews.motion_video", "previews.output_video"),
    *("views.reference_image", "storyboards.output_video"),
}


@pytest.mark.parametrize(
    ("user_id", "path", "reason"),
    [
        ("me", "you/job-1/secret.mp4", "it is not under the job's user"),
        ("me", "https://evil.test/secret.mp4", "it is not under the job's user"),
        ("me", "me/../you/secret.mp4", "it is no object's name"),
        ("me", "me//secret.mp4", "it is no object's name"),
        ("me", "me/secret.mp4\n", "it is no object's name"),
        ("a/b", "a/b/secret.mp4", "the job's user can own no media"),
    ],
)
def test_a_path_that_is_not_the_owners_is_told_by_its_field_and_the_reason(
    caplog: pytest.LogCaptureFixture, user_id: str, path: str, reason: str
) -> None:
    asked_twice = store()
    asked_twice.urls([job(user_id, path)], NOW)
    caplog.clear()
    with caplog.at_level("WARNING", "nuumee"):
        (urls,) = asked_twice.urls([job(user_id, path)], NOW)
    assert not any(urls.urls.values())
    told = [(record.getMessage(), record.__dict__["fields"]) for record in caplog.records]
    assert {message for message, _ in told} == {"media_path_not_owned"}
    assert {fields["field"] for _, fields in told} == FIELDS
    assert all(fields["job_id"] == "job-1" and fields["reason"] == reason for _, fields in told)
    assert "secret" not in str(told)


def test_a_damaged_path_is_told_by_its_field(caplog: pytest.LogCaptureFixture) -> None:
    sound = job("me", "me/job-1/a.mp4")
    damaged = replace(sound, reference_image_path=None, damaged_paths=frozenset({Medium.REFERENCE_IMAGE}))
    with caplog.at_level("WARNING", "nuumee"):
        (urls,) = store().urls([damaged], NOW)
    assert urls.urls[Medium.REFERENCE_IMAGE] is None
    assert urls.urls[Medium.MOTION_VIDEO]
    (told,) = [record.__dict__["fields"] for record in caplog.records]
    assert told == {"job_id": "job-1", "field": "reference_image_path", "reason": "it is no text, or too long"}


NAMED = [
    job("me", "me/job-1/a.mp4"),
    replace(job("me", "me/job-2/b.mp4"), id="job-2", posters=dict.fromkeys(Medium)),
]
OTHERS: dict[str, list[Any]] = {
    "signing_key": [replace(KEY, access_id="GOOG1EOTHER"), replace(KEY, secret="rotated"), SigningKey("A", "B")],
    "storage_emulator": ["http://127.0.0.1:1", "http://127.0.0.1:2"],
    "url_lifetime": [1800],
    "images_bucket": ["images"],
    "videos_bucket": ["videos"],
    "outputs_bucket": ["outputs"],
}
CHANGES: list[dict[str, Any]] = [{}, *({name: other} for name, others in OTHERS.items() for other in others)]
some_settings = st.sampled_from(CHANGES).map(lambda changes: replace(SETTINGS, **changes))
times = st.integers(0, 3).map(lambda number: NOW + number * timedelta(minutes=8))


def told(settings: Settings, now: datetime) -> list[object]:
    """What an answer says about the jobs' media, without the countdown, which a version ignores."""
    return [{**one.as_json(), "expires_in_seconds": None} for one in store(settings).urls(NAMED, now)]


@given(some_settings, some_settings, times, times)
def test_equal_versions_of_the_same_documents_mean_equal_urls(
    one: Settings, other: Settings, at: datetime, then: datetime
) -> None:
    if store(one).version(NAMED, at) == store(other).version(NAMED, then):
        assert told(one, at) == told(other, then)


@pytest.mark.parametrize("changes", CHANGES[1:], ids=str)
def test_a_setting_that_changes_the_urls_changes_their_version(changes: dict[str, Any]) -> None:
    assert store(replace(SETTINGS, **changes)).version(NAMED, NOW) != store().version(NAMED, NOW)


@pytest.mark.parametrize(
    "changes",
    [{medium.path_field: "me/job-1/c.mp4"} for medium in Medium]
    + [{kind: {}} for kind in ("previews", "views", "storyboards")]
    + [{"posters": dict.fromkeys(Medium)}, {"playable": {Medium.MOTION_VIDEO: False}}, {"status": "processing"}],
    ids=str,
)
def test_a_job_that_changes_has_the_urls_that_it_would_have_had_alone(changes: dict[str, Any]) -> None:
    changed = replace(NAMED[0], **changes)
    asked_twice = store()
    before = asked_twice.urls([NAMED[0]], NOW)
    after = asked_twice.urls([changed, NAMED[1]], NOW)
    assert before == store().urls([NAMED[0]], NOW)
    assert after == store().urls([changed], NOW) + store().urls([NAMED[1]], NOW)
    assert before[0].as_json() != after[0].as_json()


def test_urls_are_made_once_in_a_window_and_the_time_they_have_left_is_always_now() -> None:
    begins = NOW.replace(minute=0, second=0, microsecond=0)
    signed: list[Target] = []

    class Counting(Urls):
        def url(self, target: Target, begins: datetime) -> str:
            signed.append(target)
            return super().url(target, begins)

    signer = UrlSigner(Counting(KeySigner(KEY), "https://storage.test", 3600), 900)
    one = MediaStore(none_needed, SETTINGS.bucket_names, signer, POOL)
    (first,) = one.urls([replace(NAMED[0])], begins)
    made = len(signed)
    (second,) = one.urls([replace(NAMED[0])], begins + timedelta(minutes=14))
    assert (len(signed), second.urls) == (made, first.urls)
    assert [one.validity.expires_in for one in (first, second)] == [3600, 3600 - 14 * 60]
    (third,) = one.urls([replace(NAMED[0])], begins + timedelta(minutes=15))
    assert len(signed) == 2 * made == 2 * len([url for url in first.urls.values() if url])
    assert all(third.urls[shown] != url for shown, url in first.urls.items() if url)
    assert third.validity.expires_in == 3600


def test_only_the_jobs_that_were_asked_for_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.storage.media._MOST_KEPT", 3)
    one, jobs = store(), [replace(NAMED[0], id=f"job-{number}") for number in range(5)]
    assert [urls.job_id for urls in one.urls(jobs, NOW)] == [job.id for job in jobs]
    assert [job.id for job, _ in one._kept] == ["job-2", "job-3", "job-4"]
    one.urls(jobs[:1], NOW)
    assert [job.id for job, _ in one._kept] == ["job-3", "job-4", "job-0"]


def test_of_a_job_with_long_texts_little_is_kept() -> None:
    """Otherwise the documents of a single user could fill an instance's memory."""
    one, long = store(), "\U0001f600" * 250_000
    tracemalloc.start()
    try:
        for number in range(20):
            one.urls([replace(NAMED[0], id=f"job-{number}", extension_prompt=long[number:])], NOW)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 2 * 2**20


def test_storage_is_not_away_for_an_answer_that_has_other_media(caplog: pytest.LogCaptureFixture) -> None:
    def away() -> Lookups:
        raise TransportError("the metadata server is away")

    one = MediaStore(away, SETTINGS.bucket_names, url_signer(SETTINGS, POOL), POOL)
    unnamed = Job(id="job-3", user_id="me", status="completed")
    with pytest.raises(Unavailable):
        one.urls([unnamed], NOW)
    named, without = one.urls([NAMED[1], unnamed], NOW)
    (told,) = [record.__dict__["fields"] for record in caplog.records]
    assert (told["failures"], told["of"]) == (3, 3 + sum(url is not None for url in named.urls.values()))
    assert (any(named.urls.values()), named.has_media, without.has_media) == (True, True, False)
    with pytest.raises(Unavailable):  # nothing of the other one is its owner's
        one.urls([replace(NAMED[1], id="job-4", user_id="you"), unnamed], NOW)


def test_a_version_lasts_as_long_as_its_window() -> None:
    begins = NOW.replace(minute=0, second=0, microsecond=0)
    first = store().version(NAMED, begins)
    assert first is not None
    assert store().version(NAMED, begins + timedelta(minutes=14, seconds=59)) == first
    assert store().version(NAMED, begins + timedelta(minutes=15)) != first


@pytest.mark.parametrize(
    "changes",
    [
        {"reference_image_path": None},
        {"motion_video_path": None},
        {"output_video_path": None},
        {"posters": {}},
        {"posters": {Medium.REFERENCE_IMAGE: None, Medium.MOTION_VIDEO: None}},
    ],
)
def test_no_version_tells_of_what_is_looked_up(changes: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    unnamed = replace(NAMED[0], **changes)
    assert store().version([NAMED[1], unnamed], NOW) is None
    store().urls([unnamed], NOW)
    (told,) = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "media_incomplete"]
    assert told["causes"].keys() == {"AssertionError"}, "something was looked for"


def test_a_job_without_an_input_video_or_an_output_yet_has_nothing_to_be_looked_up() -> None:
    pending = replace(
        NAMED[1],
        status="processing",
        input_video_path=None,
        output_video_path=None,
        posters={Medium.REFERENCE_IMAGE: None, Medium.MOTION_VIDEO: None},
    )
    assert store().version([pending], NOW) is not None
