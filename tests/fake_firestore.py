"""In-memory stand-ins for data in Firestore. tests/contract checks that they behave like the real ones."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core.exceptions import AlreadyExists

from shared.deletion.erasures import Erasure, Erasures
from shared.deletion.ledger import Step
from shared.deletion.standing import Pair
from shared.errors import NotFound
from shared.jobs.documents import is_deleted, is_live, job_from
from shared.jobs.job import Job, is_job_id, newest_first, status_group
from shared.jobs.pagination import STATUS_GROUPS, JobPage, ListQuery, Position
from shared.jobs.renaming import renaming
from shared.jobs.stalled import StalledJob, StalledJobs, stalled_job

SWEEP_AFTER = LONGEST_RUN = timedelta(minutes=5)


class FakeRepository:
    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.calls = 0
        self.passed_over = 0

    def get(self, user_id: str, job_id: str) -> Job:
        document = self._owned(user_id, job_id)
        if is_deleted(document):
            raise NotFound
        return job_from(job_id, document)

    def page(self, query: ListQuery, passed: Callable[[int], None] = lambda _: None) -> JobPage:
        """Passes over what `passed_over` says."""
        self.calls += 1
        passed(self.passed_over)
        counts = self._counts(query.user_id) if query.with_counts else None
        if query.ids is not None:
            chosen = [job for job in self._mine(query) if job.id in query.ids and is_job_id(job.id)]
            versions = tuple(sorted(f"{job.id} {self.documents[job.id]!r}" for job in chosen))
            shown = chosen if query.page == 1 else []
            return JobPage(shown, len(chosen), query.page, None, counts, versions)
        found = self._found(query)
        jobs, total = [job for job in found if is_job_id(job.id)], len(found)
        number, before = query.page, (query.page - 1) * query.page_size
        if (after := query.after) is not None:
            number, before, total = after.page, 0, total if after.total is None else after.total
            if query.id_prefix is not None:
                jobs = [job for job in jobs if job.id > after.job_id]
            elif query.shared:
                short_id = after.name or self.documents[after.job_id]["short_id"]
                jobs = [job for job in jobs if self._by_link(job) < (after.created_at, short_id)]
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
            name = self.documents[last.id]["short_id"] if query.shared else name
            following = Position(last.id, last.created_at, number + 1, before + len(shown), total, name)
        return JobPage(shown, total, number, following, counts)

    def count(self, query: ListQuery) -> int:
        self.calls += 1
        return len(self._found(query))

    def batch(self, user_id: str, before: datetime, after: str | None, limit: int) -> tuple[list[str], str | None]:
        """Documents without a time are taken for old ones, and none was created later than now."""
        self.calls += 1
        mine = sorted(job_id for job_id, one in self.documents.items() if one.get("user_id") == user_id)
        found = [job_id for job_id in mine if after is None or job_id > after][:limit]
        times = {job_id: self.documents[job_id].get("created_at") for job_id in found}
        now = datetime.now(UTC)
        ids = [job_id for job_id, at in times.items() if not isinstance(at, datetime) or min(at, now) < before]
        return ids, found[-1] if len(found) == limit else None

    def live_before(self, user_id: str, job_ids: Sequence[str], before: datetime) -> int:
        self.calls += len(job_ids)
        found = [self.documents.get(job_id, {}) for job_id in job_ids]
        times = [one.get("created_at") for one in found if is_live(one, user_id)]
        return sum(isinstance(at, datetime) and at < before for at in times)

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
        if query.shared:
            return sorted(found, key=self._by_link, reverse=True)
        return sorted(found, key=newest_first, reverse=not query.oldest_first)

    def _by_link(self, job: Job) -> tuple[datetime | None, str]:
        return job.created_at, self.documents[job.id]["short_id"]

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
        wanted = [job for job in jobs if query.takes(job.status) and _is_in(query, job, self.documents[job.id])]
        return sorted(wanted, key=newest_first, reverse=True)


def _is_in(query: ListQuery, job: Job, document: dict[str, Any]) -> bool:
    """Whether the filters by type, time and short id take the job. A short id counts also if it shows nothing."""
    first, end, time = query.created_after, query.created_before, job.created_at
    short_id = document.get("short_id")
    if query.shared and not (short_id and isinstance(short_id, str)):
        return False
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


class FakeLedger:
    """Keeps entries and documents in memory, and the collections as they are in Firestore."""

    def __init__(self, repository: FakeRepository) -> None:
        self._repository = repository
        self._documents = repository.documents
        self.entries: dict[str, dict[str, Any]] = {}
        self.fields_moved: dict[str, list[dict[str, Any]]] = {}
        self.dead_letters: dict[str, dict[str, Any]] = {}

    def read(self, job_ids: Iterable[str], only: Sequence[str] | None = None) -> dict[str, Pair]:
        self._repository.calls += 1
        return {job_id: self._pair(job_id, only) for job_id in job_ids}

    def change(self, job_id: str, step: Step) -> Pair:
        self._repository.calls += 1
        pair = self._pair(job_id, None)
        changes = step(pair)
        document = {name: value for name, value in pair.document.items() if name not in changes.drop}
        after = Pair(job_id, pair.entry if changes.entry is None else changes.entry, {**document, **changes.put})
        if after.entry:
            self.entries[job_id] = copy.deepcopy(after.entry)
        if after.document != pair.document:
            self._documents[job_id] = copy.deepcopy(after.document)
        return after

    def due(self, now: datetime, owed: int, others: int) -> list[tuple[str, dict[str, Any]]]:
        due = self._ordered("sweep_at", lambda entry: entry["sweep_at"] <= now)
        are_owed = [one for one in due if one[1].get("state") in ("pending", "restoring")]
        return are_owed[:owed] + [one for one in due if one not in are_owed][:others]

    def pending(self, before: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        wanted = self._ordered(
            "requested_at", lambda entry: entry["state"] == "pending" and entry["requested_at"] < before
        )
        return iter(wanted)

    def oldest_pending(self, before: datetime, limit: int) -> list[tuple[str, dict[str, Any]]]:
        return list(self.pending(before))[:limit]

    def restorable(
        self, user_id: str, later_than: datetime, limit: int, skip: int, after: tuple[datetime, str] | None
    ) -> list[tuple[str, dict[str, Any]]]:
        found = self._restorable(user_id, later_than)[::-1]
        found = [one for one in found if after is None or (one[1]["requested_at"], one[0]) < after]
        return found[skip : skip + limit]

    def count_restorable(self, user_id: str, later_than: datetime) -> int:
        self._repository.calls += 1
        return len(self._restorable(user_id, later_than))

    def spared(self, user_id: str, later_than: datetime, limit: int) -> list[tuple[str, dict[str, Any]]]:
        self._repository.calls += 1
        return self._ordered(
            "spared_until", lambda entry: entry["user_id"] == user_id and entry["spared_until"] > later_than
        )[:limit]

    def documents(self, job_ids: Iterable[str], only: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for job_id in job_ids:
            if job_id in self._documents:
                yield job_id, copy.deepcopy(self._documents[job_id])

    def _restorable(self, user_id: str, later_than: datetime) -> list[tuple[str, dict[str, Any]]]:
        return self._ordered(
            "requested_at",
            lambda entry: (
                entry["user_id"] == user_id
                and entry["state"] in ("pending", "done")
                and entry["requested_at"] > later_than
            ),
        )

    def all(self) -> Iterator[Pair]:
        return iter([self._pair(job_id, None) for job_id in self.entries])

    def old_form(self) -> Iterator[str]:
        return iter([job_id for job_id, purge in self._old_form().items() if "state" in purge])

    def old_form_pending(self, limit: int) -> list[str]:
        return [job_id for job_id, purge in self._old_form().items() if purge.get("state") == "pending"][:limit]

    def jobs_naming(self, user_id: str, path_field: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for job_id, document in self._documents.items():
            if document.get("user_id") == user_id and document.get(path_field) == name:
                yield job_id, document

    def displaced(self, job_id: str, after: int) -> dict[str, Any]:
        moved = self.fields_moved.get(job_id, [])[after:]
        return {name: value for fields in moved for name, value in fields.items()}

    def forget_displaced(self, job_id: str, names: Iterable[str]) -> None:
        for moved in self.fields_moved.get(job_id, []):
            for name in names:
                moved.pop(name, None)

    def record_dead_letter(self, message_id: str, letter: dict[str, Any]) -> None:
        self.dead_letters.setdefault(message_id, letter)

    def _old_form(self) -> dict[str, dict[str, Any]]:
        purges = {job_id: document.get("purge") for job_id, document in sorted(self._documents.items())}
        return {job_id: purge for job_id, purge in purges.items() if isinstance(purge, dict)}

    def _ordered(self, field: str, wanted: Callable[[dict[str, Any]], bool]) -> list[tuple[str, dict[str, Any]]]:
        having = [one for one in self.entries.items() if isinstance(one[1].get(field), datetime)]
        return sorted((one for one in having if wanted(one[1])), key=lambda one: (one[1][field], one[0]))

    def _pair(self, job_id: str, only: Sequence[str] | None) -> Pair:
        entry, document = self.entries.get(job_id, {}), self._documents.get(job_id, {})
        if only is not None:
            entry, document = ({name: one[name] for name in only if name in one} for one in (entry, document))
        return Pair(job_id, copy.deepcopy(entry), copy.deepcopy(document))


class FakeErasures(Erasures):
    """Keeps the documents of erasures in memory. What is written into them is the real one's."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self._sweep_after = SWEEP_AFTER

    def latest(self, user_id: str) -> Erasure | None:
        mine = [one for one in self._all() if one.user_id == user_id]
        return max(mine, key=lambda one: one.requested_at, default=None)

    def _overdue(self, now: datetime, limit: int) -> list[tuple[str, dict[str, Any]]]:
        times = {erasure_id: document["sweep_at"] for erasure_id, document in self.documents.items()}
        overdue = sorted((at, erasure_id) for erasure_id, at in times.items() if at and at <= now)
        return [(erasure_id, self._read(erasure_id)) for _, erasure_id in overdue[:limit]]

    def _all(self) -> list[Erasure]:
        return [found for erasure_id in self.documents if (found := self.of(erasure_id))]

    def _create(self, erasure_id: str, document: dict[str, Any], covers: str | None) -> None:
        if erasure_id in self.documents:
            raise AlreadyExists(erasure_id)
        self.documents[erasure_id] = document
        if covers:
            self.documents[covers]["sweep_at"] = None

    def _read(self, erasure_id: str) -> dict[str, Any]:
        return dict(self.documents.get(erasure_id, {}))

    def _change(self, erasure_id: str, step: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        document = self._read(erasure_id)
        self.documents[erasure_id] = {**document, **step(document)}
        return dict(self.documents[erasure_id])


class FakeStalledJobs(StalledJobs):
    """Finds jobs in memory. Where a sweep goes on is the real one's."""

    def __init__(self, repository: FakeRepository) -> None:
        self._documents = repository.documents
        self.kept: dict[str, Any] = {}

    def _place(self) -> dict[str, Any]:
        return self.kept

    def _move(self, place: dict[str, Any]) -> None:
        self.kept = place

    def _after(self, place: dict[str, Any], until: datetime, limit: int) -> list[StalledJob]:
        found = [
            stalled_job(job_id, document)
            for job_id, document in self._documents.items()
            if isinstance(document.get("updated_at"), datetime)
            and document["updated_at"] <= until
            and document.get("status") not in (None, "completed", "failed")
        ]
        later = [one for one in found if tuple(one.place.values())[: len(place)] > tuple(place.values())]
        return sorted(later, key=lambda one: tuple(one.place.values()))[:limit]
