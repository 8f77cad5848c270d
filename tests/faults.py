"""Faults on a seeded schedule, for stand-ins of Google's services."""

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
    """The object is under a hold. Storage only, like the next one."""
    RETAINED = "412"
    """The object is under a retention policy."""
    TIMED_OUT = "408"
    TOO_MANY = "429"
    ERROR = "500"
    UNAVAILABLE = "503"
    RESET = "reset"
    """The connection breaks instead of a response."""
    SILENCE = "silence"
    """No response until all faults are healed or a long time has passed; then the connection ends."""
    SLOW = "slow"
    """The right response, late."""
    DUPLICATE = "duplicate"
    """A message delivered twice. Pub/Sub only, like the next one."""
    HELD_BACK = "held back"
    """A message delivered after the next one."""


@dataclass(frozen=True, slots=True)
class Fault:
    kind: Kind
    carried_out: bool = False
    """Whether the operation is still carried out, so that only its response is lost."""


Decision = Callable[[str], Fault | None]
"""Chooses the fault for a call, given the call's name. It may also act, for example kill the caller."""

COMMON = (Kind.TOO_MANY, Kind.ERROR, Kind.UNAVAILABLE, Kind.RESET, Kind.SILENCE, Kind.SLOW)


class Schedule:
    """A decision that makes `rate` (0 to 1) of all calls fail, in an order determined by the seed."""

    def __init__(self, seed: int, rate: float, kinds: Sequence[Kind] = COMMON) -> None:
        self._random = random.Random(seed)
        self._rate = rate
        self._kinds = kinds
        self._lock = threading.Lock()

    def __call__(self, call: str) -> Fault | None:
        with self._lock:
            # Always draw both numbers, so that for the same seed only the rate changes the faults.
            fails, kind = self._random.random() < self._rate, self._random.choice(self._kinds)
            carried_out = self._random.random() < 0.5
        if not fails:
            return None
        return Fault(kind, carried_out=carried_out and kind is not Kind.TOO_MANY)


class Trouble:
    """What a server does to incoming calls. Tests change it while the server runs."""

    def __init__(self, silence: float = 30, slowness: float = 0.3) -> None:
        """`silence` and `slowness` are the seconds that calls with these faults take."""
        self.on_call: Decision | None = None
        """Is told of each call before it has any effect, and may return a fault for it."""
        self.schedule: Decision | None = None
        self.calls = 0
        self.faults = 0
        self._seconds = {Kind.SILENCE: silence, Kind.SLOW: slowness}
        self._lock = threading.Lock()

    def heal(self) -> None:
        """Stop all faults, and release calls that are held up."""
        self.schedule = self.on_call = None

    def meet(self, call: str) -> Fault | None:
        """The fault for this call, if any."""
        decisions = [decide for decide in (self.on_call, self.schedule) if decide]
        fault = next((fault for decide in decisions if (fault := decide(call))), None)
        with self._lock:
            self.calls += 1
            self.faults += fault is not None
        return fault

    def hold_up(self, kind: Kind, is_waited_for: Callable[[], bool] = lambda: True) -> None:
        """Delay a call of that kind, unless all faults are healed or nobody waits for it any more."""
        ends = time.monotonic() + self._seconds.get(kind, 0)
        while time.monotonic() < ends and (self.schedule or self.on_call) and is_waited_for():
            time.sleep(0.02)


def reset(connection: socket.socket) -> None:
    """Close abruptly, so that the other side sees a broken connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
