"""Faults of the local cloud's Storage, as the Cloud Storage library sees them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from google.api_core.exceptions import InternalServerError, ServiceUnavailable, TooManyRequests

from tests.faults import Fault, Kind, Schedule, Trouble
from tests.storages import a_storage


@pytest.fixture
def trouble() -> Trouble:
    return Trouble(silence=60, slowness=0.3)


@pytest.fixture
def blob(trouble: Trouble) -> Iterator[Any]:
    """The only object of a Storage with one bucket."""
    with a_storage(trouble, ["bucket"]) as client:
        blob = client.bucket("bucket").blob("name")
        blob.upload_from_string(b"content")
        yield blob


def delete(blob: Any, timeout: float = 5) -> None:
    blob.delete(retry=None, timeout=timeout)


FAILURES: dict[Kind, type[Exception]] = {
    Kind.TOO_MANY: TooManyRequests,
    Kind.ERROR: InternalServerError,
    Kind.UNAVAILABLE: ServiceUnavailable,
    Kind.RESET: requests.exceptions.ConnectionError,
    Kind.SILENCE: requests.exceptions.Timeout,
}


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("kind", FAILURES)
def test_a_fault_is_met_before_or_after_the_operation_was_carried_out(
    blob: Any, trouble: Trouble, kind: Kind, carried_out: bool
) -> None:
    trouble.on_call = lambda call: Fault(kind, carried_out)
    with pytest.raises(FAILURES[kind]) as raised:
        delete(blob, timeout=1)
    if kind is Kind.RESET:
        assert "ConnectionResetError" in repr(raised.value)
    trouble.heal()
    assert blob.exists() is not carried_out


def test_a_slow_answer_is_the_right_one(blob: Any, trouble: Trouble) -> None:
    trouble.on_call = lambda call: Fault(Kind.SLOW)
    began = time.monotonic()
    assert blob.download_as_bytes() == b"content"
    assert time.monotonic() - began >= 0.3


def test_whoever_waits_in_silence_goes_on_when_all_is_healed(blob: Any, trouble: Trouble) -> None:
    trouble.on_call = lambda call: Fault(Kind.SILENCE)
    threading.Timer(0.3, trouble.heal).start()
    with pytest.raises(requests.exceptions.ConnectionError):
        delete(blob, timeout=30)
    delete(blob)


def test_a_test_is_told_of_each_call(blob: Any, trouble: Trouble) -> None:
    calls: list[str] = []
    trouble.on_call = calls.append
    blob.exists()
    delete(blob)
    assert [call.split("?")[0] for call in calls] == [
        "GET /storage/v1/b/bucket/o/name",
        "DELETE /storage/v1/b/bucket/o/name",
    ]


def test_the_library_gets_through_what_fails_now_and_then(blob: Any, trouble: Trouble) -> None:
    trouble.schedule = Schedule(7, 0.3, [Kind.TOO_MANY, Kind.ERROR, Kind.UNAVAILABLE, Kind.RESET])
    for _ in range(10):
        assert blob.exists()
    assert trouble.faults > 0
