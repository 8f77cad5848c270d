"""The two Firestores that contract tests run on: one in memory, and Firestore's emulator."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Protocol, cast

from google.cloud import firestore

from shared.deletion.deletions import Deletions
from shared.deletion.erasures import Erasures
from shared.deletion.ledger import Ledger
from shared.jobs.known_pictures import KnownPictures
from shared.jobs.renaming import Renaming
from shared.jobs.repository import JobRepository
from shared.jobs.stalled import StalledJobs
from shared.sharing.completion import Completions
from shared.sharing.expiry import Expiries
from shared.sharing.shares import Shares
from shared.sharing.views import Views
from tests import jobs
from tests.fake_firestore import (
    SWEEP_AFTER,
    FakeErasures,
    FakeLedger,
    FakeRenaming,
    FakeRepository,
    FakeStalledJobs,
)
from tests.fake_shares import FakeCompletions, FakeExpiries, FakeKnownPictures, FakeShares, FakeViews


class World(Protocol):
    repository: JobRepository
    ledger: Ledger
    deletions: Deletions
    erasures: Erasures
    shares: Shares
    completions: Completions
    known_pictures: KnownPictures
    renaming: Renaming
    stalled: StalledJobs
    views: Views
    expiries: Expiries

    def put(self, job_id: str, fields: dict[str, Any]) -> None: ...

    def read(self, job_id: str) -> dict[str, Any]: ...

    def put_entry(self, job_id: str, entry: dict[str, Any]) -> None: ...

    def entry(self, job_id: str) -> dict[str, Any]: ...

    def put_displaced(self, job_id: str, fields: dict[str, Any]) -> None: ...

    def put_erasure(self, erasure_id: str, fields: dict[str, Any]) -> None: ...

    def remove(self, job_id: str) -> None: ...

    def put_link(self, short_id: str, job_id: object) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self._fake = FakeRepository()
        self.repository = cast(JobRepository, self._fake)
        self._fake_ledger = FakeLedger(self._fake)
        self.ledger = cast(Ledger, self._fake_ledger)
        self.deletions = Deletions(self.ledger, SWEEP_AFTER)
        self._fake_erasures = FakeErasures()
        self.erasures: Erasures = self._fake_erasures
        self._fake_shares = FakeShares(self._fake)
        self.shares = cast(Shares, self._fake_shares)
        self.completions = cast(Completions, FakeCompletions(self._fake, self._fake_shares))
        self.known_pictures = cast(KnownPictures, FakeKnownPictures(self._fake))
        self.renaming = cast(Renaming, FakeRenaming(self._fake))
        self.stalled: StalledJobs = FakeStalledJobs(self._fake)
        self.views = cast(Views, FakeViews(self._fake))
        self.expiries = cast(Expiries, FakeExpiries(self._fake, self._fake_shares))

    def put(self, job_id: str, fields: dict[str, Any]) -> None:
        self._fake.documents[job_id] = fields

    def read(self, job_id: str) -> dict[str, Any]:
        return copy.deepcopy(self._fake.documents[job_id])

    def put_entry(self, job_id: str, entry: dict[str, Any]) -> None:
        self._fake_ledger.entries[job_id] = entry

    def entry(self, job_id: str) -> dict[str, Any]:
        return self._fake_ledger.entries.get(job_id, {})

    def put_displaced(self, job_id: str, fields: dict[str, Any]) -> None:
        self._fake_ledger.fields_moved.setdefault(job_id, []).append(fields)

    def put_erasure(self, erasure_id: str, fields: dict[str, Any]) -> None:
        self._fake_erasures.documents[erasure_id] = fields

    def remove(self, job_id: str) -> None:
        del self._fake.documents[job_id]

    def put_link(self, short_id: str, job_id: object) -> None:
        self._fake_shares.links[short_id] = job_id


class FirestoreWorld:
    def __init__(self, database: firestore.Client) -> None:
        self._database = database
        self.repository = JobRepository(database)
        self.ledger = Ledger(database)
        self.deletions = Deletions(self.ledger, SWEEP_AFTER)
        self.erasures = Erasures(database, SWEEP_AFTER)
        self.shares = Shares(database, 8)
        self.completions = Completions(database, 8)
        self.known_pictures = KnownPictures(database)
        self.renaming = Renaming(database)
        self.stalled = StalledJobs(database)
        self.views = Views(database)
        self.expiries = Expiries(database)

    def put(self, job_id: str, fields: dict[str, Any]) -> None:
        self._database.collection("jobs").document(job_id).set(fields)

    def read(self, job_id: str) -> dict[str, Any]:
        return jobs.read(self._database, job_id)

    def put_entry(self, job_id: str, entry: dict[str, Any]) -> None:
        self._database.collection("deletions").document(job_id).set(entry)

    def entry(self, job_id: str) -> dict[str, Any]:
        return jobs.read_entry(self._database, job_id)

    def put_displaced(self, job_id: str, fields: dict[str, Any]) -> None:
        there = self._database.collection("deletions").document(job_id).collection("displaced")
        there.document("1").set(fields)

    def put_erasure(self, erasure_id: str, fields: dict[str, Any]) -> None:
        self._database.collection("erasures").document(erasure_id).set(fields)

    def remove(self, job_id: str) -> None:
        self._database.collection("jobs").document(job_id).delete()

    def put_link(self, short_id: str, job_id: object) -> None:
        self._database.collection("short_links").document(short_id).set({"job_id": job_id})


def put_many(world: World, user: str, make: Callable[..., dict[str, Any]], count: int) -> list[str]:
    ids = [jobs.new_id() for _ in range(count)]
    for job_id in ids:
        world.put(job_id, make(user))
    return ids
