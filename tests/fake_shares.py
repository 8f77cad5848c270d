"""In-memory stand-ins for share links and their views. tests/contract checks that they behave like Firestore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.errors import NotCompleted, NotFound, NotShared
from shared.jobs.documents import given, is_deleted, is_owned, job_from
from shared.jobs.job import Job, JobPrefix, Medium, is_job_id
from shared.jobs.known_pictures import Pictures, can_show, known_pictures
from shared.sharing.completion import completion, refuse_marked, wants_link
from shared.sharing.expiry import goes_on
from shared.sharing.shares import (
    NoSuchVideo,
    SharedVideo,
    about_link,
    has_come_back,
    is_dead,
    kept_wish,
    renewal,
    revocation,
    shared_video,
    wished,
)
from shared.sharing.short_links import is_short_id, new_short_id
from tests.fake_firestore import FakeRepository


class FakeShares:
    def __init__(self, repository: FakeRepository) -> None:
        self._repository = repository
        self.links: dict[str, Any] = {}
        """The job id of each short id."""
        self.about: dict[str, dict[str, Any]] = {}
        """What a link's document says besides its job's id."""
        self.error: Exception | None = None

    def resolve(self, short_id: str, now: datetime) -> SharedVideo:
        if not is_short_id(short_id):
            raise NoSuchVideo
        if self.error:
            raise self.error
        self._repository.calls += 1
        having = [job_id for job_id, job in self._repository.documents.items() if job.get("short_id") == short_id]
        if short_id not in self.links and len(having) == 1 and is_job_id(having[0]):
            found = shared_video(short_id, having[0], self._repository.documents[having[0]], {}, now)
            return replace(found, is_settled=False)
        job_id = self.links.get(short_id)
        if not isinstance(job_id, str) or not is_job_id(job_id):
            raise NoSuchVideo
        document = self._repository.documents.get(job_id, {})
        return shared_video(short_id, job_id, document, self._about(short_id), now)

    def settle(self, short_id: str, now: datetime) -> None:
        with suppress(NoSuchVideo):
            self.links.setdefault(short_id, self.resolve(short_id, now).job.id)

    def renew(self, user_id: str, job_id: str, now: datetime, expires_at: datetime | None) -> Job:
        document = self._owned(user_id, job_id)
        job = job_from(job_id, document)
        if not job.is_completed:
            raise NotCompleted(job.status)
        changes = renewal(document, now, expires_at)
        wish = kept_wish(self.own_link(document, job_id))
        self._note(document, job_id, ended_at=now)
        document.update(short_id=self.new(job_id), **changes, **wish)
        self._note(document, job_id, **wish, **({} if expires_at is None else {"expires_at": expires_at}))
        return job_from(job_id, document)

    def change(self, user_id: str, job_id: str, now: datetime, wishes: Mapping[str, Any]) -> Job:
        document = self._owned(user_id, job_id)
        if self.links.get(str(document.get("short_id")), job_id) != job_id:
            document["short_id"] = None
            raise NotShared
        link = self._about(document.get("short_id"))
        if has_come_back(document, link, now) or is_dead(document):
            self.revoke(user_id, job_id, now)
            raise NotShared
        changes = wished(document, link, now, wishes)
        document.update(changes)
        if changes:
            self._note(document, job_id, **about_link(changes))
        return job_from(job_id, document)

    def revoke(self, user_id: str, job_id: str, now: datetime) -> Job:
        document = self._owned(user_id, job_id)
        self._note(document, job_id, ended_at=now)
        document.update(revocation(document, self.own_link(document, job_id), now))
        return job_from(job_id, document)

    def new(self, job_id: str) -> str:
        """A short id that no other job has had."""
        short_id = next(new for new in iter(lambda: new_short_id(8), None) if new not in self.links)
        self.links[short_id] = job_id
        return short_id

    def own_link(self, document: dict[str, Any], job_id: str) -> dict[str, Any]:
        short_id = document.get("short_id")
        return self._about(short_id) if self.links.get(str(short_id)) == job_id else {}

    def _about(self, short_id: object) -> dict[str, Any]:
        return self.about.get(str(short_id), {})

    def _note(self, document: dict[str, Any], job_id: str, **about: Any) -> None:
        short_id = str(document.get("short_id"))
        if is_short_id(short_id) and self.links.setdefault(short_id, job_id) == job_id:
            self.about[short_id] = {**self._about(short_id), **about}

    def _owned(self, user_id: str, job_id: str) -> dict[str, Any]:
        self._repository.calls += 1
        document = self._repository.documents.get(job_id)
        if document is None or document.get("user_id") != user_id or is_deleted(document):
            raise NotFound
        return document


class FakeCompletions:
    """Uses the real functions to decide what changes; only Firestore is faked."""

    def __init__(self, repository: FakeRepository, shares: FakeShares) -> None:
        self._documents = repository.documents
        self._shares = shares

    def complete(self, job: JobPrefix, path: str, now: datetime) -> bool:
        document = self._documents.get(job.job_id, {})
        if not is_owned(document, job.user_id):
            return False
        changes = completion(document, path, now)
        refuse_marked(document, changes)
        if is_deleted(document):
            return False
        links = dict(self._shares.links)
        short_id = document.get("short_id")
        if wants_link(document, changes) and not (
            is_short_id(short_id) and self._shares.links.setdefault(str(short_id), job.job_id) == job.job_id
        ):
            changes["short_id"] = self._shares.new(job.job_id)
        elif "short_id" in changes:
            self._shares._note(document, job.job_id, ended_at=now)
        document.update(changes)
        return bool(changes) or links != self._shares.links


class FakeKnownPictures:
    def __init__(self, repository: FakeRepository) -> None:
        self._documents = repository.documents

    def set(
        self, job: JobPrefix, medium: Medium, path: str, pictures: Pictures | None, *, is_decoded: bool = True
    ) -> bool:
        document = self._documents.get(job.job_id, {})
        found = can_show(document, job, medium, path)
        if found:
            document.update(known_pictures(document, medium, pictures, is_decoded=is_decoded))
        return found


class FakeExpiries:
    def __init__(self, repository: FakeRepository, shares: FakeShares) -> None:
        self._documents = repository.documents
        self._shares = shares

    def end_due(self, now: datetime, limit: int) -> Iterator[str]:
        ends = {job_id: document.get("share_expires_at") for job_id, document in self._documents.items()}
        due = {job_id: end for job_id, end in ends.items() if isinstance(end, datetime) and end <= now}
        for job_id in sorted(due, key=lambda one: due[one])[:limit]:
            document = self._documents[job_id]
            del document["share_expires_at"]
            if given(document, "short_id") is None:
                continue
            link = self._shares.own_link(document, job_id)
            if goes_on(link, now):
                document.update({"share_expires_at": link["expires_at"]} if link["expires_at"] else {})
                continue
            self._shares._note(document, job_id, ended_at=due[job_id])
            document.update(revocation(document, link, due[job_id]))
            document.pop("share_expires_at", None)
            yield job_id


class FakeViews:
    """One shard per job, as a rarely viewed video has."""

    def __init__(self, repository: FakeRepository) -> None:
        self._documents = repository.documents
        self.shards: dict[str, dict[str, Any]] = {}
        self.error: Exception | None = None

    def add(self, job_id: str) -> None:
        shard = self.shards.setdefault(f"{job_id}-0", {"job_id": job_id, "views": 0})
        shard["views"] += 1

    def waiting(self, limit: int) -> Iterator[str]:
        yield from list(self.shards)[:limit]

    def move(self, name: str) -> int:
        shard = self.shards.pop(name, None)
        if shard is None or shard["job_id"] not in self._documents:
            return 0
        job = self._documents[shard["job_id"]]
        views: int = shard["views"]
        job["view_count"] = job.get("view_count", 0) + views
        return views
