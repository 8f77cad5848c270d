"""The composition root: builds each part a function uses when it is first needed.

Client libraries are imported where their client is built, because few functions need them all. On a cold start
google.cloud.firestore costs about 0.3 s; firebase_admin.auth, google.cloud.pubsub_v1 and google.cloud.storage cost
0.25 s each.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, TypeVar

from shared.settings import Settings, dead_letters

if TYPE_CHECKING:
    from google.cloud.firestore import Client as FirestoreClient
    from google.cloud.storage import Client as StorageClient

    from shared.access.auth import TokenVerifier
    from shared.access.limiter import Limiter
    from shared.access.visitors import Visitors
    from shared.deletion.deletions import Deletions
    from shared.deletion.erasing import Erasing
    from shared.deletion.erasures import Erasures
    from shared.deletion.ledger import Ledger
    from shared.deletion.leftovers import NamedElsewhere
    from shared.deletion.restores import Restores
    from shared.deletion.trash import Trash
    from shared.jobs.known_pictures import KnownPictures
    from shared.jobs.renaming import Renaming
    from shared.jobs.repository import JobRepository
    from shared.jobs.stalled import StalledJobs
    from shared.publishing.dead_letters import DeadLetters
    from shared.publishing.publisher import Publisher
    from shared.sharing.completion import Completions
    from shared.sharing.expiry import Expiries
    from shared.sharing.shares import Shares
    from shared.sharing.view_queue import ViewQueue
    from shared.sharing.views import Views
    from shared.storage.lookups import Lookups
    from shared.storage.media import MediaStore
    from shared.storage.objects import ObjectStore
    from shared.storage.pictures import PictureStore
    from shared.storage.retention import Retentions

T = TypeVar("T")
_THREADS = 32
_STORAGE_CALLS = 64
"""Most calls to Cloud Storage and for signatures in flight at once in one process: the shares of four requests.
See shared/storage/side_by_side.py."""
_MOST_WAITING = 500
"""Most views being published or waiting for it in one process: half a minute's work at two seconds each."""


class _once(cached_property[T]):  # noqa: N801 - used as a decorator
    """A cached property that only one thread builds. Whoever needs only other parts does not wait for it."""

    def __get__(self, instance: Services, owner: type | None = None) -> T:  # type: ignore[override]
        with instance.locks.setdefault(self.func.__name__, threading.RLock()):
            return super().__get__(instance, owner)


