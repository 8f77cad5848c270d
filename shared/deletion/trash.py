"""The trash: a user's deleted jobs that can be restored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared import log
from shared.deletion.entry import deletion_of
from shared.deletion.ledger import Ledger
from shared.deletion.purge import Deletion, DeletionState
from shared.deletion.restores import longest_restore
from shared.jobs.documents import SHOWN, job_from
from shared.jobs.job import Job, rfc3339
from shared.jobs.pagination import ListQuery, Position

if TYPE_CHECKING:
    from shared.storage.retention import Retention


MOST_SPARED = 100
"""Most deletions of which nothing was removed for long that the trash looks at, those first whose files go first.

There are more only after an outage. Then some from before the window are not listed, though they can be restored.
"""
_Entries = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class DeletedJob:
    job: Job
    deletion: Deletion
    recoverable_until: datetime | None
    """Until when a restore is accepted: before the first file goes, by as much as a restore may take."""

    def as_json(self, share_origin: str) -> dict[str, object]:
        return {
            **self.job.as_json(share_origin),
            "deleted_at": rfc3339(self.deletion.deleted_at),
            "recoverable_until": rfc3339(self.recoverable_until),
            "purge": self.deletion.state.value,
        }


@dataclass(frozen=True, slots=True)
class TrashPage:
    jobs: list[DeletedJob]
    total: int
    number: int
    next: Position | None


class Trash:
    """Every method raises Unavailable when Firestore is away."""

    def __init__(self, ledger: Ledger, sweep_after: timedelta, longest_run: timedelta) -> None:
        """The times are those of `Restores`."""
        self._ledger = ledger
        self._longest_restore = longest_restore(sweep_after, longest_run)

    def page(self, query: ListQuery, kept: Retention, now: datetime) -> TrashPage:
        """A page of the user's jobs whose restore is accepted now, the last deleted first, shortened for lists.

        `kept` is how long the buckets keep what is removed; if they keep nothing, there are no such jobs. A job
        whose document is gone or another user's, or whose files other code may have removed long ago, is left out,
        but counted. The last are those whose files were removed so late after their deletion that they can still
        be restored; beyond MOST_SPARED, not all of them. Costs two reads for each job, one for each of those that
        were late, at least one, and, unless the cursor carries the total, a count. A page requested by number also
        costs a read for each job before it.
        """
        kept = kept.less(self._longest_restore)
        later_than, after = kept.earliest(now), query.after
        number, before = (after.page, after.shown) if after else (query.page, (query.page - 1) * query.page_size)
        if later_than is None:
            return TrashPage([], 0, number, None)
        place = (after.created_at, after.job_id) if after and after.created_at else None
        spared = self._spared(query.user_id, later_than, kept, now)
        total = after.total if after and after.total is not None else None
        if total is None:
            total = self._ledger.count_restorable(query.user_id, later_than) + len(spared)
        in_window = total - len(spared)
        found: _Entries = []
        if place[0] > later_than if place else before < in_window:
            skip = 0 if place else before
            found = self._ledger.restorable(query.user_id, later_than, query.page_size, skip, place)
        if place:
            # Their number says nothing: others may have been restored since the page before.
            rest = [entry for key, entry in spared if key < place]
        else:
            rest = [entry for _, entry in spared[max(0, before - in_window) :]]
        found += rest[: query.page_size - len(found)]
        shown = before + len(found)
        last = deletion_of(*found[-1]) if found and len(found) == query.page_size and shown < total else None
        following = Position(last.job_id, last.deleted_at, number + 1, shown, total) if last else None
        return TrashPage(self._jobs(query.user_id, found, kept, now), total, number, following)

    def _spared(
        self, user_id: str, later_than: datetime, kept: Retention, now: datetime
    ) -> list[tuple[tuple[datetime, str], tuple[str, dict[str, Any]]]]:
        """The deletions from before the window that can be restored, by time and id, the last one first."""
        found: dict[tuple[datetime, str], tuple[str, dict[str, Any]]] = {}
        for job_id, entry in self._ledger.spared(user_id, later_than, MOST_SPARED):
            deletion = deletion_of(job_id, entry)
            if deletion and deletion.is_deleted and deletion.deleted_at <= later_than:
                until = _recoverable_until(deletion, kept, now)
                if until and until > now:
                    found[deletion.deleted_at, job_id] = job_id, entry
        return sorted(found.items(), key=lambda one: one[0], reverse=True)

    def _jobs(self, user_id: str, found: _Entries, kept: Retention, now: datetime) -> list[DeletedJob]:
        documents = self._ledger.documents([job_id for job_id, _ in found], SHOWN)
        own = {
            job_id: job_from(job_id, document).shortened()  # as it arrives, to save memory
            for job_id, document in documents
            if document.get("user_id") == user_id
        }
        jobs: list[DeletedJob] = []
        for job_id, entry in found:
            deletion, job = deletion_of(job_id, entry), own.get(job_id)
            if deletion is None or job is None:
                log.warning("deleted_job_not_listed", job_id=job_id)
                continue
            until = _recoverable_until(deletion, kept, now)
            if until is None or until <= now:
                continue  # other code marked it at an unknown time, so its files may have gone long ago
            jobs.append(DeletedJob(job, deletion, until))
        return jobs


def _recoverable_until(deletion: Deletion, kept: Retention, now: datetime) -> datetime | None:
    """Until when a restore is accepted. A job without files is in the trash as long as if it had some."""
    removes_later = now if deletion.state is DeletionState.PENDING else deletion.deleted_at
    return kept.kept_until(deletion.first_removal or removes_later)
