"""Calls that one answer needs, made side by side on threads that all answers share."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from threading import Semaphore
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

SHARE = 16
"""Calls that one answer has under way at once. Its others wait outside the pool, where they hold up nobody."""


def share() -> Semaphore:
    """What one answer gives to all of its calls: those that are late still count."""
    return Semaphore(SHARE)


def side_by_side(
    pool: Executor, call: Callable[[T], R], things: Sequence[T], seconds: float, free: Semaphore
) -> list[R | Exception]:
    """What the call gives for each thing, or raises, in their order. TimeoutError for what takes too long."""
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
    """What the call gives for the thing, or raises."""
    try:
        return call(thing)
    except Exception as error:
        return error


def required(found: R | Exception) -> R:
    """The outcome of a call without which there is no answer: raised, if it is an error."""
    if isinstance(found, Exception):
        raise found
    return found
