"""Thousands of events, most of them malformed. Each ends exactly once, and none removes a wrong file."""

from __future__ import annotations

import base64
import binascii
import copy
import json
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from functions.erase_jobs import erase_jobs
from functions.process_upload import process_upload
from functions.purge_job import purge_job
from functions.restore_job import restore_job
from functions.sweep_purges import sweep_purges
from shared.messaging.events import JobDeleted, JobRestored, JobsErased
from shared.messaging.subscriber import Subscriber
from shared.publishing.dead_letters import Letter
from tests.enumerated import FOUND, consumers
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, deleted, document
from tests.messages import envelope, notification

pytestmark = pytest.mark.slow  # thousands of events

EVENTS = 6_667
"""For each function."""
SEED = 2026
YEAR = timedelta(days=365)
LIVE, GONE, UNKNOWN = "live-job", "gone-job", "unknown-job"
YOURS, YOUR_ERASURE, MY_ERASURE = "your-job", "a" * 32, "b" * 32
"""Your erasure is of your job, and mine was asked for before my live job was created."""
OUTPUTS = SETTINGS.outputs_bucket
FUNCTIONS = consumers(FOUND)
REMOVING: list[Subscriber[Any]] = [purge_job, process_upload]
ODD: list[Any] = [
    *(None, "", "..", ".", "/", "a/b", "%2e%2e", "\x00", "\ud800", "é" * 200, "a" * 129, "__x__", "*", "me/"),
    *(0, 1, -1, 2**63, 1.5, float("nan"), True, [], {}, [1], {"a": 1}, "1", "2026-13-40", b"\xff".hex()),
]
Wish = Callable[[str, str], JobDeleted | JobRestored | JobsErased]
"""Makes an event from a job's and a user's id."""


def erasure(job_id: str, user_id: str) -> JobsErased:
    return JobsErased({LIVE: MY_ERASURE, GONE: YOUR_ERASURE, UNKNOWN: "0" * 32}[job_id], user_id)


def deletion(job_id: str, user_id: str) -> JobDeleted:
    return JobDeleted(job_id, user_id, NOW)


def restore(job_id: str, user_id: str) -> JobRestored:
    return JobRestored(job_id, user_id, NOW)


class Messages:
    """Makes messages from a seed: notifications, and what users want of their jobs' files.

    `sound` tells whether the last message was left unchanged.
    """

    def __init__(self, seed: int, *wishes: Wish) -> None:
        self._dice = random.Random(seed)
        self._wishes = wishes
        self.sound = False

    def any(self) -> Any:
        kind = self._dice.randrange(10)
        self.sound = kind < 2
        if kind == 9:
            return self._garbage()
        body, about = self._valid()
        for _ in range(0 if self.sound else self._dice.randint(1, 3)):
            self._mutate(body, about)
        data = json.dumps(body).encode()
        if kind >= 7:
            data = self._damaged(data)
        return envelope(data, about)

    def _valid(self) -> tuple[dict[str, Any], dict[str, Any]]:
        job_id = self._dice.choice([LIVE, GONE, UNKNOWN])
        if self._dice.random() < 0.5:
            wish = self._dice.choice(self._wishes)
            data, about = wish(job_id, self._dice.choice(["me", "you"])).encode()
        else:
            # A file's first generation exists, and may be removed if its job is deleted.
            name = (
                f"{self._dice.choice(['me', 'you'])}/{job_id}/{self._dice.choice(['file', 'other', 'output.mp4'])}"
            )
            bucket = self._dice.choice(SETTINGS.buckets)
            data, about = notification(name, bucket=bucket, generation=self._dice.randrange(1, 4))
        return json.loads(data), dict(about)

    def _mutate(self, body: dict[str, Any], about: dict[str, Any]) -> None:
        place = self._dice.choice([body, about])
        name = self._dice.choice([*place, "unheard-of"])
        if self._dice.random() < 0.3:
            place.pop(name, None)
        else:
            place[name] = self._dice.choice(ODD)

    def _damaged(self, data: bytes) -> bytes:
        place = self._dice.randrange(len(data))
        return self._dice.choice(
            [data[:place], data[:place] + self._dice.randbytes(3) + data[place:], data * 2, b"[" * 100_000]
        )

    def _garbage(self) -> Any:
        noise = self._dice.choice(ODD)
        return self._dice.choice(
            [
                *(noise, {"message": noise}, {"message": {"data": noise}}, {"message": {"attributes": noise}}),
                {"message": {"data": "e30=", "attributes": noise, "messageId": noise}, "deliveryAttempt": noise},
            ]
        )


