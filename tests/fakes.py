"""In-memory stand-ins for Google's services. tests/contract checks each against the real adapter."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from shared.access.auth import TokenVerifier
from shared.access.user import User
from shared.deletion.deletions import Deletions
from shared.deletion.erasing import Erasing
from shared.deletion.ledger import Ledger
from shared.deletion.restores import Restores
from shared.deletion.trash import Trash
from shared.errors import Unauthorized, Unavailable
from shared.jobs.job import (
    ALL_SHOWN,
    POSTER_NAME,
    Job,
    JobPrefix,
    Medium,
    Picture,
    Shown,
    can_own_media,
    is_own_path,
    picture_beside,
)
from shared.jobs.known_pictures import KnownPictures, Pictures
from shared.jobs.names import file_name
from shared.jobs.renaming import Renaming
from shared.jobs.repository import JobRepository
from shared.publishing.dead_letters import DeadLetters, Letter
from shared.publishing.publisher import Publisher
from shared.services import Services
from shared.settings import Bucket, Settings, SigningKey
from shared.sharing.completion import Completions
from shared.sharing.expiry import Expiries
from shared.sharing.shares import Shares
from shared.sharing.views import Views
from shared.storage.media import Download, MediaStore, MediaUrls, SharedUrls
from shared.storage.objects import Description, ObjectStore
from shared.storage.pictures import pictures_of
from shared.storage.recovery import BucketRestore
from shared.storage.removal import TAKEN_BACK, BucketPurge
from shared.storage.retention import Retention, Retentions
from shared.storage.signing import KeySigner, Urls, UrlSigner
from tests.fake_firestore import (
    LONGEST_RUN,
    SWEEP_AFTER,
    FakeErasures,
    FakeLedger,
    FakeRenaming,
    FakeRepository,
    FakeStalledJobs,
)
from tests.fake_shares import FakeCompletions, FakeExpiries, FakeKnownPictures, FakeShares, FakeViews
from tests.jobs import NOW

KEY = SigningKey("GOOG1ETESTS", "known-to-all")
SETTINGS = Settings(project="demo-nuumee", allowed_origins=("https://nuumee.ai",), signing_key=KEY)


class FakeMediaStore:
    """`objects` holds the contents of each name's generations, oldest first."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.names = dict(zip(Bucket, settings.buckets, strict=True))
        self.objects: dict[str, dict[str, list[bytes]]] = {name: {} for name in self.names.values()}
        self.content_types: dict[str, str] = {}
        self.metadata: dict[tuple[str, str], Mapping[str, str]] = {}
        self.removed: dict[str, dict[str, list[bytes]]] = {name: {} for name in self.names.values()}
        """What was removed, the same way. When it was is not known."""
        self.broken: set[str] = set()
        self.calls = 0
        self._signer = UrlSigner(Urls(KeySigner(KEY), "https://storage.test", settings.url_lifetime), 900)

    def urls(self, jobs: Sequence[Job], now: datetime) -> list[MediaUrls]:
        self.calls += 1
        validity = self._signer.validity(now)
        return [
            MediaUrls(job.id, {shown: self._url(job, shown) for shown in ALL_SHOWN}, self._playable(job), validity)
            for job in jobs
        ]

    def version(self, jobs: Sequence[Job], now: datetime) -> str | None:
        return self._signer.version(self._signer.validity(now)) if all(map(_names_all, jobs)) else None

    def has_output(self, job: Job) -> bool:
        self.calls += 1
        return self._url(job, Medium.OUTPUT_VIDEO) is not None

    def download(self, job: Job, now: datetime) -> Download | None:
        self.calls += 1
        url = self._url(job, Medium.OUTPUT_VIDEO)
        return Download(url, file_name(job.name, job.id), self._signer.validity(now)) if url else None

    def shared(self, job: Job, poster: str | None, now: datetime) -> SharedUrls | None:
        self.calls += 1
        url = self._url(job, Medium.OUTPUT_VIDEO)
        picture = f"https://storage.test/{self.names[Bucket.OUTPUTS]}/{poster}" if poster else None
        return SharedUrls(url, picture, self._signer.validity(now)) if url else None

    def purge(self, prefix: JobPrefix, may_go_on: Callable[[], bool]) -> list[BucketPurge]:
        self.calls += 1
        return [self._purge(bucket, str(prefix), may_go_on) for bucket in self.names.values()]

    def restore(
        self, prefix: JobPrefix, since: datetime, is_wanted: Callable[[], bool], removed: Mapping[str, int]
    ) -> list[BucketRestore]:
        self.calls += 1
        return [
            self._restore(bucket, str(prefix), is_wanted, removed.get(bucket, 0)) for bucket in self.names.values()
        ]

    def is_there(self, bucket: str, name: str) -> bool:
        self.calls += 1
        return bool(self.objects[bucket].get(name))

    def describe(self, bucket: str, name: str, generation: int | None = None) -> Description | None:
        """A generation's number is its position, counted from 1."""
        generations = self.objects[bucket].get(name, [])
        number = len(generations) if generation is None else generation
        if not 1 <= number <= len(generations):
            return None
        return Description(number, len(generations[number - 1]), self.metadata.get((bucket, name), {}))

    def read(self, bucket: str, name: str, generation: int, start: int, end: int) -> bytes | None:
        self.calls += 1
        found = self.describe(bucket, name, generation)
        content = self.objects[bucket][name][generation - 1][start:end] if found else b""
        return content if len(content) == end - start else None

    def put(
        self,
        bucket: str,
        name: str,
        content: bytes,
        content_type: str,
        *,
        metadata: Mapping[str, str],
        replaces: int,
    ) -> bool:
        generations = self.objects[bucket].setdefault(name, [])
        if len(generations) != replaces:
            return False
        generations.append(content)
        self.content_types[name] = content_type
        self.metadata[bucket, name] = metadata
        return True

    def remove(self, bucket: str, name: str, generation: int) -> bool:
        self.calls += 1
        if bucket in self.broken:
            raise Unavailable("Cloud Storage")
        if not self.describe(bucket, name, generation):
            return False
        self.removed[bucket].setdefault(name, []).append(self.objects[bucket][name].pop(generation - 1))
        return True

    def _purge(self, bucket: str, prefix: str, may_go_on: Callable[[], bool]) -> BucketPurge:
        if bucket in self.broken:
            return BucketPurge(bucket=bucket, objects=0, size=0, error="ServiceUnavailable")
        there = any(name.startswith(prefix) for name in self.objects[bucket])
        if there and not may_go_on():
            return BucketPurge(bucket=bucket, objects=0, size=0, error=TAKEN_BACK)
        gone = {n: self.objects[bucket].pop(n) for n in list(self.objects[bucket]) if n.startswith(prefix)}
        for name, contents in gone.items():
            self.removed[bucket].setdefault(name, []).extend(contents)
        generations = [content for contents in gone.values() for content in contents]
        return BucketPurge(bucket=bucket, objects=len(generations), size=sum(map(len, generations)))

    def _restore(self, bucket: str, prefix: str, is_wanted: Callable[[], bool], removed: int) -> BucketRestore:
        names = [
            one for one in self.removed[bucket] if one.startswith(prefix) and not self.objects[bucket].get(one)
        ]
        error = "ServiceUnavailable" if bucket in self.broken else None
        if names and not is_wanted():
            error = "no longer wanted"
        if error:
            return BucketRestore(bucket=bucket, objects=0, size=0, error=error)
        for name in names:
            self.objects[bucket][name] = [self.removed[bucket][name][-1]]
        found = sum(len(held) for one, held in self.removed[bucket].items() if one.startswith(prefix))
        live = sum(bool(held) for one, held in self.objects[bucket].items() if one.startswith(prefix))
        if missing := max(0, removed - max(found, live)):
            return BucketRestore(bucket=bucket, objects=0, size=0, error="some are gone", missing=missing)
        size = sum(len(self.objects[bucket][name][0]) for name in names)
        return BucketRestore(bucket=bucket, objects=len(names), size=size)

    def _url(self, job: Job, medium: Shown) -> str | None:
        shows = medium.medium if isinstance(medium, Picture) else medium
        if shows is Medium.OUTPUT_VIDEO and not job.is_completed:
            return None
        path = job.path(medium)
        if isinstance(medium, Picture):
            return self._picture_url(job, medium, path)
        if path is not None:
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

    def _picture_url(self, job: Job, picture: Picture, name: str | None) -> str | None:
        medium = job.pictured(picture)
        path = job.path(medium)
        bucket = self.names[medium.bucket(path or name or "")]
        if medium not in job.posters:
            pictures = self._beside(job, medium)
            name = pictures.name(picture.kind) if pictures else None
        return f"https://storage.test/{bucket}/{name}" if name and is_own_path(name, job.user_id) else None

    def _beside(self, job: Job, medium: Medium) -> Pictures | None:
        path = job.path(medium)
        if not path or not is_own_path(path, job.user_id):
            return None
        found = self.describe(self.names[medium.bucket(path)], picture_beside(path, POSTER_NAME))
        return pictures_of(path, found.metadata) if found else None

    def _playable(self, job: Job) -> dict[Medium, bool]:
        media = {job.pictured(picture) for picture in Picture} - job.posters.keys()
        beside = {medium: pictures for medium in media if (pictures := self._beside(job, medium))}
        told = {medium: one.playable for medium, one in beside.items() if one.playable is not None}
        return {**told, **job.playable}


