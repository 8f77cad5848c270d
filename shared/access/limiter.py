"""Rate limits per caller, kept in this process: callers are stored as hashes, and their number is bounded."""

from __future__ import annotations

import hashlib
import math
import os
import threading
from collections import OrderedDict
from typing import Generic, TypeVar

MOST_REMEMBERED = 20_000
LONGEST_WAIT = 60
"""Seconds that a caller waits at most, whatever was charged."""
_LONGEST_TOLD_APART = 1024
V = TypeVar("V")


class Memory(Generic[V]):
    """Values by hashed keys. Beyond MOST_REMEMBERED entries, the oldest are dropped."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """Hold it to read and then write."""
        self.values: OrderedDict[bytes, V] = OrderedDict()
        self._secret = os.urandom(16)

    def key(self, *parts: str) -> bytes:
        text = "\n".join(part[:_LONGEST_TOLD_APART] for part in parts)
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._secret, digest_size=16).digest()

    def put(self, key: bytes, value: V) -> None:
        self.values[key] = value
        self.values.move_to_end(key)
        while len(self.values) > MOST_REMEMBERED:
            self.values.popitem(last=False)


class Limiter:
    """Allows each caller `burst` answers at once, then `per_second`."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._spent: Memory[tuple[float, float]] = Memory()

    def seconds_to_wait(self, who: str, now: float) -> int:
        """0 if `who` may have another answer now; otherwise the seconds to wait. `now` is in seconds."""
        key = self._spent.key(who)
        with self._spent.lock:
            spent = self._spent_by(key, now)
            waits = spent + 1 > self._burst
            self._spent.put(key, (spent if waits else spent + 1, now))
        return min(LONGEST_WAIT, math.ceil((spent + 1 - self._burst) / self._per_second)) if waits else 0

    def charge(self, who: str, answers: int, now: float) -> None:
        """Count so many more answers to `who`, also beyond what is allowed: the next one has to wait then."""
        key, most = self._spent.key(who), self._burst - 1 + LONGEST_WAIT * self._per_second
        with self._spent.lock:
            self._spent.put(key, (min(self._spent_by(key, now) + answers, most), now))

    def _spent_by(self, key: bytes, now: float) -> float:
        spent, since = self._spent.values.get(key, (0.0, now))
        return max(0.0, spent - max(0.0, now - since) * self._per_second)  # clocks may go back
