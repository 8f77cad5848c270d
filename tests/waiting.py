"""Waits for a condition, with a deadline."""

from __future__ import annotations

from collections.abc import Callable

from test_utils.retry import RetryResult


def wait_until(condition: Callable[[], object], seconds: float = 60, *, every: float = 0.05) -> None:
    """Return once `condition` returns something true. Looks `every` so many seconds. Fail the test if it takes too
    long.

    The deadline is generous, for busy machines. An idle machine needs a fraction of it.
    """
    tries = max(2, int(seconds / every))
    RetryResult(bool, max_tries=tries, delay=every, backoff=1, logger=_Silent())(condition)()


class _Silent:
    def warning(self, *_: object) -> None:
        """Log nothing: waiting is not news."""
