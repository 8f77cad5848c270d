"""In-memory stand-ins for data in Firestore. tests/contract checks that they behave like the real ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from shared.deletion import purge_record
from shared.deletion.documents import deletion_from, mark_of_deletion
from shared.deletion.purge import Deletion, PurgeState
from shared.errors import NotFound
from shared.jobs.documents import is_deleted, job_from
from shared.jobs.job import Job, is_job_id, newest_first, status_group
from shared.jobs.pagination import STATUS_GROUPS, JobPage, ListQuery, Position
from shared.jobs.renaming import renaming
from shared.storage.removal import BucketPurge

SWEEP_AFTER = timedelta(minutes=5)


class FakeRepository:
    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.calls = 0

    def get(self, user_id: str, job_id: str) -> Job:
        document = self._owned(user_id, job_id)
        if is_deleted(document):
            raise NotFound
        return job_from(job_id, document)

    def page(self, query: ListQuery) -> JobPage:
        self.calls += 1
        counts = self._counts(query.user_id) if query.with_counts else None
        if query.ids is not None:
            chosen = [job for job in self._mine(query) if job.id in query.ids and is_job_id(job.id)]
            versions = tuple(sorted(f"{job.id} {self.documents[job.id]!r}" for job in chosen))
            return JobPage(chosen, len(chosen), 1, None, counts, versions)
        found = self._found(query)
        jobs, total = [job for job in found if is_job_id(job.id)], len(found)
        number, before = query.page, (query.page - 1) * query.page_size
        if (after := query.after) is not None:
            number, before, total = after.page, 0, total if after.total is None else after.total
            if query.id_prefix is not None:
                jobs = [job for job in jobs if job.id > after.job_id]
            elif after.name is not None:
                jobs = [job for job in jobs if self._by_name(job) > (after.name.encode(), after.job_id)]
            elif after.created_at is not None:
                place = (after.created_at, after.job_id)
                jobs = [job for job in jobs if (newest_first(job) > place) == query.oldest_first]
                jobs = [job for job in jobs if newest_first(job) != place]
        shown, rest = jobs[before : before + query.page_size], jobs[before + query.page_size :]
        last = shown[-1] if shown and rest else None
        following = None
        if last:
            name = None if query.name_prefix is None else self.documents[last.id]["name_folded"]
            following = Position(last.id, last.created_at, number + 1, before + len(shown), total, name)
        return JobPage(shown, total, number, following, counts)

    def _owned(self, user_id: str, job_id: str) -> dict[str, Any]:
        self.calls += 1
        document = self.documents.get(job_id)
        if document is None or document.get("user_id") != user_id or not is_job_id(job_id):
            raise NotFound
        return document

    def _found(self, query: ListQuery) -> list[Job]:
        if query.id_prefix is not None:
            found = [job for job in self._mine(query) if job.id.startswith(query.id_prefix)]
            return sorted(found, key=lambda job: job.id)
        if (prefix := query.name_prefix) is not None:
            found = [job for job in self._mine(query) if self._by_name(job)[0].startswith(prefix.encode())]
            return sorted(found, key=self._by_name)
        found = [job for job in self._mine(query) if job.created_at is not None]
        return sorted(found, key=newest_first, reverse=not query.oldest_first)

    def _by_name(self, job: Job) -> tuple[bytes, str]:
        return str(self.documents[job.id].get("name_folded") or "").encode(), job.id

    def _counts(self, user_id: str) -> dict[str, int]:
        jobs = self._found(ListQuery(user_id=user_id))
        groups = Counter(status_group(job.status) for job in jobs)
        return {"all": len(jobs), **{group: groups[group] for group in STATUS_GROUPS}}

    def _mine(self, query: ListQuery) -> list[Job]:
        jobs = [
            job_from(job_id, document).shortened()
            for job_id, document in self.documents.items()
            if document.get("user_id") == query.user_id and not is_deleted(document)
        ]
        wanted = [job for job in jobs if query.takes(job.status) and _is_in(query, job)]
        return sorted(wanted, key=newest_first, reverse=True)


def _is_in(query: ListQuery, job: Job) -> bool:
    """Whether the filters by type and time take the job."""
    first, end, time = query.created_after, query.created_before, job.created_at
    if query.types and job.job_type not in query.types:
        return False
    return not (first or end) or (time is not None and (first or time) <= time and (end is None or time < end))


class FakeRenaming:
    def __init__(self, repository: FakeRepository) -> None:
        self._repository = repository

    def rename(self, user_id: str, job_id: str, name: str | None) -> Job:
        document = self._repository._owned(user_id, job_id)
        if is_deleted(document):
            raise NotFound
        document.update(renaming(document, name))
        return job_from(job_id, document)


class FakeDeletions:
    """Uses the real steps of a purge's record; only Firestore is faked."""

    def __init__(self, repository: FakeRepository) -> None:
        self._repository = repository
        self._documents = repository.documents
        self.dead_letters: dict[str, dict[str, Any]] = {}

    def mark(self, user_id: str, job_id: str, now: datetime) -> Deletion:
        document = self._document(job_id)
        if not document or document.get("user_id") != user_id or not is_job_id(job_id):
            raise NotFound
        document.update(mark_of_deletion(user_id, now, document, SWEEP_AFTER))
        deletion = deletion_from(job_id, document)
        assert deletion is not None
        return deletion

    def of(self, job_id: str) -> Deletion | None:
        return deletion_from(job_id, self._document(job_id))

    def begin_purge(self, job_id: str, owner: str, key: str, now: datetime) -> Deletion | None:
        deletion = self.of(job_id)
        if deletion and deletion.user_id == owner:
            self._amend(job_id, partial(purge_record.begun, key=key, now=now))
        return deletion

    def end_purge(self, job_id: str, key: str, buckets: Sequence[BucketPurge], now: datetime) -> PurgeState:
        self._amend(job_id, partial(purge_record.ended, key=key, buckets=buckets, now=now))
        return PurgeState.PENDING if any(bucket.error for bucket in buckets) else PurgeState.DONE

    def record_late_upload(self, job_id: str, key: str, size: int, now: datetime) -> None:
        self._amend(job_id, partial(purge_record.late_upload_removed, key=key, size=size, now=now))

    def record_sweep(self, deletion: Deletion, now: datetime) -> None:
        step = partial(purge_record.swept, due=deletion.sweep_at, now=now, sweep_after=SWEEP_AFTER)
        self._amend(deletion.job_id, step)

    def reopen(self, job_id: str, now: datetime) -> None:
        self._amend(job_id, partial(purge_record.reopened, now=now))

    def due(self, now: datetime, limit: int) -> list[Deletion]:
        found = []
        for job_id in self._pending("sweep_at", lambda time: time <= now)[:limit]:
            document = self._documents[job_id]
            deletion = deletion_from(job_id, document)
            if deletion is None or not is_job_id(job_id):
                document["purge"] = purge_record.closed(document["purge"])
            else:
                found.append(deletion)
        return found

    def all_pending(self, before: datetime) -> Iterator[Deletion]:
        for job_id in self._pending("requested_at", lambda time: time < before):
            if deletion := deletion_from(job_id, self._documents[job_id]):
                yield deletion

    def record_dead_letter(self, message_id: str, letter: dict[str, Any]) -> None:
        self.dead_letters.setdefault(message_id, letter)

    def _pending(self, field: str, wanted: Callable[[datetime], bool]) -> list[str]:
        found = [
            (purge[field], job_id)
            for job_id, document in self._documents.items()
            if isinstance(purge := document.get("purge"), dict)
            and purge.get("state") == "pending"
            and isinstance(purge.get(field), datetime)
            and wanted(purge[field])
        ]
        return [job_id for _, job_id in sorted(found)]

    def _document(self, job_id: str) -> dict[str, Any]:
        self._repository.calls += 1
        return self._documents.get(job_id, {})

    def _amend(self, job_id: str, step: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        document = self._documents.get(job_id, {})
        if deletion_from(job_id, document):
            purge = document.get("purge")
            document["purge"] = step(purge if isinstance(purge, dict) else {})
