"""Waiting for a condition, with a deadline."""

from __future__ import annotations

from collections.abc import Callable

from test_utils.retry import RetryResult


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Return as soon as `condition` gives something true; fail the test if it has not by then.

    As a deadline for busy machines, it is generous: an idle one gets there in a fraction.
    """
    delay = 0.05
    tries = max(2, int(seconds / delay))
    RetryResult(bool, max_tries=tries, delay=delay, backoff=1, logger=_Silent())(condition)()


class _Silent:
    def warning(self, *_: object) -> None:
        """Say nothing: waiting is no news."""
