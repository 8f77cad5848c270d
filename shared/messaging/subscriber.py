"""Wraps the handler of every background function: decode the event, classify the outcome, log it.

An event ends in one of three ways. Done: acknowledged. Never: it can never succeed, so it is logged as an error
and acknowledged. Retry: the function answers 503, and Pub/Sub delivers the event again.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

import flask
import functions_framework
from cloudevents.http import CloudEvent
from werkzeug.exceptions import ServiceUnavailable

from shared import log, tracing
from shared.errors import (
    DecoderUnfiltered,
    JobFull,
    PurgeIncomplete,
    RestoreIncomplete,
    SweepIncomplete,
    Unavailable,
    UnprocessableEvent,
)
from shared.services import Services, of_this_process
from shared.tracing import Trace


class Event(Protocol):
    @property
    def job_id(self) -> str | None: ...

    @classmethod
    def decode(cls, data: bytes, attributes: Mapping[str, str]) -> Self:
        """Raise UnprocessableEvent for a message that can never succeed."""
        ...


PROBE = "probe"
"""The attribute of a message that only asks whether the function is there."""
_DEAD_LETTER_OF = "CloudPubSubDeadLetterSourceSubscription"
"""The attribute by which Pub/Sub says whose dead letter a message is. Its replay goes to all of the topic's
subscriptions: https://cloud.google.com/pubsub/docs/handling-failures"""

E = TypeVar("E", bound=Event)
Handler = Callable[[E, Services], None]


def subscriber(kind: type[E]) -> Callable[[Handler[E]], Subscriber[E]]:
    """Turn a handler into a background function that consumes events of one kind."""
    return lambda handler: Subscriber(handler, kind)


class Subscriber(Generic[E]):
    """A background function. Its handler takes a decoded event and raises if the event must come back."""

    def __init__(self, handler: Handler[E], kind: type[E]) -> None:
        self._handler = handler
        self._kind = kind
        self._name = handler.__name__
        self.subscription = self._name.replace("_", "-")
        """The name of the subscription that pushes its events, also in infra/functions.py."""

    def start(self) -> Callable[[CloudEvent], None]:
        """The function that functions-framework serves. Raises SettingsError if a setting is missing."""
        services = of_this_process()
        log.start(services.settings.release)

        def serve(event: CloudEvent) -> None:
            flask.g.was_received = True
            self.receive(event.data, services)

        if flask.has_app_context():
            flask.current_app.after_request(self._log_refusal)
        serve.__name__ = self._name
        return functions_framework.cloud_event(serve)

    def _log_refusal(self, response: flask.Response) -> flask.Response:
        """Log requests that functions-framework refused as no CloudEvent. Pub/Sub sends them again."""
        if not flask.g.get("was_received"):
            log.warning(
                "event_refused",
                function=self._name,
                reason="it is no CloudEvent",
                method=flask.request.method,
                status=response.status_code,
            )
        return response

    def receive(self, data: Any, services: Services) -> None:
        """Handle what Pub/Sub pushes, as functions-framework passes it on:
        https://cloud.google.com/pubsub/docs/push#receive_push

        Raises ServiceUnavailable if the event must come back.
        """
        body = data if isinstance(data, Mapping) else {}
        message = body.get("message")
        message = message if isinstance(message, Mapping) else {}
        message_id = message.get("messageId") or message.get("message_id")
        about = {"message_id": str(message_id)} if message_id else {}
        trace = Trace.of(_attributes(message).get(tracing.ATTRIBUTE))
        with log.context(services.settings.project, trace, **about):
            self._handle(body, message, services)

    def _handle(self, body: Mapping[str, Any], message: Mapping[str, Any], services: Services) -> None:
        about: dict[str, object] = {"function": self._name}
        # Only subscriptions with dead letters count attempts:
        # https://cloud.google.com/pubsub/docs/handling-failures
        if attempt := body.get("deliveryAttempt"):
            about["attempt"] = attempt
        if probe := _attributes(message).get(PROBE):
            log.info("probe_answered", probe=str(probe), **about)
            return
        source = str(_attributes(message).get(_DEAD_LETTER_OF) or self.subscription)
        if source.rpartition("/")[2] != self.subscription:
            log.info("replay_for_another", **about)
            return
        try:
            event = self._kind.decode(*_parts(message))
            if event.job_id is not None:
                about["job_id"] = event.job_id
            self._handler(event, services)
        except (UnprocessableEvent, JobFull) as error:
            log.error("event_never", reason=str(error), **about)
            return
        except (PurgeIncomplete, RestoreIncomplete, SweepIncomplete, DecoderUnfiltered, Unavailable) as error:
            log.warning("event_retry", reason=str(error), **about)
            raise ServiceUnavailable from None
        except Exception:
            log.exception("event_retry", reason="unexpected", **about)
            raise ServiceUnavailable from None
        log.info("event_done", **about)


def _attributes(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of an unvalidated message."""
    attributes = message.get("attributes")
    return attributes if isinstance(attributes, Mapping) else {}


def _parts(message: Mapping[str, Any]) -> tuple[bytes, Mapping[str, str]]:
    """The data and attributes of an unvalidated message."""
    attributes = message.get("attributes") or {}
    try:
        data = base64.b64decode(message.get("data") or "", validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise UnprocessableEvent("data is not base64") from None
    if not isinstance(attributes, Mapping):
        raise UnprocessableEvent("attributes are no object")
    return data, attributes
