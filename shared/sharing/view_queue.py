"""Work that an answer does not depend on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import BoundedSemaphore
from typing import ParamSpec

P = ParamSpec("P")


class Background:
    """Does up to `most` things beside the answers, `threads` of them at once, and refuses more.

    Without an end to what waits, a service that is slow would fill the memory.
    """

    def __init__(self, threads: int, most: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="background")
        self._free = BoundedSemaphore(most)

    def begin(self, act: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> Future[None] | None:
        """Have `act` called, with this thread's context; None if there is too much to do already."""
        if not self._free.acquire(blocking=False):
            return None
        begun = self._pool.submit(copy_context().run, partial(act, *args, **kwargs))
        begun.add_done_callback(lambda _: self._free.release())
        return begun
