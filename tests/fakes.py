"""In-memory stand-ins for Google's services. tests/contract holds each to what the real adapter does."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from shared.auth import TokenVerifier, User
from shared.documents import deletion_from, is_deleted, job_from, mark_of_deletion
from shared.errors import NotFound, Unauthorized
from shared.events import JobDeleted, Publisher
from shared.job import Bucket, Job, JobPrefix, JobStatus, Medium, can_own_media, is_own_path, newest_first
from shared.media import Download, MediaStore, MediaUrls
from shared.pagination import ListQuery, Page, Position
from shared.purge import BucketPurge, Deletion, PurgeState
from shared.repository import JobRepository
from shared.services import Services
from shared.settings import Settings
from shared.signing import UrlSigner
from tests.jobs import NOW

SETTINGS = Settings(project="demo-nuumee", allowed_origins=("https://nuumee.ai",))


class FakeRepository:
    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.calls = 0

    def get(self, user_id: str, job_id: str) -> Job:
        document = self._owned(user_id, job_id)
        if is_deleted(document):
            raise NotFound
        return job_from(job_id, document)

    def get_many(self, user_id: str, job_ids: Sequence[str]) -> list[Job]:
        self.calls += 1
        mine = self._mine(ListQuery(user_id=user_id))
        return [job for job in mine if job.id in job_ids]

    def page(self, query: ListQuery) -> Page:
        self.calls += 1
        counts = self._counts(query.user_id) if query.with_counts else None
        if query.ids is not None:
            chosen = [job for job in self._mine(query) if job.id in query.ids]
            return Page(chosen, len(chosen), 1, None, counts)
        jobs = self._found(query)
        total = len(jobs)
        number, before = query.page, (query.page - 1) * query.page_size
        if (after := query.after) is not None:
            number, before = after.page, 0
            if query.id_prefix is not None:
                jobs = [job for job in jobs if job.id > after.job_id]
            elif after.created_at is not None:
                place = (after.created_at, after.job_id)
                jobs = [job for job in jobs if newest_first(job) < place]
        shown, rest = jobs[before : before + query.page_size], jobs[before + query.page_size :]
        last = shown[-1] if shown and rest else None
        following = Position(last.id, last.created_at, number + 1, before + len(shown)) if last else None
        return Page(shown, total, number, following, counts)

    def mark_deleted(self, user_id: str, job_id: str, now: datetime) -> Deletion:
        document = self._owned(user_id, job_id)
        document.update(mark_of_deletion(user_id, now, document))
        deletion = deletion_from(job_id, document)
        assert deletion is not None
        return deletion

    def deletion(self, job_id: str) -> Deletion | None:
        self.calls += 1
        return deletion_from(job_id, self.documents.get(job_id, {}))

    def record_purge(self, job_id: str, buckets: Sequence[BucketPurge], now: datetime) -> PurgeState:
        done = all(bucket.error is None for bucket in buckets)
        state = PurgeState.DONE if done else PurgeState.PENDING
        purge = self.documents[job_id]["purge"]
        purge["state"] = state.value
        purge["attempts"] += 1
        purge["finished_at"] = now if done else None
        records = purge.setdefault("buckets", {})
        for bucket in buckets:
            record = records.setdefault(bucket.bucket, {"objects": 0, "bytes": 0})
            record["objects"] += bucket.objects
            record["bytes"] += bucket.size
            record["error"] = bucket.error
        return state

    def pending_purges(self, before: datetime, limit: int) -> list[Deletion]:
        pending = [
            (document["purge"]["requested_at"], job_id)
            for job_id, document in self.documents.items()
            if isinstance(purge := document.get("purge"), dict)
            and purge.get("state") == "pending"
            and purge["requested_at"] < before
        ]
        found = (deletion_from(job_id, self.documents[job_id]) for _, job_id in sorted(pending)[:limit])
        return [deletion for deletion in found if deletion]

    def _owned(self, user_id: str, job_id: str) -> dict[str, Any]:
        self.calls += 1
        document = self.documents.get(job_id)
        if document is None or document.get("user_id") != user_id:
            raise NotFound
        return document

    def _found(self, query: ListQuery) -> list[Job]:
        if query.id_prefix is None:
            return [job for job in self._mine(query) if job.created_at is not None]
        found = [job for job in self._mine(query) if job.id.startswith(query.id_prefix)]
        return sorted(found, key=lambda job: job.id)

    def _counts(self, user_id: str) -> dict[str, int]:
        jobs = self._found(ListQuery(user_id=user_id))
        return {"all": len(jobs), **{status: sum(job.status == status for job in jobs) for status in JobStatus}}

    def _mine(self, query: ListQuery) -> list[Job]:
        jobs = [
            job_from(job_id, document)
            for job_id, document in self.documents.items()
            if document.get("user_id") == query.user_id and not is_deleted(document)
        ]
        wanted = [job for job in jobs if not query.statuses or job.status in query.statuses]
        return sorted(wanted, key=newest_first, reverse=True)


class FakeMediaStore:
    """`objects` has the contents of each name's generations, the oldest first."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.names = dict(zip(Bucket, settings.buckets, strict=True))
        self.objects: dict[str, dict[str, list[bytes]]] = {name: {} for name in self.names.values()}
        self.broken: set[str] = set()
        self.calls = 0
        self._signer = UrlSigner(None, "", lifetime=3600, window=900, pool=None)

    def urls(self, jobs: Sequence[Job], now: datetime) -> list[MediaUrls]:
        self.calls += 1
        validity = self._signer.validity(now)
        return [MediaUrls(job.id, {medium: self._url(job, medium) for medium in Medium}, validity) for job in jobs]

    def download(self, job: Job, now: datetime) -> Download | None:
        self.calls += 1
        url = self._url(job, Medium.OUTPUT_VIDEO)
        return Download(url, f"nuumee-{job.id}.mp4", self._signer.validity(now)) if url else None

    def purge(self, prefix: JobPrefix) -> list[BucketPurge]:
        self.calls += 1
        return [self._purge(bucket, str(prefix)) for bucket in self.names.values()]

    def _purge(self, bucket: str, prefix: str) -> BucketPurge:
        if bucket in self.broken:
            return BucketPurge(bucket=bucket, objects=0, size=0, error="ServiceUnavailable")
        gone = [self.objects[bucket].pop(name) for name in list(self.objects[bucket]) if name.startswith(prefix)]
        generations = [content for contents in gone for content in contents]
        return BucketPurge(bucket=bucket, objects=len(generations), size=sum(map(len, generations)))

    def _url(self, job: Job, medium: Medium) -> str | None:
        if medium is Medium.OUTPUT_VIDEO and not job.is_completed:
            return None
        if path := job.path(medium):
            bucket = self.names[medium.bucket(path)]
            return f"https://storage.test/{bucket}/{path}" if is_own_path(path, job.user_id) else None
        expected = medium.default_name
        if expected is None or not can_own_media(job.user_id):
            return None
        bucket = self.names[medium.bucket(expected)]
        prefix = str(JobPrefix(job.user_id, job.id))
        for name in sorted(self.objects[bucket]):
            rest = name.removeprefix(prefix)
            if rest == expected or (rest.startswith(expected) and expected.endswith(".") and "/" not in rest):
                return f"https://storage.test/{bucket}/{name}"
        return None