def _names_all(job: Job) -> bool:
    """Whether the document leaves no medium and no poster to be looked for."""
    shown = {medium for medium in Medium if job.is_completed or medium is not Medium.OUTPUT_VIDEO}
    posters = {job.pictured(picture) for picture in Picture if picture.medium in shown}
    unknown = [path for medium in posters - job.posters.keys() if (path := job.path(medium))]
    return all(job.path(medium) is not None for medium in shown if medium.default_name) and not any(
        is_own_path(path, job.user_id) for path in unknown
    )


class FakePublisher:
    def __init__(self) -> None:
        self.published: list[Any] = []
        self.forwarded: list[tuple[bytes, dict[str, str]]] = []
        self.error: Exception | None = None
        self.refused: set[str] = set()
        """Ids of jobs whose events are refused."""

    def publish(self, event: Any) -> str:
        if self.error:
            raise self.error
        self.published.append(event)
        return f"message-{len(self.published)}"

    def publish_all(self, events: Sequence[Any]) -> list[Any]:
        accepted = [event for event in events if not self.error and event.job_id not in self.refused]
        self.published += accepted
        return accepted

    def forward(self, letter: Letter, attributes: Mapping[str, str]) -> None:
        if self.error:
            raise Unavailable("Pub/Sub")
        self.forwarded.append((letter.data, dict(attributes)))


