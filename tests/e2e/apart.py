"""Serves the page and each function at an origin of its own, as in production."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread

from infra.hosting import hosting
from infra.local.pages import Answer, Pages
from infra.local.ports import HOST
from infra.local.servers import Server
from infra.stage import ROOT

FOLDER = ROOT / "frontend" / "out-apart"
"""infra/local/page.sh builds the page with these addresses into this folder."""
CALLED_BY_THE_PAGE = tuple(
    name.lower()
    for name in re.findall(r'endpoint\("([A-Z_]+)_URL"\)', (ROOT / "frontend/lib/settings.ts").read_text())
)
"""The functions whose addresses are in the page's settings."""
PAGE_HOST = "localhost"
PAGE = f"http://{PAGE_HOST}:3000"
"""The page's origin. The local cloud's functions allow it because `next dev` uses it."""
_NOT_FOUND = Answer(404, {"Content-Length": "0"})


def host(name: str) -> str:
    """The host name of a function or of the sign-in service."""
    return f"{name.replace('_', '-')}.localhost"


def address(name: str) -> str:
    return f"http://{host(name)}"


@contextmanager
def hosted(folder: Path) -> Iterator[int]:
    """Serve only the page's files. Yields the port."""
    server = Server((HOST, 0), partial(_Hosting, Pages(folder, hosting())))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class _Hosting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, pages: Pages, *arguments: object) -> None:
        self._pages = pages
        super().__init__(*arguments)  # type: ignore[arg-type]  # what socketserver passes

    def do_GET(self) -> None:
        answer = self._pages.answer("GET", self.path, self.headers) or _NOT_FOUND
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""
