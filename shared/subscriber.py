"""What every background function does around its handler: decode, classify the outcome, log it.

An event ends in one of three ways. Done: acknowledged. Never: it can never succeed, so it is recorded in the
log as an error and acknowledged. Retry: the function answers 503, and Pub/Sub delivers the event again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

import functions_framework
from cloudevents.http import CloudEvent
from werkzeug.exceptions import ServiceUnavailable

from shared import log
from shared.errors import PurgeIncomplete, Unavailable, UnprocessableEvent
from shared.events import JobDeleted
from shared.services import Services, of_this_process

Handler = Callable[[JobDeleted, Services], None]


class Subscriber:
    """A background function: its handler takes a decoded event and raises where the event must come back."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._name = handler.__name__

    def start(self) -> Callable[[CloudEvent], None]:
        """The function that functions-framework serves. Raises SettingsError if a setting is missing."""
        log.start()
        services = of_this_process()

        def serve(event: CloudEvent) -> None:
            self.receive(event.data, services)

        serve.__name__ = self._name
        return functions_framework.cloud_event(serve)

    def receive(self, data: Any, services: Services) -> None:
        """Take the data of a Pub/Sub CloudEvent: https://cloud.google.com/eventarc/docs/cloudevents#pubsub

        Raises ServiceUnavailable where the event has to come back.
        """
        message = data.get("message") if isinstance(data, Mapping) else None
        message = message if isinstance(message, Mapping) else {}
        about: dict[str, object] = {
            "function": self._name,
            "message_id": str(message.get("messageId") or message.get("message_id")),
        }
        try:
            event = _decode(message)
            about["job_id"] = event.job_id
            self._handler(event, services)
        except UnprocessableEvent as error:
            log.error("event_never", reason=str(error), **about)
            return
        except (PurgeIncomplete, Unavailable) as error:
            log.warning("event_retry", reason=str(error), **about)
            raise ServiceUnavailable from None
        except Exception:
            log.exception("event_retry", reason="unexpected", **about)
            raise ServiceUnavailable from None
        log.info("event_done", **about)


def _decode(message: Mapping[str, Any]) -> JobDeleted:
    attributes = message.get("attributes") or {}
    try:
        data = base64.b64decode(message.get("data") or "", validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise UnprocessableEvent("data is not base64") from None
    if not isinstance(attributes, Mapping):
        raise UnprocessableEvent("attributes are no object")
    return JobDeleted.decode(data, attributes)