class FakeDeadLetters:
    def __init__(self) -> None:
        self.waiting: list[Letter] = []

    def pull(self, limit: int) -> list[Letter]:
        return self.waiting[:limit]

    def acknowledge(self, letter: Letter) -> None:
        self.waiting.remove(letter)


class FakeRetentions(Retentions):
    """Every bucket keeps what was removed for `kept`, since `effective_at`."""

    def __init__(self) -> None:
        super().__init__(None, ("each",))
        self.kept: timedelta | None = timedelta(days=7)
        self.effective_at = NOW - timedelta(days=365)
        self.error: Exception | None = None

    def of(self, bucket: str) -> Retention:
        if self.error:
            raise self.error
        return Retention(self.kept or timedelta(), self.effective_at)


class FakeVerifier:
    """Takes the token as the user's id."""

    def __init__(self) -> None:
        self.checked_revocation: list[bool] = []
        self.error: Exception | None = None
        self.signed_in_at = NOW.timestamp() - 60

    def known(self, token: str) -> None:
        return None

    def verify(self, token: str, *, check_revoked: bool) -> User:
        self.checked_revocation.append(check_revoked)
        if self.error:
            raise self.error
        if token == "garbage":
            raise Unauthorized("The ID token is malformed.")
        return User(token, self.signed_in_at)


class FakeServices(Services):
    """Services that are all fakes, with a fixed clock."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        super().__init__(settings)
        self.fake_repository = FakeRepository()
        self.fake_ledger = FakeLedger(self.fake_repository)
        ledger = cast(Ledger, self.fake_ledger)
        self.fake_shares = FakeShares(self.fake_repository)
        completions = FakeCompletions(self.fake_repository, self.fake_shares)
        self.fake_views = FakeViews(self.fake_repository)
        self.fake_expiries = FakeExpiries(self.fake_repository, self.fake_shares)
        self.fake_media = FakeMediaStore(settings)
        self.fake_publisher = FakePublisher()
        self.fake_upload_publisher = FakePublisher()
        self.fake_view_publisher = FakePublisher()
        self.fake_dead_deletions = FakeDeadLetters()
        self.fake_restore_publisher = FakePublisher()
        self.fake_dead_restores = FakeDeadLetters()
        self.fake_dead_uploads = FakeDeadLetters()
        self.fake_erasures = FakeErasures()
        self.fake_erasure_publisher = FakePublisher()
        self.fake_retention = FakeRetentions()
        self.fake_verifier = FakeVerifier()
        fakes: Mapping[str, object] = {
            "repository": cast(JobRepository, self.fake_repository),
            "ledger": ledger,
            "deletions": (deletions := Deletions(ledger, SWEEP_AFTER)),
            "erasures": self.fake_erasures,
            "erasing": Erasing(ledger, deletions),
            "erasure_publisher": cast(Publisher, self.fake_erasure_publisher),
            "restores": Restores(ledger, SWEEP_AFTER, LONGEST_RUN),
            "trash": Trash(ledger, SWEEP_AFTER, LONGEST_RUN),
            "restore_publisher": cast(Publisher, self.fake_restore_publisher),
            "dead_restores": cast(DeadLetters, self.fake_dead_restores),
            "shares": cast(Shares, self.fake_shares),
            "completions": cast(Completions, completions),
            "renaming": cast(Renaming, FakeRenaming(self.fake_repository)),
            "known_pictures": cast(KnownPictures, FakeKnownPictures(self.fake_repository)),
            "stalled": FakeStalledJobs(self.fake_repository),
            "views": cast(Views, self.fake_views),
            "expiries": cast(Expiries, self.fake_expiries),
            "media": cast(MediaStore, self.fake_media),
            "objects": cast(ObjectStore, self.fake_media),
            "retention": self.fake_retention,
            "publisher": cast(Publisher, self.fake_publisher),
            "upload_publisher": cast(Publisher, self.fake_upload_publisher),
            "view_publisher": cast(Publisher, self.fake_view_publisher),
            "dead_deletions": cast(DeadLetters, self.fake_dead_deletions),
            "dead_uploads": cast(DeadLetters, self.fake_dead_uploads),
            "verifier": cast(TokenVerifier, self.fake_verifier),
            "now": lambda: NOW,
        }
        self.__dict__.update(fakes)

    def add(self, job_id: str, document: dict[str, Any]) -> None:
        self.fake_repository.documents[job_id] = copy.deepcopy(document)
