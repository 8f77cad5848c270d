"""The local gateway, with the page's files as in production: compressed, and built for the media's origin."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from threading import Thread
from typing import Any

from infra.functions import table
from infra.hosting import hosting
from infra.local.gateway import AUTH, Gateway
from infra.local.pages import Pages
from infra.local.ports import HOST
from infra.local.servers import Server
from infra.local.stack import PAGES, Stack

_COMPRESSED = ("text/css", "text/html", "text/javascript")
_compress = lru_cache(maxsize=1000)(gzip.compress)


class _Hosting(Gateway):
    def __init__(self, *args: Any, media_origin: str) -> None:
        self._connection = f'<head><link rel="preconnect" href="{media_origin}"/>'.encode()
        """As in `frontend/lib/connections.ts`. The local build lacks it: the local Storage has any port."""
        super().__init__(*args)

    def _send(
        self, status: int, headers: Iterable[tuple[str, str]], content: bytes, reason: str | None = None
    ) -> None:
        named = dict(headers)
        # Hosting compresses nothing that functions answer, such as a share page.
        is_file = named.get("Content-Type", "").startswith(_COMPRESSED) and not self.path.startswith("/v/")
        if is_file and self.path.startswith("/jobs/"):
            content = content.replace(b"<head>", self._connection, 1)
            named["Content-Length"] = str(len(content))
        if is_file and "gzip" in self.headers.get("Accept-Encoding", ""):
            content = _compress(content)
            named |= {"Content-Encoding": "gzip", "Content-Length": str(len(content))}
        super()._send(status, named.items(), content, reason)


@contextmanager
def hosted(local: Stack) -> Iterator[str]:
    """Yields the origin at which everything is."""
    upstreams = {name: local.ports[name] for name in (AUTH, *table().functions)}
    pages = Pages(PAGES, hosting())
    handler = partial(_Hosting, upstreams, pages, media_origin=local.storage_url)
    server = Server((HOST, 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