@pytest.fixture
def services() -> FakeServices:
    services = FakeServices()
    services.add(LIVE, document("me"))
    services.add(GONE, deleted("me"))
    services.add(YOURS, document("you"))
    for erasure_id, user_id, at in ((MY_ERASURE, "me", NOW - YEAR), (YOUR_ERASURE, "you", NOW)):
        made = services.fake_erasures.request(user_id, 1, None, by=user_id, now=at)
        services.fake_erasures.documents[erasure_id] = services.fake_erasures.documents.pop(made.id)
    for job_id in (LIVE, GONE, UNKNOWN):
        for bucket in SETTINGS.buckets:
            for owner in ("me", "you"):
                services.fake_media.objects[bucket][f"{owner}/{job_id}/file"] = [job_id.encode()]
    return services


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: one._name)
def test_each_event_ends_once_and_only_the_deleted_jobs_files_may_go(
    function: Subscriber[Any], services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    before = copy.deepcopy(services.fake_media.objects)
    seed = SEED + FUNCTIONS.index(function)
    wishes: dict[Subscriber[Any], Wish] = {restore_job: restore, erase_jobs: erasure}
    messages, outcomes = Messages(seed, wishes.get(function, deletion)), Counter[str]()
    caplog.set_level("INFO", "nuumee")
    for _ in range(EVENTS):
        caplog.clear()
        message = messages.any()
        function.receive(message, services)  # raises if the event must be delivered again
        said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("event_")]
        assert len(said) == 1, f"seed {seed}: {message!r}"
        outcomes[said[0]] += 1
    assert sum(outcomes.values()) == EVENTS
    assert set(outcomes) <= {"event_done", "event_never"}
    assert min(outcomes.values()) > 100
    marked = {job_id for job_id, one in services.fake_repository.documents.items() if one.get("deleted_at")}
    assert marked == {GONE} | ({YOURS} if function is erase_jobs else set())
    after = services.fake_media.objects
    gone = {(bucket, name) for bucket in before for name in before[bucket] if not after[bucket].get(name)}
    allowed = {(bucket, f"me/{GONE}/file") for bucket in before}
    assert gone == (allowed if function in REMOVING else set())
    assert all(
        contents == before[bucket][name]
        for bucket in after
        for name, contents in after[bucket].items()
        if contents
    )


def test_dead_letters_of_every_kind_are_seen_to_and_remove_nothing(services: FakeServices) -> None:
    before = copy.deepcopy(services.fake_media.objects)
    messages = Messages(SEED, deletion, restore, erasure)
    for number in range(2_000):
        message = messages.any()
        parts = message.get("message") if isinstance(message, dict) else None
        attributes = parts.get("attributes") if isinstance(parts, dict) else None
        data = json.dumps(parts, default=str).encode() if number % 2 else b"\xff"
        text = parts.get("data") if isinstance(parts, dict) else None
        if isinstance(text, str) and number % 3:
            data = text.encode("ascii", "replace")
            with suppress(binascii.Error):
                data = base64.b64decode(data)
        texts = {str(k): str(v) for k, v in attributes.items()} if isinstance(attributes, dict) else {}
        kinds = (services.fake_dead_deletions, services.fake_dead_uploads, services.fake_dead_restores)
        kinds[number % 3].waiting.append(Letter(str(number), data, texts, str(number)))
    for _ in range(2_000 // 100):
        sweep_purges.receive(envelope(b"", {}), services)
    waiting = (services.fake_dead_deletions, services.fake_dead_uploads, services.fake_dead_restores)
    assert [one.waiting for one in waiting] == [[], [], []]
    assert len(services.fake_ledger.dead_letters) > 500
    assert services.fake_media.objects == before
