"""Who looks at shared videos, as far as one process remembers: for how long nobody, and never by name.

Both memories are bounded, each process has its own, and both forget at its end. What has to hold for all of them
together is for what stands in front: in production, Cloud Armor.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from shared.access.limiter import Limiter, Memory

VIEW_WINDOW = 6 * 3600
"""Seconds within which a visitor's views of one video are one view."""
BURST = 60
"""Requests that a client may send at once."""
PER_SECOND = 1.0
"""How fast a client that has used them up gets new ones."""
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
        self._seen: Memory[float] = Memory()
        self._clients = Limiter(BURST, PER_SECOND)

    def is_new(self, visitor: Visitor, short_id: str, now: float) -> bool:
        """Whether this is the visitor's first view of a video within the window, which begins with it.

        `now` is in seconds. Addresses of one network of IPv6, which a device changes among, are one visitor's.
        """
        key = self._seen.key(_network(visitor.address), visitor.user_agent, short_id)
        with self._seen.lock:
            first = self._seen.values.get(key)
            if first is not None and now < first + VIEW_WINDOW:
                return False
            self._seen.put(key, now)
        return True

    def seconds_to_wait(self, address: str, now: float) -> int:
        """0 if a client at this address may have one more answer now, or in how many seconds it may.

        A whole network of IPv6 is one client: who has one address of it has them all.
        """
        return self._clients.seconds_to_wait(_network(address), now)


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
