"""The ledger of deletions in Firestore, read and written together with the jobs' documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from google.api_core import exceptions as google_errors
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.field_path import FieldPath

from shared.deletion.displacing import displaced_fields
from shared.deletion.entry import ERASED_TEXTS, Entry
from shared.deletion.purge import DELETED, DeletionState
from shared.deletion.standing import LOOKED_AT, MARK, Pair, has_stale_mark, stirred
from shared.errors import Contended
from shared.jobs.amending import BUSY, Document
from shared.jobs.documents import fields
from shared.outages import fetched, firestore_limits, outages, pages

_PAGE = 300
_MOST_TRIES = 8
_RACES = (
    google_errors.FailedPrecondition,
    google_errors.Aborted,
    google_errors.AlreadyExists,
    google_errors.NotFound,
)
"""What a conditional write raises if another writer came first."""
_OWED = [DeletionState.PENDING.value, DeletionState.RESTORING.value]
"""States in which a user waits for files to go or to come back."""
_OVER = [DeletionState.DONE.value, DeletionState.RESTORED.value]


@dataclass(frozen=True, slots=True)
class Changes:
    """What to write, all of it or nothing: the whole entry, and fields of the job's document."""

    entry: Entry | None = None
    put: Document = field(default_factory=dict)
    drop: Sequence[str] = ()
    """Fields to remove from the document."""


def without_stale_mark(pair: Pair, entry: Entry | None, now: datetime) -> Changes:
    """Takes the mark that a stale copy has brought back to a restored job, if it is there, and writes `entry`."""
    if not has_stale_mark(pair):
        return Changes(entry)
    return Changes(entry, put=stirred(pair.entry, pair.document, now), drop=MARK)


Step = Callable[[Pair], Changes]


