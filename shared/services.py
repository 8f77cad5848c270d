"""The composition point: what a function works with, each part built when it is first used.

A client's library is imported where the client is built: google.cloud.firestore costs a cold start some
0.3 s, firebase_admin.auth, google.cloud.pubsub_v1 and google.cloud.storage 0.25 s each, and few need all.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, TypeVar

from shared.job import Bucket
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.auth import TokenVerifier
    from shared.events import Publisher
    from shared.media import MediaStore
    from shared.repository import JobRepository

T = TypeVar("T")
_THREADS = 32
"""Network calls under way at once in one process, for all of its requests."""
_COUNTS = 80
"""Counts under way at once. A request has up to 14: with 32, sixteen such requests (what deploy.sh lets one
instance take) at a Firestore that needs a second failed every other time; with 80 all had their answer. One HTTP/2
connection carries 100 calls as a rule, and each request reads jobs beside its counts.
https://grpc.io/docs/guides/performance/
"""


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

        from shared.auth import TokenVerifier
        from shared.outages import AUTH_TIMEOUT

        options = {"projectId": self.settings.project, "httpTimeout": AUTH_TIMEOUT}
        app = firebase_admin.initialize_app(options=options)
        try:
            return TokenVerifier(app, self.settings.project)
        except Exception:
            firebase_admin.delete_app(app)  # or the next request could not make one
            raise

    @_once
    def repository(self) -> JobRepository:
        from google.cloud import firestore

        from shared.outages import outages
        from shared.repository import JobRepository

        with outages("Firestore"):
            client = firestore.Client(project=self.settings.project)
        # Threads of its own: a slow Storage must not hold up the counts.
        return JobRepository(client, ThreadPoolExecutor(_COUNTS, thread_name_prefix="firestore"))

    @_once
    def media(self) -> MediaStore:
        from shared.media import MediaStore
        from shared.outages import outages
        from shared.storage import storage_client, url_signer

        names = dict(zip(Bucket, self.settings.buckets, strict=True))
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="storage")
        with outages("Cloud Storage"):
            client = storage_client(self.settings, connections=_THREADS)
            return MediaStore(client, names, url_signer(self.settings, pool), pool)

    @_once
    def publisher(self) -> Publisher:
        from google.cloud.pubsub_v1 import PublisherClient
        from google.cloud.pubsub_v1.types import BatchSettings

        from shared.events import Publisher
        from shared.outages import PUBLISH_TIMEOUT

        # One message a request: waiting for a fuller batch would only delay the answer.
        client = PublisherClient(BatchSettings(max_messages=1))
        topic = client.topic_path(self.settings.project, self.settings.job_deleted_topic)
        return Publisher(client, topic, PUBLISH_TIMEOUT)


@cache
def of_this_process() -> Services:
    """The services of a running function. Raises SettingsError, which names what is missing."""
    return Services(Settings.from_environment(os.environ))
