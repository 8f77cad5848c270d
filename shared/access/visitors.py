"""Remembers recent visitors in this process, anonymously; retention is not guaranteed.

Both memories are bounded, belong to one process and end with it. Limits across all processes are up to what
stands in front of them: Cloud Armor in production.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from shared.access.limiter import Limiter, Memory

VIEW_WINDOW = 6 * 3600
"""Seconds within which a visitor's views of one video count as one."""
BURST = 60
"""Requests that a client may send at once."""
PER_SECOND = 1.0
"""Requests per second that a client regains after using up BURST."""
_SITE_SHARE = 10
"""How many times as much all of an IPv6 /48 gets: one customer may have it, with 65,536 networks."""
_LONGEST_AGENT = 1_000
"""Characters. That of an app with its devices and languages has some 400; more would take long to search."""
_BROWSER = re.compile(
    r"Mozilla/5\.0 \("
    r"(?>[^)]*?(Windows NT|Macintosh|X11|Linux|Android|iPhone|iPad|OpenHarmony|Tizen|PlayStation))"
    r"[^)]*\).*(AppleWebKit|Gecko)/\d"
)
"""How a browser of people begins on the systems that are named here, also one inside another app.

`(?>...)` settles on the first system that is named: otherwise each would be tried, in time squared.
"""
_DRESSED_UP = re.compile(
    r"(?<!cu)bot|crawl|spider|slurp|externalhit|whatsapp/|preview|embed|unfurl|headless|lighthouse"
    r"|monitor|uptime|\+?https?://|compatible;",
    re.IGNORECASE,
)
"""What machines that run a browser say of themselves."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The sender of a request, identified by address and browser."""

    address: str
    user_agent: str

    @property
    def looks_like_browser(self) -> bool:
        """Whether a person may be looking. Anything that is not known to be a browser is a machine."""
        if len(self.user_agent) > _LONGEST_AGENT:
            return False
        return bool(_BROWSER.match(self.user_agent)) and not _DRESSED_UP.search(self.user_agent)


class Visitors:
    def __init__(self) -> None:
        self._seen: Memory[float] = Memory()
        self._clients = Limiter(BURST, PER_SECOND)
        self._sites = Limiter(_SITE_SHARE * BURST, _SITE_SHARE * PER_SECOND)

    def is_new(self, visitor: Visitor, short_id: str, now: float) -> bool:
        """Whether this is the visitor's first view of the video within the window, which it then starts.

        `now` is in seconds. A device changes its address within an IPv6 network, so one network is one visitor.
        """
        key = self._seen.key(_network(visitor.address), visitor.user_agent, short_id)
        with self._seen.lock:
            first = self._seen.values.get(key)
            if first is not None and now < first + VIEW_WINDOW:
                return False
            self._seen.put(key, now)
        return True

    def seconds_to_wait(self, address: str, now: float) -> int:
        """0 if a client at this address may have another answer now; otherwise the seconds to wait.

        A whole IPv6 network counts as one client, because whoever has one of its addresses has them all.
        """
        network, site = _network(address), _network(address, 48)
        waits = self._clients.seconds_to_wait(network, now)
        return waits if waits or site == network else self._sites.seconds_to_wait(site, now)


def client_address(forwarded_for: str, peer: str, hops: int) -> str:
    """The address that Google's front end saw. The client can forge earlier entries of X-Forwarded-For."""
    entries = [entry.strip() for entry in forwarded_for.split(",") if entry.strip()]
    return entries[-hops] if len(entries) >= hops else peer


def _network(address: str, bits: int = 64) -> str:
    """The IPv6 network of so many bits that the address is in; any other address as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, ipaddress.IPv6Address) or parsed.ipv4_mapped:
        return address
    return str(ipaddress.ip_network((parsed, bits), strict=False))