class Ledger:
    """Every method raises Unavailable when Firestore is away."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._jobs = client.collection("jobs")
        self._entries = client.collection("deletions")
        self._dead_letters = client.collection("dead_letters")

    def read(self, job_ids: Iterable[str], only: Sequence[str] | None = None) -> dict[str, Pair]:
        """The pair of each job, with `only` these fields of both. Costs two reads per id."""
        found = self._snapshots(job_ids, only)
        return {job_id: _pair(job_id, *snapshots) for job_id, snapshots in found.items()}

    def change(self, job_id: str, step: Step) -> Pair:
        """Write what `step` wants, on condition that what is written has not changed since it was read.

        If somebody else was first, tries again. The next read also detects a write whose answer was lost, provided
        that `step` then wants no change. A document without room for the changes gets it: its largest fields move
        to `deletions/{job_id}/displaced`. Returns the changed pair. Each try costs two reads, and one write for
        each of the two that changes. Raises Contended if others keep writing, and InvalidArgument if there is no
        room after all, but never for a mark.
        """
        for _ in range(_MOST_TRIES):
            entry, job = self._snapshots([job_id], None)[job_id]
            pair = _pair(job_id, entry, job)
            changes = step(pair)
            try:
                with outages("Firestore"):
                    return self._write(pair, changes, entry, job)
            except _RACES:
                continue
        raise Contended(BUSY)

    def due(self, now: datetime, owed: int, others: int) -> list[tuple[str, Entry]]:
        """Entries whose next sweep is due: `owed` at the most whose purge or restore is owed, then `others`.

        Of each kind the longest overdue come first, and neither waits behind the other. Costs a query that finds
        as many as both together at the most. If it does, two more find as many again. Each is a read at least.
        """
        due = self._entries.where(filter=FieldFilter("sweep_at", "<=", now)).order_by("sweep_at")
        found = fetched(due.limit(owed + others))
        if len(found) == owed + others:  # more may be due, and those found may all be of one kind
            found += fetched(due.where(filter=FieldFilter("state", "in", _OWED)).limit(owed)) if owed else []
            found += fetched(due.where(filter=FieldFilter("state", "in", _OVER)).limit(others)) if others else []
        entries = {one.id: fields(one) for one in found}
        ordered = sorted(entries.items(), key=lambda one: one[1]["sweep_at"])
        first = [one for one in ordered if one[1].get("state") in _OWED]
        rest = [one for one in ordered if one[1].get("state") not in _OWED]
        return first[:owed] + rest[:others]

    def pending(self, before: datetime) -> Iterator[tuple[str, Entry]]:
        """Pending deletions requested before that time, oldest first, read page by page."""
        return ((one.id, fields(one)) for one in _paged(self._pending(before)))

    def oldest_pending(self, before: datetime, limit: int) -> list[tuple[str, Entry]]:
        """The first of `pending`. Costs one read for each, and at least one."""
        return [(one.id, fields(one)) for one in fetched(self._pending(before).limit(limit))]

    def _pending(self, before: datetime) -> firestore.Query:
        return (
            self._entries.where(filter=FieldFilter("state", "==", DeletionState.PENDING.value))
            .where(filter=FieldFilter("requested_at", "<", before))
            .order_by("requested_at")
        )

    def restorable(
        self, user_id: str, later_than: datetime, limit: int, skip: int, after: tuple[datetime, str] | None
    ) -> list[tuple[str, Entry]]:
        """The user's deletions requested later than that and not taken back, the last one first.

        Begins behind the time and id of `after`, if given, and costs a read for each, also for those to skip.
        """
        query = self._restorable(user_id, later_than).limit(limit).offset(skip)
        query = query.order_by("__name__", direction=firestore.Query.DESCENDING)
        if after:
            query = query.start_after({"requested_at": after[0], "__name__": self._entries.document(after[1])})
        return [(one.id, fields(one)) for one in fetched(query)]

    def count_restorable(self, user_id: str, later_than: datetime) -> int:
        """How many there are of `restorable`. Costs one read for each 1,000, and at least one."""
        with outages("Firestore"):
            counted: Any = self._restorable(user_id, later_than).count().get(**firestore_limits())
        return int(counted[0][0].value)

    def spared(self, user_id: str, later_than: datetime, limit: int) -> list[tuple[str, Entry]]:
        """The user's deletions, also those taken back, that had removed nothing for long, until after that time.

        The first to lose a file come first. Costs one read for each, and at least one.
        """
        own = self._entries.where(filter=FieldFilter("user_id", "==", user_id))
        query = own.where(filter=FieldFilter("spared_until", ">", later_than)).order_by("spared_until")
        return [(one.id, fields(one)) for one in fetched(query.limit(limit))]

    def documents(self, job_ids: Iterable[str], only: Sequence[str]) -> Iterator[tuple[str, Document]]:
        """These fields of the jobs' documents that exist, by id, in any order. Costs one read per id."""
        references = [self._jobs.document(job_id) for job_id in job_ids]
        if references:
            with outages("Firestore"):
                found = self._client.get_all(references, only, **firestore_limits())
                yield from ((one.id, fields(one)) for one in found if one.exists)

    def all(self) -> Iterator[Pair]:
        """Every entry with its job's document, shortened. Reads the whole ledger, and each job, page by page.

        Of jobs that an erasure reached, the texts that it should have removed are there too.
        """
        for page in pages(self._entries.select(["erasure"]).order_by("__name__"), _PAGE):
            for is_erased, only in ((False, LOOKED_AT), (True, (*LOOKED_AT, "erasure", *ERASED_TEXTS))):
                if ids := [one.id for one in page if ("erasure" in fields(one)) is is_erased]:
                    yield from self.read(ids, only).values()

    def old_form(self) -> Iterator[str]:
        """Ids of jobs whose document still holds a `purge` map, read page by page."""
        return (one.id for one in _paged(self._jobs.select(["purge.state"]).order_by("purge.state")))

    def old_form_pending(self, limit: int) -> list[str]:
        """Ids of jobs whose document still holds a pending `purge`."""
        pending = self._jobs.where(filter=FieldFilter("purge.state", "==", DeletionState.PENDING.value))
        return [one.id for one in fetched(pending.select([]).limit(limit))]

    def jobs_naming(self, user_id: str, path_field: str, name: str) -> Iterator[tuple[str, Document]]:
        """The user's jobs, live or not, whose `path_field` is this name, with `deleted_at` alone."""
        query = self._jobs.where(filter=FieldFilter("user_id", "==", user_id)).where(
            filter=FieldFilter(path_field, "==", name)
        )
        return ((one.id, fields(one)) for one in _paged(query.select(["user_id", "deleted_at"])))

    def displaced(self, job_id: str, after: int) -> Document:
        """The fields that made room for the mark in the job's document, each with its latest value.

        Only those that were displaced `after` so many times.
        """
        there = self._entries.document(job_id).collection("displaced")
        found = sorted(fetched(there), key=lambda one: int(one.id))
        return {name: value for one in found if int(one.id) > after for name, value in fields(one).items()}

    def forget_displaced(self, job_id: str, names: Iterable[str]) -> None:
        """Remove these fields from what was displaced. Costs a read for each such document, at most a write."""
        there = self._entries.document(job_id).collection("displaced")
        for one in fetched(there):
            if found := [name for name in names if name in fields(one)]:
                with outages("Firestore"):
                    one.reference.update(dict.fromkeys(found, firestore.DELETE_FIELD), **firestore_limits())

    def record_dead_letter(self, message_id: str, letter: Document) -> None:
        """Keep a message that could not be processed. Recording it again changes nothing."""
        with outages("Firestore"):
            try:
                self._dead_letters.document(message_id).create(letter, **firestore_limits())
            except google_errors.AlreadyExists:
                return

    def _restorable(self, user_id: str, later_than: datetime) -> firestore.Query:
        return (
            self._entries.where(filter=FieldFilter("user_id", "==", user_id))
            .where(filter=FieldFilter("state", "in", [state.value for state in DELETED]))
            .where(filter=FieldFilter("requested_at", ">", later_than))
            .order_by("requested_at", direction=firestore.Query.DESCENDING)
        )

    def _snapshots(self, job_ids: Iterable[str], only: Sequence[str] | None) -> dict[str, tuple[Any, Any]]:
        """The entry's and the document's snapshot for each id."""
        ids = list(job_ids)
        if not ids:
            return {}
        references = [collection.document(job_id) for job_id in ids for collection in (self._entries, self._jobs)]
        with outages("Firestore"):
            asked = self._client.get_all(references, only, **firestore_limits())
            found = {snapshot.reference.path: snapshot for snapshot in asked}
        return {job_id: (found[f"deletions/{job_id}"], found[f"jobs/{job_id}"]) for job_id in ids}

    def _write(self, pair: Pair, changes: Changes, entry: Any, job: Any) -> Pair:
        after = _after(pair, changes)
        if after == pair:
            return pair
        is_marked = not changes.put.keys().isdisjoint(MARK)
        kept = {name: value for name, value in pair.document.items() if name in after.document}
        # A live job loses nothing that it has: at most it does not get back what once made room.
        gained = {name: value for name, value in changes.put.items() if name not in pair.document}
        movable = kept if is_marked else gained
        more = filter(None, displaced_fields(movable, is_marked) if after.document != pair.document else ())
        moved: Document = {}
        while True:
            try:
                return self._commit(pair, after, moved, entry, job)
            except google_errors.InvalidArgument:
                moved = next(more, {})
                if not moved:
                    raise

    def _commit(self, pair: Pair, after: Pair, moved: Document, entry: Any, job: Any) -> Pair:
        """Write it without the `moved` fields, which go to a document of their own."""
        if not moved:
            self._batch(pair, after, entry, job).commit(**firestore_limits())
            return after
        number = self._last_displaced(pair.entry, entry.reference) + 1
        left = {name: value for name, value in after.document.items() if name not in moved}
        after = Pair(pair.job_id, {**after.entry, "displaced": number}, left)
        batch = self._batch(pair, after, entry, job)
        batch.create(entry.reference.collection("displaced").document(str(number)), moved)
        batch.commit(**firestore_limits())
        return after

    def _last_displaced(self, entry: Entry, reference: firestore.DocumentReference) -> int:
        """The number of the last such document. A hand that removes an entry leaves those below it."""
        if "displaced" in entry:
            return int(entry["displaced"])
        return max((int(one.id) for one in fetched(reference.collection("displaced").select([]))), default=0)

    def _batch(self, before: Pair, after: Pair, entry: Any, job: Any) -> firestore.WriteBatch:
        batch = self._client.batch()
        for snapshot, old, new in ((entry, before.entry, after.entry), (job, before.document, after.document)):
            changed = _changed(old, new)
            if changed and snapshot.exists:
                unchanged = self._client.write_option(last_update_time=snapshot.update_time)
                batch.update(snapshot.reference, changed, option=unchanged)
            elif changed:
                batch.create(snapshot.reference, new)
        return batch


def _pair(job_id: str, entry: Any, job: Any) -> Pair:
    return Pair(job_id, fields(entry), fields(job))


def _after(pair: Pair, changes: Changes) -> Pair:
    document = {name: value for name, value in pair.document.items() if name not in changes.drop}
    entry = pair.entry if changes.entry is None else changes.entry
    return Pair(pair.job_id, entry, {**document, **changes.put})


def _changed(old: Document, new: Document) -> Document:
    """The changed fields by their quoted names, because a writer's field may have any name."""
    changed: Document = {name: value for name, value in new.items() if name not in old or old[name] != value}
    changed |= dict.fromkeys(old.keys() - new.keys(), firestore.DELETE_FIELD)
    return {FieldPath(name).to_api_repr(): value for name, value in changed.items()}


def _paged(query: firestore.Query) -> Iterator[Any]:
    return chain.from_iterable(pages(query, _PAGE))
