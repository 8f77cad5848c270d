"""Waits for a condition, with a deadline."""

from __future__ import annotations

from collections.abc import Callable

from test_utils.retry import RetryResult


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Return once `condition` returns something true. Fail the test if that takes too long.

    The deadline is generous, for busy machines. An idle machine needs a fraction of it.
    """
    delay = 0.05
    tries = max(2, int(seconds / delay))
    RetryResult(bool, max_tries=tries, delay=delay, backoff=1, logger=_Silent())(condition)()


class _Silent:
    def warning(self, *_: object) -> None:
        """Log nothing: waiting is not news."""
