"""Compares the objects in the buckets with the jobs in Firestore.

An object belongs to a job if its name starts with the owner and id of a live job. Objects of a deleted job
should be on their way out. Objects of no job are reported but never removed: only the ledger of deletions allows
files to be removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby, islice
from pathlib import Path

from google.api_core.exceptions import InvalidArgument

from infra.tool import Misused
from shared.deletion.deletions import Deletions
from shared.deletion.ledger import Ledger
from shared.deletion.purge import DeletionState
from shared.deletion.standing import Pair, Standing, has_lost_mark, has_stale_mark, texts_to_erase
from shared.jobs.documents import is_deleted
from shared.jobs.job import JobPrefix
from shared.storage.objects import ObjectStore, StoredObject

BATCH = 100
"""Jobs looked up at once."""


class Kind(StrEnum):
    LIVE = "live"
    RECENT = "recent"
    """The job does not exist yet, or is just being purged."""
    SAID_DONE = "said-done"
    OVERDUE = "overdue"
    """The deleted job's purge has been pending too long, or was never requested."""
    LEFT = "left"
    """A deleted job names it elsewhere, and no live job needs it: somebody must look at it."""
    LOST_MARK = "lost-mark"
    """The ledger says that the job is deleted, and its document does not."""
    ERASED_TEXTS = "erased-texts"
    """A stale copy of an erased job's document has brought back texts that the erasure removed."""
    STALE_MARK = "stale-mark"
    """The ledger says that the job was restored, and its document still has the mark of before."""
    MARKED_AGAIN = "marked-again"
    """The ledger says that the job was restored, and other code has marked it since: no files go, and no restore
    helps. Somebody must look whether it is to be deleted."""
    RESTORING = "restoring"
    """A restore was requested long ago and is not done. Sweeps ask for it again: somebody must look why."""
    OLD_FORM = "old-form"
    """The job's document still holds the record of its purge, which belongs into the ledger."""
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Group:
    """One job's objects in one bucket, or adjacent objects that belong to no job."""

    bucket: str
    prefix: str
    owner: JobPrefix | None
    last: str
    """Name of the last of them."""
    newest: datetime
    objects: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference: objects that should not exist or, without a bucket, a deletion that is not as it should be."""

    kind: Kind
    prefix: str
    bucket: str | None = None
    objects: int = 0
    bytes: int = 0
    stuck: bool = False
    """Whether its purge cannot be reopened because Firestore refuses to write it."""


@dataclass(slots=True)
class Checkpoint:
    """How far a run has come, and its counts: bucket -> kind -> [objects, bytes]."""

    run: str = ""
    """Identifies what the run covers. Another run must not resume from here."""
    bucket: int = 0
    after: str | None = None
    """Name of the last object counted."""
    counted: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    findings: int = 0
    left: int = 0
    """Those of them, besides objects of no job, that no repair mends."""

    def count(self, group: Group, kind: Kind) -> None:
        numbers = self.counted.setdefault(group.bucket, {}).setdefault(kind.value, [0, 0])
        numbers[0] += group.objects
        numbers[1] += group.bytes

    def save(self, file: Path) -> None:
        """Replace the file atomically: a killed run leaves either the old file or the new one."""
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(asdict(self)))
        new.replace(file)

    @classmethod
    def load(cls, file: Path, run: str) -> Checkpoint:
        """The saved checkpoint, or a new one if there is no file. Raises Misused if the file is from another
        run.
        """
        try:
            found = cls(**json.loads(file.read_text()))
        except FileNotFoundError:
            return cls(run)
        except (TypeError, ValueError):
            raise Misused(f"{file} is no checkpoint: remove it") from None
        if found.run != run:
            raise Misused(f"{file} is of another run ({found.run}): finish that one, or remove the file")
        return found


class Reconciliation:
    """`grace` is how long an upload may lack a job, or a purge be pending, before it is reported.

    With `repair`, reopens purges that should have removed what was found. The sweeps then request them again.
    """

    def __init__(
        self,
        store: ObjectStore,
        deletions: Deletions,
        ledger: Ledger,
        buckets: Iterable[str],
        *,
        now: datetime,
        grace: timedelta,
        repair: bool,
    ) -> None:
        self._objects = store
        self._deletions = deletions
        self._ledger = ledger
        self._buckets = tuple(buckets)
        self._now = now
        self._since = now - grace
        self._repair = repair

    def objects(self, checkpoint: Checkpoint) -> Iterator[list[Finding]]:
        """Go through the buckets from the checkpoint on. The checkpoint advances with each batch yielded."""
        while checkpoint.bucket < len(self._buckets):
            groups = _groups(self._objects, self._buckets[checkpoint.bucket], checkpoint.after)
            while batch := list(islice(groups, BATCH)):
                findings = list(self._look_at(batch, checkpoint))
                checkpoint.after, checkpoint.findings = batch[-1].last, checkpoint.findings + len(findings)
                yield findings
            checkpoint.bucket, checkpoint.after = checkpoint.bucket + 1, None

    def deletions(self) -> Iterator[Finding]:
        """Deletions that are not as they should be, whether they have objects or not."""
        for job_id in list(self._ledger.old_form()):
            if self._repair:
                self._deletions.take_over(job_id, self._now)
            yield Finding(Kind.OLD_FORM, f"jobs/{job_id}")
        for deletion in self._deletions.all_pending(self._since):
            for named in deletion.left:
                yield Finding(Kind.LEFT, named)
            if deletion.has_failed or not deletion.left:
                prefix = f"{deletion.user_id}/{deletion.job_id}/"
                yield Finding(Kind.OVERDUE, prefix, stuck=self._is_stuck(deletion.job_id))
        for pair in self._ledger.all():
            if has_lost_mark(pair):
                yield Finding(Kind.LOST_MARK, f"jobs/{pair.job_id}", stuck=self._is_stuck(pair.job_id))
            elif texts_to_erase(pair):
                if self._repair:
                    self._deletions.uphold(pair.job_id, self._now)
                yield Finding(Kind.ERASED_TEXTS, f"jobs/{pair.job_id}")
            elif has_stale_mark(pair):
                if self._repair:
                    self._deletions.take_stale_mark(pair.job_id, self._now)
                yield Finding(Kind.STALE_MARK, f"jobs/{pair.job_id}")
            elif kind := self._wrong_restore(pair):
                yield Finding(kind, f"jobs/{pair.job_id}")

    def _wrong_restore(self, pair: Pair) -> Kind | None:
        """What somebody must look at in a job that was restored, or is being so. Its mark is not a stale one."""
        state, asked, done = (pair.entry.get(name) for name in ("state", "restore_requested_at", "restored_at"))
        if state == DeletionState.RESTORING and (not isinstance(asked, datetime) or asked < self._since):
            return Kind.RESTORING
        is_marked = state == DeletionState.RESTORED and isinstance(done, datetime) and is_deleted(pair.document)
        return Kind.MARKED_AGAIN if is_marked else None

    def _look_at(self, groups: list[Group], checkpoint: Checkpoint) -> Iterator[Finding]:
        ids = list(dict.fromkeys(group.owner.job_id for group in groups if group.owner))
        standings = self._deletions.standings(ids) if ids else {}
        for group in groups:
            kind = self._kind(group, standings)
            checkpoint.count(group, kind)
            if kind in (Kind.LIVE, Kind.RECENT):
                continue
            stuck = bool(group.owner and kind is not Kind.UNKNOWN and self._is_stuck(group.owner.job_id))
            yield Finding(kind, group.prefix, group.bucket, group.objects, group.bytes, stuck)

    def _is_stuck(self, job_id: str) -> bool:
        """Reopen the purge, if told to repair. Returns whether that failed, which does not stop other repairs."""
        try:
            if self._repair:
                self._deletions.reopen(job_id, self._now)
        except InvalidArgument:
            return True
        return False

    def _kind(self, group: Group, standings: dict[str, Standing]) -> Kind:
        standing = standings.get(group.owner.job_id) if group.owner else None
        unknown = Kind.UNKNOWN if group.newest < self._since else Kind.RECENT
        if standing is None or group.owner is None or standing.user_id != group.owner.user_id:
            return unknown
        if not standing.is_deleted:
            return Kind.LIVE if standing.is_known else unknown
        deletion = standing.deletion
        if deletion is None:
            return Kind.UNKNOWN
        if deletion.state is DeletionState.DONE:
            # The listing is older than the job lookup, so the object may have been purged in between.
            return Kind.SAID_DONE if self._is_still_there(group) else Kind.RECENT
        overdue = deletion.deleted_at < self._since or deletion.sweep_at is None
        return Kind.OVERDUE if overdue else Kind.RECENT

    def _is_still_there(self, group: Group) -> bool:
        first = next(self._objects.objects(group.bucket, group.prefix), None)
        return first is not None and first.name.startswith(group.prefix)


def _groups(store: ObjectStore, bucket: str, after: str | None) -> Iterator[Group]:
    """The objects of a bucket, grouped by job. A listing yields all objects of a prefix in a row."""
    rest = (stored for stored in store.objects(bucket, after) if after is None or stored.name > after)
    for prefix, those in groupby(rest, _prefix):
        yield _group(bucket, prefix, those)


def _prefix(stored: StoredObject) -> str:
    """The first two folders of a name, or as many as it has."""
    return "".join(f"{part}/" for part in stored.name.split("/")[:-1][:2])


def _group(bucket: str, prefix: str, those: Iterator[StoredObject]) -> Group:
    first = next(those)
    group = Group(bucket, prefix, JobPrefix.of_object(f"{prefix}x"), first.name, first.created_at, 1, first.size)
    for stored in those:
        group.last, group.newest = stored.name, max(group.newest, stored.created_at)
        group.objects += 1
        group.bytes += stored.size
    return group
