"""The local cloud with all calls to Google's services counted, to measure what one user action costs."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from google.pubsub_v1.types import PublishRequest

from infra.local import ports
from infra.local.ports import HOST
from infra.local.resources import topics_by_function
from infra.local.stack import PORT_NAMES, Stack, empty
from infra.local.storage import notified
from tests.benchmarks.load import cpu_seconds
from tests.faults import Trouble
from tests.integration.faults.grpc_proxy import GrpcProxy, Upstream, serving
from tests.integration.faults.pubsub_proxy import PubsubProxy
from tests.integration.firestore_meter import FirestoreMeter, metering
from tests.storages import troubled

_QUIET = 4.0
"""After this many seconds without a call, an action is complete with all its effects."""


@dataclass(frozen=True)
class Operations:
    """What an action costs, on average."""

    read: float
    """Documents and counts. A count is one read, because it covers fewer than 1,000 jobs here."""
    write: float
    delete: float
    class_a: float
    class_b: float
    pubsub_kilobyte: float
    """Messages published and pushed. None is larger than 1 kB."""
    request: float
    second: float
    """Seconds of the functions' CPU time."""
    megabyte_out: float

    def __add__(self, other: Operations) -> Operations:
        theirs = asdict(other)
        return Operations(**{name: number + theirs[name] for name, number in asdict(self).items()})

    def __mul__(self, times: float) -> Operations:
        return Operations(**{name: number * times for name, number in asdict(self).items()})


class Meters:
    """Counts what each action causes."""

    def __init__(self, stack: Stack, firestore: FirestoreMeter, storage: Trouble, pubsub: Trouble) -> None:
        self.stack = stack
        self.groups = [stack.processes.pid(function) for function in stack.functions]
        self._firestore = firestore
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        storage.on_call = lambda call: self._count(_class_of(call))
        pubsub.on_call = self._published

    def sent(self, answer: requests.Response) -> requests.Response:
        """Count a function's response to a browser."""
        self._count("request")
        return self.fetched(answer)

    def fetched(self, answer: requests.Response) -> requests.Response:
        """Count the bytes that a browser received. Storage counts its own operations."""
        answer.raise_for_status()
        headers = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
        with self._lock:
            self._counts["bytes"] += int(answer.headers.get("Content-Length", len(answer.content))) + headers
        return answer

    def measured(self, times: int, action: Callable[[], object]) -> Operations:
        """The cost of `action` and all its effects, divided by `times`: how often it repeats its work."""
        self._settle()
        self._firestore.reset()
        self._counts.clear()
        before = sum(map(cpu_seconds, self.groups))
        action()
        self._settle()
        used = sum(map(cpu_seconds, self.groups)) - before
        meter, counts = self._firestore, self._counts
        pushed = sum(counts[topic] * subscribers for topic, subscribers in self._subscribers().items())
        total = Operations(
            read=meter.documents + meter.aggregations,
            write=meter.writes,
            delete=meter.deletes,
            class_a=counts["A"],
            class_b=counts["B"],
            pubsub_kilobyte=counts["Publish"] + pushed,
            request=counts["request"] + pushed,
            second=used,
            megabyte_out=counts["bytes"] / 1e6,
        )
        return total * (1 / times)

    def _count(self, what: str, times: int = 1) -> None:
        with self._lock:
            self._counts[what] += times

    def _published(self, call: str) -> None:
        name, topic, messages = call.split(" ")
        self._count(name)
        self._count(topic, int(messages))

    def _subscribers(self) -> Counter[str]:
        """How many functions get each topic's messages."""
        return Counter(topics_by_function(self.stack.settings).values())

    def _settle(self) -> None:
        """Wait until there has been no call for _QUIET seconds."""
        seen, since = None, time.monotonic()
        while time.monotonic() - since < _QUIET:
            self._firestore.wait_until_idle()
            now = (self._firestore.calls, self._firestore.writes, dict(self._counts))
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.1)


class _Pubsub(GrpcProxy):
    unary = PubsubProxy.unary

    def called(self, name: str, request: bytes) -> str:
        """The call's name, the topic that it publishes to, and the number of messages."""
        if name != "Publish":
            return f"{name} - 0"
        published = PublishRequest.deserialize(request)
        return f"{name} {published.topic.rpartition('/')[2]} {len(published.messages)}"


def _class_of(call: str) -> str:
    """A or B; deletes are free. https://cloud.google.com/storage/pricing#operations-by-class"""
    method, _, url = call.partition(" ")
    path = urlsplit(url).path
    if method == "DELETE":
        return "free"
    is_listing = path.rstrip("/").endswith("/o")
    return "A" if method in ("POST", "PUT", "PATCH") or is_listing else "B"


@contextmanager
def running(output: Callable[[str], Any]) -> Iterator[Meters]:
    with empty(Stack, ports.any_free(PORT_NAMES), output=output) as stack, ExitStack() as cleanup:
        stack.start_emulators(("auth", "firestore", "pubsub"))
        key, storage, pubsub = stack.settings.signing_key, Trouble(), Trouble()
        assert key is not None
        way = cleanup.enter_context(serving(_Pubsub(Upstream(stack.environment["PUBSUB_EMULATOR_HOST"]), pubsub)))
        topic = f"projects/{stack.settings.project}/topics/{stack.settings.object_finalized_topic}"
        objects, notifications = notified(topic, way)
        cleanup.callback(notifications.close)
        httpd = troubled(stack.ports["storage"], objects, storage, {key.access_id: key.secret})
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        cleanup.callback(httpd.shutdown)
        stack.make_resources()
        meter, port = cleanup.enter_context(metering(stack.environment["FIRESTORE_EMULATOR_HOST"]))
        stack.environment |= {"FIRESTORE_EMULATOR_HOST": f"{HOST}:{port}", "PUBSUB_EMULATOR_HOST": way}
        stack.start_functions()
        # The caller's documents bypass the meter. Its uploads and messages are counted, as parts of actions.
        os.environ["PUBSUB_EMULATOR_HOST"] = way
        yield Meters(stack, meter, storage, pubsub)
