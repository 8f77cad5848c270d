"""The composition point: what a function works with, each part built when it is first used.

A client's library is imported where the client is built: google.cloud.firestore costs a cold start some
0.3 s, firebase_admin.auth, google.cloud.pubsub_v1 and google.cloud.storage 0.25 s each, and few need all.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
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
    from shared.jobs.known_pictures import KnownPictures
    from shared.jobs.repository import JobRepository
    from shared.publishing.dead_letters import DeadLetters
    from shared.publishing.publisher import Publisher
    from shared.sharing.completion import Completions
    from shared.sharing.shares import Shares
    from shared.sharing.view_queue import ViewQueue
    from shared.sharing.views import Views
    from shared.storage.media import MediaStore
    from shared.storage.objects import ObjectStore
    from shared.storage.pictures import PictureStore

T = TypeVar("T")
_THREADS = 32
_STORAGE_CALLS = 64
"""Calls to Cloud Storage, and for signatures, under way at once in one process: four requests' shares of them.
See shared/storage/side_by_side.py."""
_COUNTS = 80
"""Counts under way at once. A request has up to 14: with 32, sixteen such requests (what an instance of list_jobs
takes) at a Firestore that needs a second failed every other time; with 80 all had their answer. One HTTP/2
connection carries 100 calls as a rule, and each request reads jobs beside its counts.
https://grpc.io/docs/guides/performance/
"""


_MOST_WAITING = 500
"""Views that are being counted in one process: with two seconds for each, half a minute's work."""


class _once(cached_property[T]):  # noqa: N801 - used as a decorator
    """A cached property that two threads cannot both build."""

    def __get__(self, instance: Services, owner: type | None = None) -> T:  # type: ignore[override]
        with instance.lock:
            return super().__get__(instance, owner)


class Services:
    """Tests put fakes in place by assigning to the attributes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lock = threading.RLock()
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @_once
    def handlers(self) -> ThreadPoolExecutor:
        """Where requests are handled, so that one that takes too long can be answered all the same."""
        return ThreadPoolExecutor(2 * _THREADS, thread_name_prefix="request")

    @_once
    def verifier(self) -> TokenVerifier:
        import firebase_admin

        from shared.access.auth import TokenVerifier
        from shared.outages import AUTH_TIMEOUT

        options = {"projectId": self.settings.project, "httpTimeout": AUTH_TIMEOUT}
        app = firebase_admin.initialize_app(options=options)
        try:
            return TokenVerifier(app, self.settings.project)
        except Exception:
            firebase_admin.delete_app(app)  # or the next request could not make one
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

        # Threads of its own: a slow Storage must not hold up the counts.
        return JobRepository(self.firestore, ThreadPoolExecutor(_COUNTS, thread_name_prefix="firestore"))

    @_once
    def deletions(self) -> Deletions:
        from shared.deletion.deletions import Deletions

        return Deletions(self.firestore, timedelta(seconds=self.settings.sweep_after))

    @_once
    def completions(self) -> Completions:
        from shared.sharing.completion import Completions

        return Completions(self.firestore, self.settings.short_id_length)

    @_once
    def known_pictures(self) -> KnownPictures:
        from shared.jobs.known_pictures import KnownPictures

        return KnownPictures(self.firestore)

    @_once
    def shares(self) -> Shares:
        from shared.sharing.shares import Shares

        return Shares(self.firestore, self.settings.short_id_length)

    @_once
    def views(self) -> Views:
        from shared.sharing.views import Views

        return Views(self.firestore)

    @_once
    def view_queue(self) -> ViewQueue:
        """Where views are counted, while their answers are made."""
        from shared.sharing.view_queue import ViewQueue

        return ViewQueue(_THREADS, _MOST_WAITING)

    @_once
    def visitors(self) -> Visitors:
        from shared.access.visitors import Visitors

        return Visitors()

    @_once
    def users(self) -> Limiter:
        """Who bounds what one signed-in user may ask of this process."""
        from shared.access.limiter import Limiter

        limit = self.settings.requests_per_minute
        return Limiter(limit, limit / 60)

    @_once
    def media(self) -> MediaStore:
        from shared.outages import outages
        from shared.storage.client import url_signer
        from shared.storage.media import MediaStore

        with outages("Cloud Storage"):
            signer = url_signer(self.settings, self.storage_pool)
            return MediaStore(self.storage, self.settings.bucket_names, signer, self.storage_pool)

    @_once
    def objects(self) -> ObjectStore:
        from shared.storage.objects import ObjectStore

        return ObjectStore(self.storage, self.settings.buckets)

    @_once
    def pictures(self) -> PictureStore:
        from shared.storage.pictures import PictureStore

        return PictureStore(self.objects)

    @_once
    def storage(self) -> StorageClient:
        from shared.outages import outages
        from shared.storage.client import storage_client

        with outages("Cloud Storage"):
            return storage_client(self.settings, connections=_STORAGE_CALLS)

    @_once
    def storage_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_STORAGE_CALLS, thread_name_prefix="storage")

    @_once
    def publisher(self) -> Publisher:
        """Of deletions."""
        return self._publisher(self.settings.job_deleted_topic)

    @_once
    def upload_publisher(self) -> Publisher:
        """Of what Cloud Storage has told and nobody could process then."""
        return self._publisher(self.settings.object_finalized_topic)

    @_once
    def dead_deletions(self) -> DeadLetters:
        return self._dead_letters(self.settings.job_deleted_topic)

    @_once
    def dead_uploads(self) -> DeadLetters:
        return self._dead_letters(self.settings.object_finalized_topic)

    def _publisher(self, topic: str) -> Publisher:
        from google.cloud.pubsub_v1 import PublisherClient
        from google.cloud.pubsub_v1.types import BatchSettings

        from shared.outages import outages
        from shared.publishing.publisher import Publisher

        with outages("Pub/Sub"):
            # One message a request: waiting for a fuller batch would only delay the answer.
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
    """The services of a running function. Raises SettingsError, which names what is missing."""
    return Services(Settings.from_environment(os.environ))
