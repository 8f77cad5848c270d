"""The trash: a user's deleted jobs that can be restored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared import log
from shared.deletion.entry import deletion_of
from shared.deletion.ledger import Ledger
from shared.deletion.purge import Deletion
from shared.jobs.documents import SHOWN, job_from
from shared.jobs.job import Job, rfc3339
from shared.jobs.pagination import ListQuery, Position

if TYPE_CHECKING:
    from shared.storage.retention import Retention


@dataclass(frozen=True, slots=True)
class DeletedJob:
    job: Job
    deletion: Deletion
    recoverable_until: datetime | None

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

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def page(self, query: ListQuery, kept: Retention, now: datetime) -> TrashPage:
        """A page of the user's jobs that can be restored, the last deleted first, shortened for lists.

        `kept` is how long the buckets keep what is removed; if they keep nothing, there are no such jobs. A job
        whose document is gone or another user's is left out, but counted. Costs two reads for each job and, unless
        the cursor carries the total, a count. A page requested by number also costs a read for each job before it.
        """
        later_than, after = kept.earliest(now), query.after
        number, before = (after.page, after.shown) if after else (query.page, (query.page - 1) * query.page_size)
        if later_than is None:
            return TrashPage([], 0, number, None)
        total = after.total if after and after.total is not None else None
        if total is None:
            total = self._ledger.count_restorable(query.user_id, later_than)
        place = (after.created_at, after.job_id) if after and after.created_at else None
        found = (
            self._ledger.restorable(query.user_id, later_than, query.page_size, 0 if place else before, place)
            if before < total
            else []
        )
        shown = before + len(found)
        last = deletion_of(*found[-1]) if found and len(found) == query.page_size and shown < total else None
        following = Position(last.job_id, last.deleted_at, number + 1, shown, total) if last else None
        return TrashPage(self._jobs(query.user_id, found, kept, now), total, number, following)

    def _jobs(
        self, user_id: str, found: list[tuple[str, dict[str, object]]], kept: Retention, now: datetime
    ) -> list[DeletedJob]:
        documents = self._ledger.documents([job_id for job_id, _ in found], SHOWN)
        jobs: list[DeletedJob] = []
        for job_id, entry in found:
            deletion, document = deletion_of(job_id, entry), documents.get(job_id, {})
            if deletion is None or document.get("user_id") != user_id:
                log.warning("deleted_job_not_listed", job_id=job_id)
                continue
            until = kept.kept_until(deletion.first_removal or now)
            jobs.append(DeletedJob(job_from(job_id, document).shortened(), deletion, until))
        return jobs
