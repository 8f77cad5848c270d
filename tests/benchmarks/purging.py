"""Compares the purge of a job with 100 objects in each of three buckets with the purge of one bucket alone."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

import google.cloud.storage

from infra.local import ports
from infra.local.ports import HOST
from infra.local.stack import Stack
from infra.stage import ROOT
from shared.jobs.job import JobPrefix
from shared.settings import Settings
from shared.storage.connections import keep_alive
from shared.storage.objects import ObjectStore
from tests.benchmarks.rows import Row
from tests.benchmarks.slow_storage import OBJECTS, SECONDS
from tests.integration.faults.bench import pointed_at

_ROUNDS = 5


def rows(stack: Stack) -> Iterator[Row]:
    with _slow_storage(stack):
        buckets = stack.settings.buckets
        both = [(_purge(stack.settings, buckets), _purge(stack.settings, buckets[:1])) for _ in range(1 + _ROUNDS)]
    all_three, slowest = (median(times[1:]) for times in zip(*both, strict=True))
    name = f"purge of {3 * OBJECTS} objects at {1000 * SECONDS:.0f} ms a call, ms"
    yield Row(name=f"{name}, vs one bucket alone", ours=1000 * all_three, peer=1000 * slowest, limit=1.3)


def _purge(settings: Settings, buckets: Sequence[str]) -> float:
    """Purge a job. Returns the seconds that it took."""
    client = google.cloud.storage.Client(project=settings.project)
    keep_alive(client._http, connections=64)
    store = ObjectStore(client, buckets)
    began = time.perf_counter()
    purges = store.purge(JobPrefix("me", uuid.uuid4().hex), lambda: True)
    took = time.perf_counter() - began
    assert [(purge.objects, purge.error) for purge in purges] == [(OBJECTS, None)] * len(buckets)
    return took


@contextmanager
def _slow_storage(stack: Stack) -> Iterator[None]:
    port = ports.any_free(["slow"])["slow"]
    command = [sys.executable, "-m", "tests.benchmarks.slow_storage", str(port)]
    stack.processes.start("slow", command, environment=dict(os.environ), folder=ROOT)
    stack.processes.wait_for("slow", lambda: ports.answers(port))
    with pointed_at({"STORAGE_EMULATOR_HOST": f"http://{HOST}:{port}"}):
        yield
    stack.processes.stop(["slow"])
