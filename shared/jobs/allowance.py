"""How often something may be done to one job: so many times at once, and then one by one.

One time in a document keeps count, across all instances of a function.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import TooManyRequests


@dataclass(frozen=True, slots=True)
class Allowance:
    at_once: int
    every: timedelta
    """How long until the job may get one more."""

    def used(self, until: object, now: datetime, refusal: str) -> datetime:
        """The time to store in place of `until`, the stored one, once it is done again.

        Each time adds `every`, counted from now or from the stored time if that is later. It is capped at
        `at_once` of them ahead of now, so that no value in the document can lock a job for long. Raises
        TooManyRequests with `refusal`, a sentence in which `{}` stands for the time that is left.
        """
        limit = self.at_once * self.every
        ahead = until - now if isinstance(until, datetime) else timedelta()
        ahead = min(max(ahead, timedelta()), limit) + self.every
        if ahead > limit:
            seconds = math.ceil((ahead - limit).total_seconds())
            raise TooManyRequests(seconds, refusal.format(_in_words(seconds)))
        return now + ahead


def _in_words(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
