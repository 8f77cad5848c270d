"""Deletions of jobs: the ledger and the marks in the jobs' documents, and the state of their purges.

The ledger's entry says whether a job is deleted, and whose it is. The mark in the job's document hides the job
from readers who look at no ledger. Where the mark is lost, each method that writes puts it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from shared import log
from shared.deletion import entry as entries
from shared.deletion.entry import Entry
from shared.deletion.ledger import Changes, Ledger, Step, without_stale_mark
from shared.deletion.purge import NOTHING, Deletion, DeletionState, Leftovers
from shared.deletion.standing import (
    LOOKED_AT,
    Pair,
    Standing,
    deletion_of,
    entry_from,
    has_lost_mark,
    is_marked_again,
    is_marked_by_others,
    is_of_one_owner,
    mark_of,
    marked_at,
    others_removed_at,
    owner_of,
    standing_of,
    texts_to_erase,
)
from shared.errors import Contended, NotFound
from shared.jobs.amending import BUSY
from shared.jobs.job import is_job_id

if TYPE_CHECKING:
    from shared.storage.removal import BucketPurge


class Deletions:
    """Every method raises Unavailable when Firestore is away.

    `sweep_after` is how long a purge may be pending before a sweep requests it again.
    """

    def __init__(self, ledger: Ledger, sweep_after: timedelta) -> None:
        self._ledger = ledger
        self._sweep_after = sweep_after

    def mark(self, user_id: str, job_id: str, now: datetime) -> Deletion:
        """Write the ledger's entry and the job's mark together. Returns the first deletion if there is one.

        A deletion that is just being taken back is pending again, from its first time on: what has not come back
        yet was removed since then. Raises NotFound if the user has no such job.
        """
        step = self.marking(user_id, job_id, user_id, now, entries.FINAL_WATCHED_FOR)
        return _deletion(self._ledger.change(job_id, step))

    def marking(
        self, user_id: str, job_id: str, by: str, now: datetime, final_watched_for: timedelta = timedelta()
    ) -> Step:
        """The step of `mark`, for a deletion that `by` requested.

        Without `final_watched_for`, sweeps look only at the marks of jobs in progress.
        """
        if not is_job_id(job_id):
            raise NotFound

        def step(pair: Pair) -> Changes:
            if owner_of(pair) != user_id:
                raise NotFound
            deletion, due = deletion_of(pair), now + self._sweep_after
            is_own = deletion is not None and deletion.user_id == user_id
            if deletion and not is_own and _goes_on(deletion):
                raise Contended(BUSY)  # an earlier owner's deletion of a job with this id is not finished
            if deletion and is_own and deletion.is_deleted:
                return self._standing(pair, pair.entry or entry_from(pair, due), now)
            if deletion and is_own and deletion.state is DeletionState.RESTORING:
                return self._standing(pair, entries.wanted_again(pair.entry, due), now)
            at, others = now, None
            if is_marked_by_others(pair):
                at = min(marked_at(pair.document) or now, now)
                others = min(others_removed_at(pair.document), now)
            entry = entries.opened(
                job_id,
                user_id,
                pair.document,
                by=by,
                at=at,
                marked_at=now,
                due=due,
                final_watched_for=final_watched_for,
                others_removed_at=others,
            )
            mark = mark_of(entry) if pair.document else {}
            return Changes(entries.followed(pair.entry, entry), mark, ("purge",))

        return step

    def of(self, job_id: str) -> Deletion | None:
        """The job's deletion, in any state; None if there never was one. Costs two reads."""
        return deletion_of(self._ledger.read([job_id])[job_id])

    def is_earlier_owner(self, user_id: str, job_id: str) -> bool:
        """Whether the user deleted a job with this id, which is another user's by now. Costs two reads."""
        pair = self._ledger.read([job_id])[job_id]
        return owner_of(pair) != user_id and entries.was_deleted_by(pair.entry, user_id)

    def entry(self, user_id: str, job_id: str) -> Entry:
        """The ledger's entry of the user's deletion, whatever its state. Costs two reads.

        Raises NotFound if the user has deleted no such job.
        """
        pair = self._ledger.read([job_id])[job_id]
        deletion = deletion_of(pair)
        if deletion is None or deletion.user_id != user_id:
            raise NotFound
        return pair.entry or entry_from(pair, None)

    def standings(self, job_ids: Sequence[str]) -> dict[str, Standing]:
        """The owner and deletion of each job. Unknown jobs are left out. Costs two reads per id."""
        pairs = self._ledger.read(job_ids, LOOKED_AT)
        return {job_id: standing_of(pair) for job_id, pair in pairs.items() if pair.entry or pair.document}

    def begin_purge(self, job_id: str, owner: str, key: str, now: datetime) -> Deletion | None:
        """The job's deletion, or None as in `of`. Records one more run if it is `owner`'s and not taken back.

        `key` identifies the run. Costs two reads and one write.
        """

        def begin(pair: Pair, entry: Entry) -> Entry:
            if not entries.is_deleted(entry):
                return entry
            named = entries.names_outside(job_id, owner, pair.document) if is_of_one_owner(pair) else []
            return entries.begun(entry, key, named, now)

        return deletion_of(self._record(job_id, begin, now, owner))

    def still_holds(self, deletion: Deletion, now: datetime) -> bool:
        """Whether the job's files may be removed now. A purge asks before each batch. Costs two reads.

        Puts the job's mark again if it is lost.
        """
        pair = self._ledger.read([deletion.job_id], LOOKED_AT)[deletion.job_id]
        current = deletion_of(pair)
        if current is None or not current.is_deleted or current.user_id != deletion.user_id:
            return False
        if has_lost_mark(pair):
            self.uphold(deletion.job_id, now)
        return True

    def end_purge(
        self,
        job_id: str,
        key: str,
        buckets: Sequence[BucketPurge],
        now: datetime,
        found: Leftovers = NOTHING,
        *,
        owner: str,
    ) -> Deletion:
        """Add the run's results to the entry, if it is still `owner`'s.

        The purge is done if no bucket has an error and nothing was `found`. Returns the deletion after that, which
        may have been taken back meanwhile.
        """
        step = partial(entries.ended, key=key, buckets=buckets, found=found, now=now)
        return _deletion(self._record(job_id, lambda _, entry: step(entry), now, owner))

    def record_late_upload(
        self, job_id: str, bucket: str, generation: int, now: datetime, *, size: int, owner: str
    ) -> bool:
        """Record that an object of `size` bytes arrived after the delete and is being removed.

        Returns whether it may be: `owner` may have taken the deletion back.
        """

        def step(_: Pair, entry: Entry) -> Entry:
            if not entries.is_deleted(entry):
                return entry
            return entries.late_upload_found(entry, bucket, generation, size, now)

        pair = self._record(job_id, step, now, owner)
        return entries.is_deleted(pair.entry) and pair.entry.get("user_id") == owner

    def end_late_removal(
        self, job_id: str, bucket: str, generation: int, now: datetime, *, is_removed: bool, owner: str
    ) -> None:
        """Record that `owner`'s object is gone. It `is_removed` if it was there until this run removed it."""
        step = partial(entries.late_upload_ended, bucket=bucket, generation=generation, is_removed=is_removed)
        self._record(job_id, lambda _, entry: step(entry), now, owner)

    def record_sweep(self, deletion: Deletion, now: datetime) -> None:
        """Record that a sweep requested the purge again or looked at the mark, and postpone the next sweep."""
        step = partial(entries.swept, due=deletion.sweep_at, now=now, sweep_after=self._sweep_after)
        self._record(deletion.job_id, lambda _, entry: step(entry), now)

    def reopen(self, job_id: str, now: datetime) -> None:
        """Make the purge pending and due now, because objects are left or may be left."""
        self._record(job_id, lambda _, entry: entries.reopened(entry, now), now)

    def uphold(self, job_id: str, now: datetime) -> None:
        """Put right what a stale copy has undone: put a lost mark again, and remove texts that were erased."""
        self._record(job_id, lambda _, entry: entry, now)

    def take_stale_mark(self, job_id: str, now: datetime) -> bool:
        """Take the mark of a deletion that was taken back from the job's document, if it is there.

        Returns whether other code has marked the restored job instead. That mark stays.
        """
        pair = self._ledger.change(job_id, lambda pair: without_stale_mark(pair, None, now))
        return is_marked_again(pair)

    def take_over(self, job_id: str, now: datetime) -> Deletion | None:
        """Move the `purge` map of an older deletion from the job's document into the ledger.

        Returns the deletion. Without one, the map goes all the same, so that it does not come up again, and that
        is logged: somebody has taken the deletion back by hand, or the document is damaged.
        """

        def step(pair: Pair) -> Changes:
            if pair.entry or deletion_of(pair) is not None:
                return self._standing(pair, pair.entry or entry_from(pair, now), now)
            log.error("purge_without_deletion", job_id=job_id)
            return Changes(drop=("purge",))

        return deletion_of(self._ledger.change(job_id, step))

    def due(self, now: datetime, owed: int, looks: int) -> list[Deletion]:
        """Deletions whose next sweep is due: first purges and restores to be requested again, then the others.

        There are `owed` and `looks` of them at the most. Of the others, just the mark must be looked at. Order and
        costs are those of `Ledger.due`. An entry that cannot be read is logged and put out of the way.
        """
        found: list[Deletion] = []
        for job_id, entry in self._ledger.due(now, owed, looks):
            deletion = entries.deletion_of(job_id, entry)
            if deletion and is_job_id(job_id):
                found.append(deletion)
            else:
                log.error("ledger_entry_damaged", job_id=job_id)
                self._ledger.change(job_id, lambda pair: Changes({**pair.entry, "sweep_at": None}))
        return found

    def all_pending(self, before: datetime) -> Iterator[Deletion]:
        """Deletions requested before that time whose purge is still pending, oldest first, read page by page."""
        found = (entries.deletion_of(job_id, entry) for job_id, entry in self._ledger.pending(before))
        return (deletion for deletion in found if deletion)

    def oldest_going_on(self, before: datetime, limit: int) -> Deletion | None:
        """The first of `all_pending` of whose files some may be left, or None, for `limit` reads at the most.

        Passes over those of which only objects elsewhere are left, and over damaged entries. Where the first
        `limit` are all such, it finds none.
        """
        found = (entries.deletion_of(*one) for one in self._ledger.oldest_pending(before, limit))
        return next((deletion for deletion in found if deletion and _goes_on(deletion)), None)

    def _record(
        self, job_id: str, step: Callable[[Pair, Entry], Entry], now: datetime, owner: str | None = None
    ) -> Pair:
        """Apply a step to the entry if there is a deletion (of `owner`), and put a lost mark again."""

        def change(pair: Pair) -> Changes:
            deletion = deletion_of(pair)
            if deletion is None or (owner is not None and deletion.user_id != owner):
                return Changes()
            entry = pair.entry or entry_from(pair, now + self._sweep_after)
            return self._standing(pair, step(pair, entry), now)

        return self._ledger.change(job_id, change)

    def _standing(self, pair: Pair, entry: Entry, now: datetime) -> Changes:
        """The entry, with the mark if the document has lost it, and without what older code left there.

        The texts of a job that an erasure reached go, too, whoever writes them.
        """
        after = replace(pair, entry=entry)
        drop = ("purge", *texts_to_erase(after))
        if not has_lost_mark(after):
            return Changes(entry, drop=drop)
        log.warning("mark_put_again", job_id=pair.job_id)
        return Changes(entries.mark_lost(entry, now, self._sweep_after), mark_of(entry), drop)


def _goes_on(deletion: Deletion) -> bool:
    """Whether files may be left or on their way back. What is `left` elsewhere is for somebody to look at."""
    if deletion.state is DeletionState.PENDING:
        return not (deletion.left and deletion.is_proved_empty)
    return deletion.state is DeletionState.RESTORING


def _deletion(pair: Pair) -> Deletion:
    deletion = deletion_of(pair)
    if deletion is None:
        raise Contended(BUSY)
    return deletion
