"""Faults by a seeded schedule, for whatever stands in for one of Google's services."""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    HELD = "403"
    """An object that is under a hold. Only Storage knows this kind and the next one."""
    RETAINED = "412"
    """An object that a retention keeps."""
    TIMED_OUT = "408"
    TOO_MANY = "429"
    ERROR = "500"
    UNAVAILABLE = "503"
    RESET = "reset"
    """The connection breaks off in place of an answer."""
    SILENCE = "silence"
    """No answer until all is healed, or for long; then the connection ends."""
    SLOW = "slow"
    """The right answer, late."""
    DUPLICATE = "duplicate"
    """A message twice. Only Pub/Sub knows this kind and the next one."""
    HELD_BACK = "held back"
    """A message after the next one."""


@dataclass(frozen=True, slots=True)
class Fault:
    kind: Kind
    carried_out: bool = False
    """Whether the operation is carried out all the same, so that only its answer is lost."""


Decision = Callable[[str], Fault | None]
"""What is to happen to a call, of which it gets the name. It may also act: kill whoever calls, say."""

COMMON = (Kind.TOO_MANY, Kind.ERROR, Kind.UNAVAILABLE, Kind.RESET, Kind.SILENCE, Kind.SLOW)


class Schedule:
    """A decision that lets `rate` (0 to 1) of all calls fail, in an order that follows from the seed."""

    def __init__(self, seed: int, rate: float, kinds: Sequence[Kind] = COMMON) -> None:
        self._random = random.Random(seed)  # noqa: S311 - chance that repeats is wanted
        self._rate = rate
        self._kinds = kinds
        self._lock = threading.Lock()

    def __call__(self, call: str) -> Fault | None:
        with self._lock:
            # Always as many numbers, so that the faults of the same seed differ with the rate alone.
            fails, kind = self._random.random() < self._rate, self._random.choice(self._kinds)
            carried_out = self._random.random() < 0.5
        if not fails:
            return None
        return Fault(kind, carried_out=carried_out and kind is not Kind.TOO_MANY)


class Trouble:
    """What a server does to the calls that it takes. Tests change it while the server runs."""

    def __init__(self, silence: float = 30, slowness: float = 0.3) -> None:
        """`silence` and `slowness` are the seconds that calls with these faults take."""
        self.on_call: Decision | None = None
        """Is told of each call before anything comes of it; if it gives a fault, that is what happens."""
        self.schedule: Decision | None = None
        self.calls = 0
        self.faults = 0
        self._seconds = {Kind.SILENCE: silence, Kind.SLOW: slowness}
        self._lock = threading.Lock()

    def heal(self) -> None:
        """No faults from now on, and whoever is held up goes on."""
        self.schedule = self.on_call = None

    def meet(self, call: str) -> Fault | None:
        """What is to happen to this call."""
        decisions = [decide for decide in (self.on_call, self.schedule) if decide]
        fault = next((fault for decide in decisions if (fault := decide(call))), None)
        with self._lock:
            self.calls += 1
            self.faults += fault is not None
        return fault

    def hold_up(self, kind: Kind, is_waited_for: Callable[[], bool] = lambda: True) -> None:
        """Let a call of that kind take its time, unless all is healed or nobody waits for it any more."""
        ends = time.monotonic() + self._seconds.get(kind, 0)
        while time.monotonic() < ends and (self.schedule or self.on_call) and is_waited_for():
            time.sleep(0.02)


def reset(connection: socket.socket) -> None:
    """Close without a goodbye, so that the other side sees the connection broken off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
