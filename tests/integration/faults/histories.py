"""Histories of jobs under faults: what may happen to a job, and what must be true once everything is at rest."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests
from google.api_core.exceptions import InvalidArgument
from google.cloud import firestore

from infra.local.users import Account
from shared.deletion.entry import ERASED_TEXTS
from shared.deletion.ledger import Ledger
from shared.messaging.events import JobDeleted
from tests.integration.faults.bench import PATIENCE, Bench
from tests.integration.faults.erasing import erase, erasures, is_erased
from tests.jobs import NOW, document, fill, read, read_entry

_FOR_DELIVERIES = 5.0
_NAMES = ("reference.png", "motion.mp4", "output.mp4", "parts/1.bin", "poster.webp")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens. `number` selects the object or the call that the step is about."""

    kind: str
    number: int


@dataclass
class Player:
    """Plays one history on a job. The same user has a neighbouring job, which only an erasure deletes.

    The neighbour's id begins with the job's id. Another user has a file under exactly the same job id.
    """

    bench: Bench
    account: Account
    history: list[Step]
    restarts: threading.Lock
    job_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    neighbour: str = ""
    uploaded: dict[tuple[str, str], list[bytes]] = field(default_factory=dict)
    outcomes: set[str] = field(default_factory=lambda: {"live"})
    """What may come of it: the last accepted wish, and those since then whose answer was lost."""
    neighbours: set[str] = field(default_factory=lambda: {"live"})
    """The same of the neighbour."""
    deletes: int = 0
    restores: int = 0
    erasures: int = 0
    vanished: bool = False
    is_full: bool = False
    late: int = 0
    kills: list[threading.Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.neighbour = f"{self.job_id}-2"

    def play(self) -> None:
        batch = self.bench.database.batch()
        batch.set(self._jobs.document(self.neighbour), self._document(self.job_id))
        self._copied = self._document(self.neighbour)
        batch.set(self._jobs.document(self.job_id), self._copied)
        batch.commit()
        # When the history begins, one file of each job may still await its notification. The others await none.
        self._put_file(f"somebody-else/{self.job_id}/output.mp4", 2)
        for job_id in (self.neighbour, self.job_id):
            self._upload(job_id, 0)
            for number in (1, 2):
                self._put_file(self._name(job_id, number), number, self.bench.put_long_ago)
        for step in self.history:
            getattr(self, f"_{step.kind}")(step.number)

    def is_at_rest(self) -> bool:
        """Whether nothing is left to do for the jobs. Faults do not affect this check."""
        if not self.erasures:
            return self._rests(self.job_id)
        return is_erased(self.bench, self.user_id) and all(map(self._rests, (self.neighbour, self.job_id)))

    def _rests(self, job_id: str) -> bool:
        places = [self.bench.database.collection(name).document(job_id) for name in ("deletions", "jobs")]
        found = {one.reference.parent.id: one.to_dict() or {} for one in self.bench.database.get_all(places)}
        entry, fields = found["deletions"], found["jobs"]
        if not entry:
            return True
        is_marked = not fields or fields.get("deleted_at") is not None
        if entry["state"] == "restored":
            return not is_marked
        if "erasure" in entry and fields.keys() & {*ERASED_TEXTS}:
            return False
        return entry["state"] == "done" and is_marked and not self._found(job_id)

    def story(self) -> str:
        """The history and what has become of it, for the message of a failure."""
        told = [
            " ".join(f"{step.kind} {step.number}" for step in self.history),
            f"may be: {sorted(self.outcomes)}, the neighbour: {sorted(self.neighbours)}",
            *(f"erasure: {one}" for one in erasures(self.bench, self.user_id)),
        ]
        for job_id in (self.job_id, self.neighbour):
            for what, fields in (("entry", read_entry), ("document", read)):
                shortened = {name: str(value)[:300] for name, value in fields(self.bench.database, job_id).items()}
                told.append(f"{what} {job_id}: {shortened}")
            told.append(f"objects: {sorted(self._found(job_id))}")
        return "\n  ".join(told)

    def check(self, *, faultless: bool) -> None:
        """Raise AssertionError if a rule of the data is broken."""
        fields, entry = read(self.bench.database, self.job_id), read_entry(self.bench.database, self.job_id)
        is_deleted = bool(entry) and entry["state"] != "restored"
        outcome = "deleted" if is_deleted else "live"
        assert outcome in self.outcomes, "the last wish that was answered with 202 is not what came of it"
        assert fields or self.vanished, "the job's document is gone"
        assert not fields or (fields.get("deleted_at") is not None) == is_deleted, "the mark and the ledger differ"
        self._check_neighbour()
        assert self.bench.contents(f"somebody-else/{self.job_id}/"), "another user's file is gone"
        if not is_deleted:
            self._check_all_there(self.job_id)
            if self.is_full and not self.erasures:
                self._check_prompt(fields)
            return
        assert self._found(self.job_id) == {}, "a deleted job still has files"
        assert entry["user_id"] == self.user_id
        if "erasure" in entry:
            texts = {**fields, **Ledger(self.bench.database).displaced(self.job_id, 0)}.keys() & {*ERASED_TEXTS}
            assert self.vanished or not texts, "an erased job still has texts"
        elif self.is_full:
            self._check_prompt(fields)
        self._check_record(entry, faultless=faultless)

    def _check_prompt(self, fields: dict[str, Any]) -> None:
        """Also in a live job it may be elsewhere: its worker may have used the room meanwhile."""
        text = {**Ledger(self.bench.database).displaced(self.job_id, 0), **fields}["extension_prompt"]
        assert len(text) > 1_000_000, "a field that made room for the mark is lost"

    def _check_neighbour(self) -> None:
        entry, fields = (one(self.bench.database, self.neighbour) for one in (read_entry, read))
        outcome = "deleted" if entry else "live"
        assert outcome in self.neighbours, "the neighbour is not as the last accepted erasure wants it"
        assert (fields.get("deleted_at") is not None) == bool(entry), "the neighbour's mark and the ledger differ"
        if entry:
            assert self._found(self.neighbour) == {}, "an erased job still has files"
            assert not fields.keys() & {*ERASED_TEXTS}, "an erased job still has texts"
        else:
            self._check_all_there(self.neighbour)

    def _check_record(self, purge: dict[str, Any], *, faultless: bool) -> None:
        assert (purge["state"], purge["left"]) == ("done", [])
        assert purge["attempts"] >= 1
        assert purge["requested_at"] <= purge["started_at"]
        assert purge["requested_at"] <= purge["proved_empty_at"]
        assert {record["error"] for record in purge["buckets"].values()} == {None}
        assert set(purge["buckets"]) == set(self.bench.settings.buckets)
        if self.restores:
            return  # copies of objects are counted too
        removed = sum(record["objects"] for record in purge["buckets"].values())
        late, all_of_them = purge.get("late_objects", 0), self._count(self.job_id)
        assert removed <= all_of_them
        # A notification can arrive so late that an object from before the delete counts as late.
        assert late <= all_of_them
        if faultless:
            # The purge and process_upload may both count an object that both found.
            assert removed + late >= all_of_them, "the record counts fewer objects than were removed"

    def _check_all_there(self, job_id: str) -> None:
        expected: dict[tuple[str, str], tuple[int, bytes | None]] = {
            key: (len(contents), contents[-1])
            for key, contents in self.uploaded.items()
            if key[1].startswith(f"{self.user_id}/{job_id}/")
        }
        found = self._found(job_id)
        if self.deletes and job_id == self.job_id:  # a restore brings back what was live
            expected, found = ({key: (1, one[1]) for key, one in each.items()} for each in (expected, found))
        assert found == expected, "files of a live job are missing or changed"

    # What may happen. Each method gets the number of its step.

    def _complete(self, _: int) -> None:
        """The worker reports the job completed, without knowing whether it was deleted.

        In a full document, the time of it has room only while the mark displaces another field.
        """
        if not self.vanished:
            job = self._jobs.document(self.job_id)
            job.update({"status": "completed"})
            with suppress(InvalidArgument):
                job.update({"completed_at": NOW})

    def _copy(self, number: int) -> None:
        """A writer writes back its whole copy of the document, which it read before, and reads it anew.

        It may be the worker, also one that completes the job with this, or another writer after that.
        """
        if not self.vanished and not self.is_full:
            status = {} if number % 3 else {"status": "completed"}
            self._jobs.document(self.job_id).set({**self._copied, **status})
            self._copied = read(self.bench.database, self.job_id)

    def _vanish(self, _: int) -> None:
        """Somebody removes the job's document after its delete, as clean-ups of accounts do.

        An erasure that was accepted may not have reached the job yet. It does not find a job without a document.
        """
        state = read_entry(self.bench.database, self.job_id).get("state")
        if self.outcomes == {"deleted"} and state in ("pending", "done"):
            self.vanished = True
            self._jobs.document(self.job_id).delete()

    def _fill(self, _: int) -> None:
        """The document of a live job grows until it has no room for the mark."""
        if not self.deletes and not self.is_full:
            self.is_full = True
            fill(self.bench.database, self.job_id, self._copied)
            self._copied["extension_prompt"] = read(self.bench.database, self.job_id)["extension_prompt"]

    def _put(self, number: int) -> None:
        """A file is uploaded, before or after the delete."""
        self._upload(self.job_id, number)

    def _delete(self, _: int) -> None:
        """The user deletes the job."""
        self.deletes += 1
        self._wish("deleted", "DELETE", "delete_job", "")

    def _restore(self, _: int) -> None:
        """The user takes the deletion back, if there is one that can be."""
        self._wish("live", "POST", "undelete_job", "/restore")

    def _undo(self, number: int) -> None:
        """The user deletes the job and thinks better of it at once."""
        self._delete(number)
        self._restore(number)

    def _erase(self, _: int) -> None:
        """The user deletes all jobs: this one and the neighbour."""
        self.deletes += 1
        self.erasures += 1
        if erase(self.bench, self.account, 2, tries=4):
            self.outcomes, self.neighbours = {"deleted"}, {"deleted"}
        else:
            self.outcomes, self.neighbours = self.outcomes | {"deleted"}, self.neighbours | {"deleted"}

    def _wish(self, outcome: str, method: str, function: str, path: str) -> None:
        """Ask, and retry a few times after an error, but not before an emulator that was killed is back."""
        for attempt in range(3):
            if attempt > 0:
                with self.restarts:  # on a busy machine it takes longer than all tries
                    pass
            try:
                answer = requests.request(
                    method,
                    f"{self.bench.url(function)}/jobs/{self.job_id}{path}",
                    headers={"Authorization": f"Bearer {self.account.token}"},
                    timeout=30,
                )
            except requests.RequestException:
                continue
            if answer.status_code == 202:
                self.restores += outcome == "live"
                self.outcomes = {outcome}
                return
            if answer.status_code != 503:
                self._check_refusal(method, answer)
                return
        self.outcomes = self.outcomes | {outcome}

    def _check_refusal(self, method: str, answer: requests.Response) -> None:
        """A live job cannot be restored, also before an erasure reaches it, nor one whose document is gone."""
        may_be_live = "live" in self.outcomes or self.erasures > 0
        allowed = (409,) * may_be_live + (410,) * self.vanished
        assert method == "POST", answer.text
        assert answer.status_code in allowed, answer.text

    def _crash(self, number: int) -> None:
        """The purge, the restore or the erasure will be killed at one of its next calls."""
        self.kills.append(self.bench.kill_at(("purge_job", "restore_job", "erase_jobs")[number % 3], number))

    def _forge(self, number: int) -> None:
        """A bug elsewhere publishes an event for a deletion that never happened."""
        job_id = (self.neighbour, self.job_id, uuid.uuid4().hex)[number % 3]
        owner = (self.user_id, "somebody-else")[number // 3 % 2]
        data, attributes = JobDeleted(job_id, owner, NOW).encode()
        self.bench.publish(self.bench.settings.job_deleted_topic, data, **attributes)

    def _sweep(self, _: int) -> None:
        self.bench.sweep()

    def _restart(self, number: int) -> None:
        with self.restarts:
            (self.bench.restart_pubsub, self.bench.restart_firestore)[number % 2]()

    # How the steps and checks reach the services.

    def _upload(self, job_id: str, number: int) -> None:
        self.late += self.outcomes == {"deleted"} and job_id == self.job_id
        self._put_file(self._name(job_id, number), number)

    def _name(self, job_id: str, number: int) -> str:
        return f"{self.user_id}/{job_id}/{_NAMES[number % len(_NAMES)]}"

    def _put_file(self, name: str, number: int, put: Callable[[str, str, bytes], None] | None = None) -> None:
        bucket, content = self.bench.settings.buckets[number % 3], uuid.uuid4().bytes
        # Recorded first, because a late file may be removed before its upload is answered.
        self.uploaded.setdefault((bucket, name), []).append(content)
        (put or self.bench.upload)(bucket, name, content)

    def _found(self, job_id: str) -> dict[tuple[str, str], tuple[int, bytes | None]]:
        """For each of the job's objects: the number of generations, and the content of the live one."""
        return self.bench.contents(f"{self.user_id}/{job_id}/")

    def _count(self, job_id: str) -> int:
        prefix = f"{self.user_id}/{job_id}/"
        return sum(len(contents) for (_, name), contents in self.uploaded.items() if name.startswith(prefix))

    def _document(self, other: str) -> dict[str, Any]:
        """A job in progress, with texts, that shares its inputs with another job."""
        paths = {"motion_video_path": f"{self.user_id}/{other}/motion.mp4", "source_job_id": other}
        texts = {"name": "A name", "extension_prompt": "A prompt"}
        return document(self.user_id, status="processing", completed_at=None, **paths, **texts)

    @property
    def user_id(self) -> str:
        return self.account.user_id

    @property
    def _jobs(self) -> firestore.CollectionReference:
        return self.bench.database.collection("jobs")


def play_all(bench: Bench, players: Sequence[Player], *, seed: int, rate: float) -> None:
    """Play histories in parallel while a share `rate` of calls fails. Then wait for rest, and check them."""
    if rate:
        bench.fail(seed, rate)
    with ThreadPoolExecutor(len(players)) as threads:
        playing = [threads.submit(player.play) for player in players]
    bench.heal()
    come_to_rest(bench, players)
    for played in playing:
        played.result()
    undisturbed = not any(step.kind in ("crash", "restart") for player in players for step in player.history)
    for player in players:
        try:
            player.check(faultless=undisturbed and not rate)
        except AssertionError as error:
            error.add_note(player.story())
            raise


def come_to_rest(bench: Bench, players: Sequence[Player]) -> None:
    """Sweep until nothing is left to do or to deliver.

    A message that failed too often is a dead letter and is never delivered, so that wait is limited.
    """
    began = time.monotonic()
    waiting = list(players)

    def at_rest() -> bool:
        delivered = not bench.pubsub.undelivered or time.monotonic() > began + _FOR_DELIVERIES
        # Look only after all is delivered, and stop at the first that is not at rest: looking is most of the work.
        if delivered and not bench.notifications.unpublished:
            while waiting and waiting[-1].is_at_rest():
                waiting.pop()
            if not waiting:
                if all(player.is_at_rest() for player in players):
                    return True
                waiting.extend(players)
        assert time.monotonic() < began + PATIENCE, _restless(players)
        return False

    bench.sweep_until(at_rest)


def _restless(players: Sequence[Player]) -> str:
    """The message of a failure: what never came to rest, and everything that is known about it."""
    stories = [player.story() for player in players if not player.is_at_rest()]
    return "\n".join([f"{len(stories)} histories are not at rest after {PATIENCE} s", *stories])
