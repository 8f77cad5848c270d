"""Stands in for the client of Pub/Sub's library under a real Publisher."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from google.api_core.exceptions import ServiceUnavailable
from google.cloud.pubsub_v1.publisher.exceptions import MessageTooLargeError


class Client:
    """Accepts nearly everything. Like the library's client, it takes attributes as keyword arguments."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes, dict[str, str]]] = []

    def publish(
        self,
        topic: str,
        data: bytes,
        ordering_key: str = "",
        retry: Any = None,
        timeout: Any = None,
        **attributes: str,
    ) -> Future[str]:
        if attributes.get("job_id") == "too-large":
            raise MessageTooLargeError
        self.published.append((topic, data, attributes))
        accepted: Future[str] = Future()
        if attributes.get("job_id") == "refused":
            accepted.set_exception(ServiceUnavailable("away"))
        else:
            accepted.set_result("1")
        return accepted
