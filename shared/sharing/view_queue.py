"""Calls what publishes views in the background, so that responses do not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import BoundedSemaphore
from typing import ParamSpec

P = ParamSpec("P")


class ViewQueue:
    """Runs calls on `threads` threads, and refuses more while `most` are running or waiting.

    Without this limit, calls waiting for a slow service would fill the memory.
    """

    def __init__(self, threads: int, most: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="views")
        self._free = BoundedSemaphore(most)

    def begin(self, act: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> Future[None] | None:
        """Queue a call of `act` with this thread's context. None if too many are running or waiting."""
        if not self._free.acquire(blocking=False):
            return None
        begun = self._pool.submit(copy_context().run, partial(act, *args, **kwargs))
        begun.add_done_callback(lambda _: self._free.release())
        return begun
