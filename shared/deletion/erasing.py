"""Deletes the jobs of an erasure, each as any delete does, and removes their texts."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime

from shared import log
from shared.deletion import entry as entries
from shared.deletion.deletions import Deletions
from shared.deletion.erasures import Erasure
from shared.deletion.ledger import Changes, Ledger
from shared.deletion.purge import Deletion
from shared.deletion.standing import Pair, deletion_of, owner_of
from shared.errors import Contended, Unavailable
from shared.jobs.documents import is_live
from shared.jobs.job import is_job_id

_AT_ONCE = 16
"""Jobs being written at a time. Each takes three calls to Firestore, one after the other."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of some jobs."""

    deletions: list[Deletion]
    """Those that stand now, also those of before this erasure; of those that another erasure dealt with, only the
    ones since this one was requested. Their jobs have no texts any more."""
    failed: int
    """How many could not be written. What went wrong is logged."""
    left: tuple[str, ...] = ()
    """The ids of those that are live, because their owner has restored them or because the id is impossible."""


class Erasing:
    def __init__(self, ledger: Ledger, deletions: Deletions) -> None:
        self._ledger = ledger
        self._deletions = deletions

    def erase(self, erasure: Erasure, job_ids: Sequence[str], now: datetime) -> Erased:
        """Delete these jobs unless their owner has taken the deletion back since the erasure.

        A job that was deleted before loses its texts. One that cannot be written does not keep the others.
        Impossible job ids are skipped and logged. Asks again for those that Firestore did not answer, and raises
        Unavailable once it answers for none. Costs, for each job, two reads and two writes; no write if an erasure
        dealt with it before.
        """
        possible = [job_id for job_id in job_ids if is_job_id(job_id)]
        left = [job_id for job_id in job_ids if not is_job_id(job_id)]
        if left:
            log.warning("job_ids_unusable", found=len(left))
        deletions: list[Deletion] = []
        failed = 0
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="erasing") as pool:
            while possible:
                begun = [pool.submit(copy_context().run, self._erased, erasure, one, now) for one in possible]
                found = [one.result() for one in begun]
                deletions += [one for one in found if isinstance(one, Deletion)]
                failed += found.count(_FAILED)
                left += [one for one, became in zip(possible, found, strict=True) if became == _LEFT]
                away = [one for one, became in zip(possible, found, strict=True) if became == _AWAY]
                if len(away) == len(possible):
                    raise Unavailable("Firestore")
                possible = (
                    away  # some calls failed and others did not: a batch of many would never succeed at once
                )
        return Erased(deletions, failed, tuple(left))

    def _erased(self, erasure: Erasure, job_id: str, now: datetime) -> Deletion | str | None:
        try:
            return self._erase(erasure, job_id, now)
        except Exception as error:
            if isinstance(error, Unavailable) and not isinstance(error, Contended):
                return _AWAY
            log.exception("erasure_job_failed", job_id=job_id)
            return _FAILED

    def _erase(self, erasure: Erasure, job_id: str, now: datetime) -> Deletion | str | None:
        # The erasure itself looks for a day whether one of its jobs is live again. Clocks differ, and no deletion
        # is older than the wish for it.
        at = max(now, erasure.requested_at)
        mark = self._deletions.marking(erasure.user_id, job_id, erasure.requested_by, at)

        def step(pair: Pair) -> Changes:
            if owner_of(pair) != erasure.user_id:
                return Changes()
            if entries.is_restored_despite(pair.entry, erasure.requested_at):
                return Changes()  # a delete since then is a later wish
            changes = mark(pair)
            if _is_erased(pair, changes):
                return Changes()
            entry = entries.erased(changes.entry or pair.entry, erasure.id)
            return Changes(entry, changes.put, (*changes.drop, *entries.ERASED_TEXTS))

        pair = self._ledger.change(job_id, step)
        if is_live(pair.document, erasure.user_id):
            return _LEFT
        if (by := pair.entry.get("erasure")) != erasure.id:
            return _deleted_since(erasure, pair) if by else None
        if "displaced" in pair.entry:
            self._ledger.forget_displaced(job_id, entries.ERASED_TEXTS)
        return deletion_of(pair)


def _is_erased(pair: Pair, changes: Changes) -> bool:
    """Whether an erasure has dealt with the job, and a delete would change nothing."""
    is_same = "erasure" in pair.entry and changes.entry == pair.entry
    return is_same and pair.document.keys().isdisjoint(("purge", *entries.ERASED_TEXTS))


def _deleted_since(erasure: Erasure, pair: Pair) -> Deletion | None:
    """The deletion by another erasure of a job that was live when this one was asked for; None if it was not."""
    deletion = deletion_of(pair) if owner_of(pair) == erasure.user_id else None
    is_ours = deletion and deletion.is_deleted and deletion.deleted_at >= erasure.requested_at
    return deletion if is_ours else None


_FAILED, _AWAY, _LEFT = "failed", "away", "left"
