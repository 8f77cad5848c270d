"""Runs the calls for one response in parallel, on threads shared by all responses."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from threading import Semaphore
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

SHARE = 16
"""Concurrent calls of one response. Its other calls wait outside the pool, where they block nobody."""


def share() -> Semaphore:
    """A semaphore for all calls of one response. Calls that overran their time still hold a place."""
    return Semaphore(SHARE)


def side_by_side(
    pool: Executor, call: Callable[[T], R], things: Sequence[T], seconds: float, free: Semaphore
) -> list[R | Exception]:
    """The result or exception of the call for each thing, in order. TimeoutError for calls that take too long."""
    until = time.monotonic() + seconds
    begun: list[Future[R | Exception]] = []
    for thing in things:
        if not free.acquire(timeout=max(0.0, until - time.monotonic())):
            break
        begun.append(pool.submit(outcome, call, thing))
        begun[-1].add_done_callback(lambda _: free.release())
    wait(begun, max(0.0, until - time.monotonic()))
    late = [TimeoutError() for _ in things[len(begun) :]]
    return [TimeoutError() if one.cancel() or not one.done() else one.result() for one in begun] + late


def outcome(call: Callable[[T], R], thing: T) -> R | Exception:
    """The result of the call for the thing, or the exception that it raised."""
    try:
        return call(thing)
    except Exception as error:
        return error


def required(found: R | Exception) -> R:
    """The result of a call that the response cannot do without. Raises it if it is an error."""
    if isinstance(found, Exception):
        raise found
    return found
