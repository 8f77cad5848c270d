"""One call for each of many objects of a bucket, several at a time, until the bucket proves to be away."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from threading import Lock
from typing import Any

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from requests.exceptions import RequestException

from shared.outages import cause, is_away

AT_ONCE = 8
"""Concurrent calls. Each bucket has its own threads, so it waits for no other bucket or job."""
MOST_GIVEN_UP = 3
"""Consecutive calls that fail after all retries. The bucket is then away, and further calls would fail."""
FAILURES = (GoogleAPIError, GoogleAuthError, RequestException)
_BATCH = 100
_MOST_REASONS = 5


class Attempts:
    """Counts what a run did in one bucket, and remembers why some calls failed.

    `call` takes an object and returns whether it did something. One that raises does not stop the others.
    """

    def __init__(self, call: Callable[[Any], bool], within: float) -> None:
        self._call = call
        self._within = within
        self._until = time.monotonic() + within
        self._lock = Lock()
        self.objects = 0
        self.size = 0
        """Bytes of these objects."""
        self.unsure = 0
        """Calls that may have done something without a trace: they got no answer, or found nothing to do, as one
        does that is repeated because its answer was lost."""
        self._kept: Counter[str] = Counter()
        """How many calls failed, by reason."""
        self._examples: dict[str, str] = {}
        self._given_up = 0
        """Consecutive calls."""

    @contextmanager
    def side_by_side(self) -> Iterator[Callable[[list[Any]], None]]:
        """Within, what is yielded makes the call for each object of a batch and waits for all of them."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="objects") as threads:

            def every(batch: list[Any]) -> None:
                for _ in threads.map(self._try, batch):
                    pass

            yield every

    @property
    def is_over(self) -> bool:
        """Whether no further calls are made."""
        return self._given_up >= MOST_GIVEN_UP or time.monotonic() > self._until

    @property
    def problem(self) -> str | None:
        """What went wrong, in a few words; None if every call was made and none failed."""
        if self._kept:
            return "; ".join(
                f"{reason}: {count} object(s), such as {self._examples[reason]}"
                for reason, count in sorted(self._kept.items(), key=lambda one: (-one[1], one[0]))[:_MOST_REASONS]
            )
        return f"not finished within {self._within:g} s" if self.is_over else None

    def _try(self, blob: Any) -> None:
        if self.is_over:
            return
        failure: Exception | None = None
        done = False
        try:
            done = self._call(blob)
        except FAILURES as error:
            failure = error
        with self._lock:
            got_no_answer = failure is not None and is_away(failure)
            self._given_up = self._given_up + 1 if got_no_answer else 0
            if done:
                self.objects += 1
                self.size += blob.size or 0
            elif got_no_answer or not failure:
                self.unsure += 1
            if failure:
                reason = cause(failure)
                self._kept[reason] += 1
                self._examples[reason] = min(self._examples.get(reason, blob.name), blob.name)


def batches(blobs: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(blobs)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
