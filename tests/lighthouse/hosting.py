"""The local gateway, but the page's files are compressed, as hosting sends them."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from threading import Thread

from infra.functions import table
from infra.hosting import hosting
from infra.local.gateway import AUTH, Gateway
from infra.local.pages import Pages
from infra.local.ports import HOST
from infra.local.servers import Server
from infra.local.stack import PAGES, Stack

_COMPRESSED = ("text/css", "text/html", "text/javascript")
_compress = lru_cache(maxsize=1000)(gzip.compress)


class _Compressing(Gateway):
    def _send(
        self, status: int, headers: Iterable[tuple[str, str]], content: bytes, reason: str | None = None
    ) -> None:
        named = dict(headers)
        # Hosting compresses nothing that functions answer, such as a share page.
        is_file = named.get("Content-Type", "").startswith(_COMPRESSED) and not self.path.startswith("/v/")
        if is_file and "gzip" in self.headers.get("Accept-Encoding", ""):
            content = _compress(content)
            named |= {"Content-Encoding": "gzip", "Content-Length": str(len(content))}
        super()._send(status, named.items(), content, reason)


@contextmanager
def compressing(local: Stack) -> Iterator[str]:
    """Yields the origin at which everything is."""
    upstreams = {name: local.ports[name] for name in (AUTH, *table().functions)}
    server = Server((HOST, 0), partial(_Compressing, upstreams, Pages(PAGES, hosting())))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