class FakePublisher:
    def __init__(self) -> None:
        self.published: list[JobDeleted] = []
        self.error: Exception | None = None

    def publish(self, event: JobDeleted) -> None:
        if self.error:
            raise self.error
        self.published.append(event)


class FakeVerifier:
    """Takes the user's id for the token."""

    def __init__(self) -> None:
        self.checked_revocation: list[bool] = []
        self.error: Exception | None = None

    def verify(self, token: str, *, check_revoked: bool) -> User:
        self.checked_revocation.append(check_revoked)
        if self.error:
            raise self.error
        if token == "garbage":
            raise Unauthorized("The ID token is malformed.")
        return User(token)


class FakeServices(Services):
    """Services all of which are fakes, at a time that stands still."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        super().__init__(settings)
        self.fake_repository = FakeRepository()
        self.fake_media = FakeMediaStore(settings)
        self.fake_publisher = FakePublisher()
        self.fake_verifier = FakeVerifier()
        fakes: Mapping[str, object] = {
            "repository": cast(JobRepository, self.fake_repository),
            "media": cast(MediaStore, self.fake_media),
            "publisher": cast(Publisher, self.fake_publisher),
            "verifier": cast(TokenVerifier, self.fake_verifier),
            "now": lambda: NOW,
        }
        self.__dict__.update(fakes)

    def add(self, job_id: str, document: dict[str, Any]) -> None:
        self.fake_repository.documents[job_id] = copy.deepcopy(document)
