"""Who looks at shared videos, as far as one process remembers: for how long nobody, and never by name.

Both memories are bounded, each process has its own, and both forget at its end. What has to hold for all of them
together is for what stands in front: in production, Cloud Armor.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import os
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

VIEW_WINDOW = 6 * 3600
"""Seconds within which a visitor's views of one video are one view."""
BURST = 60
"""Requests that a client may send at once."""
PER_SECOND = 1.0
"""How fast a client that has used them up gets new ones."""
MOST_REMEMBERED = 20_000
_LONGEST_TOLD_APART = 1024
_NEVER_COUNTS = re.compile(
    r"(?<!cu)bot|crawl|spider|slurp|externalhit|whatsapp|preview|embed|unfurl|headless|lighthouse"
    r"|monitor|uptime|^(curl|wget|python|go-http|okhttp|java|axios|node|undici|ruby|php|libwww|apache)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever sent a request, told apart by address and browser."""

    address: str
    user_agent: str

    @property
    def is_machine(self) -> bool:
        """Whether it is known for fetching what nobody looks at, such as the previews that chats make."""
        return not self.user_agent or bool(_NEVER_COUNTS.search(self.user_agent))


class Visitors:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key = os.urandom(16)
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._spent: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def is_new(self, visitor: Visitor, short_id: str, now: float) -> bool:
        """Whether this is the visitor's first view of a video within the window, which begins with it.

        `now` is in seconds. Addresses of one network of IPv6, which a device changes among, are one visitor's.
        """
        key = self._digest(_network(visitor.address), visitor.user_agent, short_id)
        with self._lock:
            first = self._seen.get(key)
            if first is not None and now < first + VIEW_WINDOW:
                return False
            self._seen[key] = now
            _forget(self._seen, key)
        return True

    def seconds_to_wait(self, address: str, now: float) -> int:
        """0 if a client at this address may have one more answer now, or in how many seconds it may.

        A whole network of IPv6 is one client: who has one address of it has them all.
        """
        key = self._digest(_network(address))
        with self._lock:
            spent, since = self._spent.get(key, (0.0, now))
            spent = max(0.0, spent - (now - since) * PER_SECOND)
            waits = spent + 1 > BURST
            self._spent[key] = (spent if waits else spent + 1, now)
            _forget(self._spent, key)
        return math.ceil((spent + 1 - BURST) / PER_SECOND) if waits else 0

    def _digest(self, *parts: str) -> bytes:
        text = "\n".join(part[:_LONGEST_TOLD_APART] for part in parts)
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._key, digest_size=16).digest()


def client_address(forwarded_for: str, peer: str, hops: int) -> str:
    """The address that Google's front end saw. What stands before it in X-Forwarded-For, the client made up."""
    entries = [entry.strip() for entry in forwarded_for.split(",") if entry.strip()]
    return entries[-hops] if len(entries) >= hops else peer


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, ipaddress.IPv6Address) or parsed.ipv4_mapped:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _forget(memory: OrderedDict[bytes, Any], newest: bytes) -> None:
    """Keep the newest, and let the oldest go."""
    memory.move_to_end(newest)
    while len(memory) > MOST_REMEMBERED:
        memory.popitem(last=False)
