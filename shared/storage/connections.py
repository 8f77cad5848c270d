"""Connections to Google that threads keep open."""

from __future__ import annotations

import requests
import requests.adapters


def keep_alive(session: requests.Session, connections: int) -> None:
    """Let that many threads keep a connection each."""
    session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=connections))
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=connections))