class Services:
    """Everything a function works with. Tests insert fakes by assigning to the attributes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.locks: dict[str, threading.RLock] = {}
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def has(self, part: str) -> bool:
        """Whether the part of this name has been built."""
        return part in vars(self)

    @_once
    def handlers(self) -> ThreadPoolExecutor:
        """Threads that handle requests, so that a request that takes too long can still be answered."""
        return ThreadPoolExecutor(2 * _THREADS, thread_name_prefix="request")

    @_once
    def verifier(self) -> TokenVerifier:
        import firebase_admin

        from shared.access.auth import TokenVerifier
        from shared.outages import AUTH_TIMEOUT, patient

        options = {"projectId": self.settings.project, "httpTimeout": patient(AUTH_TIMEOUT)}
        app = firebase_admin.initialize_app(options=options)
        try:
            return TokenVerifier(app, self.settings.project)
        except Exception:
            firebase_admin.delete_app(app)  # otherwise the next request could not create the app
            raise

    @_once
    def firestore(self) -> FirestoreClient:
        from google.cloud import firestore

        from shared.outages import outages

        with outages("Firestore"):
            return firestore.Client(project=self.settings.project)

    @_once
    def repository(self) -> JobRepository:
        from shared.jobs.repository import JobRepository

        return JobRepository(self.firestore)

    @_once
    def deletions(self) -> Deletions:
        from shared.deletion.deletions import Deletions

        return Deletions(self.ledger, self.settings.sweep_after)

    @_once
    def restores(self) -> Restores:
        from shared.deletion.restores import Restores

        return Restores(self.ledger, self.settings.sweep_after, self.settings.longest_run)

    @_once
    def trash(self) -> Trash:
        """What can be restored, for lists."""
        from shared.deletion.trash import Trash

        return Trash(self.ledger, self.settings.sweep_after, self.settings.longest_run)

    @_once
    def erasures(self) -> Erasures:
        from shared.deletion.erasures import Erasures

        return Erasures(self.firestore, self.settings.sweep_after)

    @_once
    def erasing(self) -> Erasing:
        from shared.deletion.erasing import Erasing

        return Erasing(self.ledger, self.deletions)

    @_once
    def ledger(self) -> Ledger:
        from shared.deletion.ledger import Ledger

        return Ledger(self.firestore)

    @_once
    def named_elsewhere(self) -> NamedElsewhere:
        from shared.deletion.leftovers import NamedElsewhere

        return NamedElsewhere(self.ledger, self.objects, self.settings.bucket_names)

    @_once
    def completions(self) -> Completions:
        from shared.sharing.completion import Completions

        return Completions(self.firestore, self.settings.short_id_length)

    @_once
    def known_pictures(self) -> KnownPictures:
        from shared.jobs.known_pictures import KnownPictures

        return KnownPictures(self.firestore)

    @_once
    def renaming(self) -> Renaming:
        from shared.jobs.renaming import Renaming

        return Renaming(self.firestore)

    @_once
    def stalled(self) -> StalledJobs:
        from shared.jobs.stalled import StalledJobs

        return StalledJobs(self.firestore)

    @_once
    def shares(self) -> Shares:
        from shared.sharing.shares import Shares

        return Shares(self.firestore, self.settings.short_id_length)

    @_once
    def expiries(self) -> Expiries:
        from shared.sharing.expiry import Expiries

        return Expiries(self.firestore)

    @_once
    def views(self) -> Views:
        from shared.sharing.views import Views

        return Views(self.firestore)

    @_once
    def view_queue(self) -> ViewQueue:
        """Publishes views while their answers are being made."""
        from shared.sharing.view_queue import ViewQueue

        return ViewQueue(_THREADS, _MOST_WAITING)

    @_once
    def visitors(self) -> Visitors:
        from shared.access.visitors import Visitors

        return Visitors()

    @_once
    def users(self) -> Limiter:
        """Limits what each signed-in user may ask of this process."""
        from shared.access.limiter import Limiter

        limit = self.settings.requests_per_minute
        return Limiter(limit, limit / 60)

    @_once
    def media(self) -> MediaStore:
        from shared.outages import outages
        from shared.storage.media import MediaStore
        from shared.storage.signing import url_signer

        with outages("Cloud Storage"):
            signer = url_signer(self.settings, self.storage_pool)
        return MediaStore(lambda: self.lookups, self.settings.bucket_names, signer, self.storage_pool)

    @_once
    def lookups(self) -> Lookups:
        from shared.storage.lookups import Lookups

        return Lookups(self.storage, self.settings.bucket_names)

    @_once
    def objects(self) -> ObjectStore:
        from shared.storage.objects import ObjectStore

        return ObjectStore(self.storage, self.settings.buckets)

    @_once
    def retention(self) -> Retentions:
        from shared.storage.retention import Retentions

        return Retentions(self.storage, self.settings.buckets)

    @_once
    def pictures(self) -> PictureStore:
        from shared.storage.pictures import PictureStore

        return PictureStore(self.objects)

    @_once
    def storage(self) -> StorageClient:
        from google.cloud.storage import Client as StorageClient

        from shared.outages import outages
        from shared.storage.connections import keep_alive

        with outages("Cloud Storage"):
            client = StorageClient(project=self.settings.project)
            keep_alive(client._http, _STORAGE_CALLS)
        return client

    @_once
    def storage_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_STORAGE_CALLS, thread_name_prefix="storage")

    @_once
    def publisher(self) -> Publisher:
        """Publishes deletions."""
        return self._publisher(self.settings.job_deleted_topic)

    @_once
    def restore_publisher(self) -> Publisher:
        """Publishes restores."""
        return self._publisher(self.settings.job_restored_topic)

    @_once
    def erasure_publisher(self) -> Publisher:
        """Publishes erasures, of all of a user's jobs."""
        return self._publisher(self.settings.jobs_erased_topic)

    @_once
    def upload_publisher(self) -> Publisher:
        """Republishes Cloud Storage notifications that could not be processed."""
        return self._publisher(self.settings.object_finalized_topic)

    @_once
    def view_publisher(self) -> Publisher:
        """Publishes views of shared videos."""
        return self._publisher(self.settings.video_viewed_topic)

    @_once
    def dead_deletions(self) -> DeadLetters:
        return self._dead_letters(self.settings.job_deleted_topic)

    @_once
    def dead_restores(self) -> DeadLetters:
        return self._dead_letters(self.settings.job_restored_topic)

    @_once
    def dead_uploads(self) -> DeadLetters:
        return self._dead_letters(self.settings.object_finalized_topic)

    def _publisher(self, topic: str) -> Publisher:
        from google.cloud.pubsub_v1 import PublisherClient
        from google.cloud.pubsub_v1.types import BatchSettings

        from shared.outages import outages
        from shared.publishing.publisher import Publisher

        with outages("Pub/Sub"):
            # Send each message at once: waiting for a fuller batch would only delay the answer.
            client = PublisherClient(BatchSettings(max_messages=1))
        return Publisher(client, client.topic_path(self.settings.project, topic))

    def _dead_letters(self, topic: str) -> DeadLetters:
        from google.cloud.pubsub_v1 import SubscriberClient

        from shared.outages import outages
        from shared.publishing.dead_letters import DeadLetters

        with outages("Pub/Sub"):
            client = SubscriberClient()
        return DeadLetters(client, client.subscription_path(self.settings.project, dead_letters(topic)))


@cache
def of_this_process() -> Services:
    """The services of the running function. Raises SettingsError, which names the wrong or missing variable."""
    from shared.outages import be_patient

    settings = Settings.from_environment(os.environ)
    be_patient(settings.patience)
    return Services(settings)
