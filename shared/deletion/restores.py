"""Takes deletions back: what a restore writes into the ledger and the job's document, and when.

The ledger's state is the owner's last wish. A restore ends only when no run that removes objects can be left, so
that none of them removes what has just come back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared import log
from shared.deletion import entry as entries
from shared.deletion.entry import Entry
from shared.deletion.ledger import Changes, Ledger, without_stale_mark
from shared.deletion.purge import Deletion, DeletionState
from shared.deletion.standing import (
    LOOKED_AT,
    MARK,
    Pair,
    deletion_of,
    entry_from,
    has_stale_mark,
    is_marked_again,
    is_of_one_owner,
    owner_of,
    stirred,
)
from shared.errors import Gone, NotDeleted, NotFound, RestoreIncomplete
from shared.jobs.allowance import Allowance
from shared.jobs.amending import Document
from shared.jobs.documents import is_deleted
from shared.jobs.job import can_own_media, is_job_id

KeptUntil = Callable[[datetime], datetime | None]
"""Until when all that was removed at that time can be restored; None if it was not kept."""
RESTORES = Allowance(at_once=10, every=timedelta(hours=1))
"""Restores of one job. Each leaves a copy of every file, which is kept and paid for as what a delete removes
(https://cloud.google.com/storage/docs/soft-delete#pricing), and has all pictures made anew."""
ErasedAt = Callable[[], datetime | None]
"""When the user last asked to delete all jobs; None if never."""


def longest_restore(sweep_after: timedelta, longest_run: timedelta) -> timedelta:
    """How long a restore may take: a run that is killed, and one more that a sweep asks for."""
    return longest_run + sweep_after


class Restores:
    """Every method raises Unavailable when Firestore is away.

    `sweep_after` is how long a restore may take before a sweep requests it again. A run that removes objects and
    has not ended after `longest_run` was killed.
    """

    def __init__(self, ledger: Ledger, sweep_after: timedelta, longest_run: timedelta) -> None:
        self._ledger = ledger
        self._sweep_after = sweep_after
        self._longest_run = longest_run

    def request(
        self, user_id: str, job_id: str, kept_until: KeptUntil, now: datetime, erased_at: ErasedAt
    ) -> Deletion:
        """Take the job's deletion back. Returns it as RESTORING, or RESTORED if that has happened already.

        Raises NotFound if the user has no such job, NotDeleted if it is live and always was, and Gone if its files
        cannot come back, or if there may be too little time for a run and for one more that a sweep asks for, and
        TooManyRequests if the job was restored many times lately. A stale mark of a restored job goes at once: its
        files are there. Costs two reads, those of `erased_at`, and a write; a repeated request no write, unless an
        erasure since the first would delete the job.
        """
        if not is_job_id(job_id):
            raise NotFound

        def step(pair: Pair) -> Changes:
            if owner_of(pair) != user_id:
                raise NotFound
            deletion = deletion_of(pair)
            if deletion is None and not is_deleted(pair.document):
                raise NotDeleted
            if deletion is None or deletion.user_id != user_id:
                raise NotFound  # marked in a way that lets no files go, or an earlier owner's
            if is_marked_again(pair):
                raise Gone
            if not deletion.is_deleted:
                return without_stale_mark(pair, _wished_since(pair.entry, erased_at()), now)
            if not pair.document or self._may_be_gone(deletion, kept_until, now):
                raise Gone
            due = now + self._sweep_after
            entry = _restoring(pair.entry or entry_from(pair, due), erased_at(), now, due)
            if not can_own_media(user_id):
                return self._live_again(replace(pair, entry=entry), now)
            return Changes(entry, drop=("purge",))

        deletion = deletion_of(self._ledger.change(job_id, step))
        if deletion is None:
            raise NotFound
        return deletion

    def of(self, job_id: str) -> Deletion | None:
        """The deletion to be taken back, in any state, or None. Costs two reads."""
        return deletion_of(self._ledger.read([job_id], LOOKED_AT)[job_id])

    def is_wanted(self, wish: Deletion) -> bool:
        """Whether this restore, as `of` returned it, is still wanted. A run asks before each batch.

        It is not if the job was deleted meanwhile, also if another restore was requested after that. Costs two
        reads.
        """
        now = self.of(wish.job_id)
        return now is not None and now.state is DeletionState.RESTORING and now.restores == wish.restores

    def may_begin(self, job_id: str, now: datetime) -> bool:
        """Whether all runs that removed objects have ended. Costs two reads."""
        return not self._is_removing(self._ledger.read([job_id], ("running",))[job_id], now)

    def finish(self, wish: Deletion, now: datetime) -> DeletionState | None:
        """Make the job live, with the fields that its mark displaced, in one write. Returns the state after that.

        `wish` is the restore, as `of` returned it when the run began. Does nothing to a job that is not being
        restored any more. Raises RestoreIncomplete if another restore was requested meanwhile, or if a run may
        still be removing what has come back. Costs two reads and two writes.
        """

        def step(pair: Pair) -> Changes:
            if pair.entry.get("state") != DeletionState.RESTORING:
                return Changes()
            _check_same(pair, wish)
            if self._is_removing(pair, now):
                raise RestoreIncomplete("a run may still be removing objects")
            if not pair.document or not is_of_one_owner(pair):
                return Changes(entries.given_up(pair.entry, now))
            return self._live_again(pair, now)

        pair = self._ledger.change(wish.job_id, step)
        deletion = deletion_of(pair)
        if not deletion:
            return None
        if deletion.state is DeletionState.RESTORED and _has_displaced(pair.entry):
            log.error("restore_left_fields", job_id=wish.job_id)
        return deletion.state

    def abandon(self, wish: Deletion, now: datetime) -> None:
        """Let the deletion stand after all, because not everything can come back: nothing may be there by half.

        Raises RestoreIncomplete if another restore was requested meanwhile.
        """

        def step(pair: Pair) -> Changes:
            if pair.entry.get("state") != DeletionState.RESTORING:
                return Changes()
            _check_same(pair, wish)
            return Changes(entries.given_up(pair.entry, now))

        self._ledger.change(wish.job_id, step)

    def record_sweep(self, deletion: Deletion, now: datetime) -> None:
        """Record that a sweep requested the restore again, or looked at a restored job, and postpone the next.

        Removes the mark that a stale copy has brought back to a restored job's document.
        """

        def step(pair: Pair) -> Changes:
            entry = entries.swept(pair.entry, deletion.sweep_at, now, self._sweep_after)
            if has_stale_mark(pair):
                log.warning("stale_mark_removed", job_id=pair.job_id)
            return without_stale_mark(pair, entry, now)

        self._ledger.change(deletion.job_id, step)

    def _live_again(self, pair: Pair, now: datetime) -> Changes:
        entry, put = _restored(pair.entry, now, now + self._sweep_after), self._displaced(pair)
        put |= stirred(entry, {**put, **pair.document}, now)
        return Changes(entry, put=put, drop=(*MARK, "purge"))

    def _may_be_gone(self, deletion: Deletion, kept_until: KeptUntil, now: datetime) -> bool:
        """Whether the first file may be gone for good before a restore is done."""
        if deletion.first_removal is None:
            return False
        until = kept_until(deletion.first_removal)
        return until is None or until <= now + longest_restore(self._sweep_after, self._longest_run)

    def _is_removing(self, pair: Pair, now: datetime) -> bool:
        return any(began > now - self._longest_run for began in entries.running(pair.entry).values())

    def _displaced(self, pair: Pair) -> Document:
        """What the mark displaced and no writer has written since."""
        if not _has_displaced(pair.entry):
            return {}
        moved = self._ledger.displaced(pair.job_id, pair.entry.get("put_back", 0))
        return {name: value for name, value in moved.items() if name not in pair.document}


def _restoring(entry: Entry, erased_at: datetime | None, now: datetime, due: datetime) -> Entry:
    """The owner takes the deletion back. A sweep asks for the restore again once it is `due`."""
    refusal = "This job has been restored many times lately. It can be restored again in {}."
    return {
        **entries.unproved(entry),
        "restores_until": RESTORES.used(entry.get("restores_until"), now, refusal),
        "state": DeletionState.RESTORING.value,
        "restore_requested_at": now,
        "restored_despite": erased_at,
        "restores": entries.restores(entry) + 1,
        "sweeps": 0,
        "sweep_at": due,
    }


def _wished_since(entry: Entry, erased_at: datetime | None) -> Entry:
    """The owner asks again for a restore. After an erasure this is the last wish, which the erasure respects."""
    is_known = erased_at is None or entries.is_restored_despite(entry, erased_at)
    return entry if is_known else {**entry, "restored_despite": erased_at}


def _restored(entry: Entry, now: datetime, due: datetime) -> Entry:
    """Everything is back. Sweeps look at the job for a while: a stale copy may bring the mark back."""
    changes = {"restored_at": now, "sweeps": 0, "sweep_at": due, "watched_until": now + entries.WATCHED_FOR}
    displaced = {"put_back": entry["displaced"]} if "displaced" in entry else {}
    return {**entry, **changes, **displaced, "state": DeletionState.RESTORED.value}


def _has_displaced(entry: Entry) -> bool:
    """Whether fields made room for the mark and have not been put back."""
    return bool(entry.get("displaced") != entry.get("put_back"))


def _check_same(pair: Pair, wish: Deletion) -> None:
    if entries.restores(pair.entry) != wish.restores:
        raise RestoreIncomplete("another restore was requested meanwhile")
