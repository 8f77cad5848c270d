"""One origin for everything a browser needs: the page, the API's functions, and sign-in.

Forwards requests to functions and the Auth emulator unchanged.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache, partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from infra.functions import table
from infra.hosting import hosting
from infra.local.pages import Pages
from infra.local.servers import Server

AUTH = "auth"
JOB_SERVICE = "the job service"
"""Creates jobs, and is not part of this project: requests for it are not forwarded."""
_OF_THE_SIGN_IN = re.compile(r"/(identitytoolkit\.googleapis\.com|securetoken\.googleapis\.com|emulator)/.*")
"""Checked before the functions' routes, because anything may follow one of these prefixes."""
_OF_THE_JOB_SERVICE = (
    ("POST", re.compile(r".*/jobs")),
    ("GET", re.compile(r".*/jobs/cost")),
    ("POST", re.compile(r".*/jobs/[^/]*/(post-process|watermark)")),
)
_FOR_ALL_ELSE = "list_jobs"
"""Responds that nothing was found."""
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
_SECONDS = 60
_DIGITS = 7
"""Most digits of a body's length. Only sign-in and what functions take have bodies, and these are small."""
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,6})[ \t]*(;.*)?\r\n")
_LONGEST_LINE = 4096


def upstream_for(method: str, path: str, wanted_method: str | None) -> str:
    """The function that a request goes to, AUTH, or JOB_SERVICE. `wanted_method` is the one that a preflight
    names.

    If several functions share a path, the method decides. A method that none of them handles goes to the first.
    """
    path = path.partition("?")[0].removesuffix("/")
    if any({method, wanted_method} & {theirs} and at.fullmatch(path) for theirs, at in _OF_THE_JOB_SERVICE):
        return JOB_SERVICE
    if _OF_THE_SIGN_IN.fullmatch(path):
        return AUTH
    wanted = wanted_method if method == "OPTIONS" else method
    for pattern, functions in _paths():
        if pattern.fullmatch(path):
            first = next(iter(functions.values()))
            return functions.get("GET" if wanted == "HEAD" else wanted or "", first)
    return _FOR_ALL_ELSE


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, str]]]:
    """The paths of the table, longest first and words before ids, each with its functions by method."""
    paths: dict[str, dict[str, str]] = {}
    for function in table().functions.values():
        for route in function.routes:
            paths.setdefault(route.path, {})[route.method] = function.name
    longest_first = sorted(paths.items(), key=lambda path: (-path[0].count("/"), path[0].count("{")))
    return [(_pattern(path), functions) for path, functions in longest_first]


def _pattern(path: str) -> re.Pattern[str]:
    """Matches the path with any value for an id, and any prefix."""
    return re.compile(".*" + re.sub(r"\\{\w+\\}", "[^/]*", re.escape(path)))


def _may_be_a_page(upstream: str) -> bool:
    """Whether a browser that requests this may mean one of the page's files."""
    function = table().functions.get(upstream)
    return upstream != AUTH and not (function and function.public)


class _Upstream(http.client.HTTPConnection):
    """Sends paths unchanged. It is up to the functions to reject hostile ones."""

    def _validate_path(self, url: str) -> None:
        """Accept any path."""

    def _encode_request(self, request: str) -> bytes:
        return request.encode("latin-1")


class Gateway(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS

    def __init__(self, upstreams: Mapping[str, int], pages: Pages, *arguments: object) -> None:
        self._upstreams = upstreams
        self._pages = pages
        super().__init__(*arguments)  # type: ignore[arg-type]  # what socketserver passes

    def _serve(self) -> None:
        try:
            body = self._body()
        except ValueError:
            self.close_connection = True
            self._problem(400, "Bad request", "The body's chunks are malformed, or too many.")
            return
        upstream = upstream_for(self.command, self.path, self.headers.get("Access-Control-Request-Method"))
        page = _may_be_a_page(upstream) and self._pages.answer(self.command, self.path, self.headers)
        if page:
            self._send(page.status, page.headers.items(), page.content)
        elif upstream == JOB_SERVICE and self.command != "OPTIONS":
            self._refuse()
        elif upstream == JOB_SERVICE:
            self._forward(_FOR_ALL_ELSE, body)  # a preflight, whose answer lets scripts read the refusal
        else:
            self._forward(upstream, body)

    def __getattr__(self, name: str) -> Any:
        """Serve any method alike: Python's server looks for a `do_...` of each."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _body(self) -> bytes:
        """The body; none if its declared length makes no sense. One that is too large is not waited for: the
        function, which is told its length, refuses it.

        Raises ValueError if its chunks are malformed, or too many.
        """
        if encoding := self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            if encoding.lower() != "chunked":
                raise ValueError(encoding)
            return self._chunks()
        length = self.headers.get("Content-Length") or "0"
        if not re.fullmatch(f"[0-9]{{1,{_DIGITS}}}", length):
            self.close_connection = True
            return b""
        return self.rfile.read(int(length))

    def _chunks(self) -> bytes:
        """https://www.rfc-editor.org/rfc/rfc9112#section-7.1"""
        body, size = b"", 1
        while size:
            line = _CHUNK.fullmatch(self.rfile.readline(_LONGEST_LINE))
            if not line or len(body) >= 10**_DIGITS:
                raise ValueError("no size, or too many")
            size = int(line[1], 16)
            body += self.rfile.read(size)
            self.rfile.readline(_LONGEST_LINE)
        return body

    def _forward(self, upstream: str, body: bytes) -> None:
        connection = _Upstream("127.0.0.1", self._upstreams[upstream], timeout=_SECONDS)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in (*_HOP_BY_HOP, "content-length"):
                    connection.putheader(name, value)
            is_counted = body or self.headers.get("Transfer-Encoding")
            length = str(len(body)) if is_counted else self.headers.get("Content-Length", "")
            if re.fullmatch("[0-9]+", length):
                connection.putheader("Content-Length", length)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._problem(502, "Bad gateway", f"{upstream} does not answer: {error}")
            return
        finally:
            connection.close()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
        if answer.getheader("Transfer-Encoding"):  # not forwarded, so the length must mark the end
            headers.append(("Content-Length", str(len(content))))
        self._send(answer.status, headers, content, answer.reason)

    def _refuse(self) -> None:
        detail = f"{self.command} goes to {JOB_SERVICE} here, which is no part of the local cloud."
        if self.path.partition("?")[0].rstrip("/").endswith("/jobs"):
            self._problem(405, "Method not allowed", detail, ("Allow", "GET, HEAD, OPTIONS"))
        else:
            self._problem(404, "Not found", detail)

    def _problem(self, status: int, title: str, detail: str, *headers: tuple[str, str]) -> None:
        problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        content = json.dumps(problem).encode()
        described = (
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(content))),
            ("Access-Control-Allow-Origin", "*"),
        )
        self._send(status, (*described, *headers), content)

    def _send(
        self, status: int, headers: Iterable[tuple[str, str]], content: bytes, reason: str | None = None
    ) -> None:
        self.send_response_only(status, reason)
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing: each function logs its own requests."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pages", type=Path, required=True, help="the page's static export, if it has been built")
    parser.add_argument("upstreams", nargs="+", metavar="NAME=PORT", help=f"{AUTH} and the functions")
    arguments = parser.parse_args()
    pairs = (pair.split("=") for pair in arguments.upstreams)
    upstreams = {name: int(port) for name, port in pairs}
    handler = partial(Gateway, upstreams, Pages(arguments.pages, hosting()))
    Server(("127.0.0.1", arguments.port), handler).serve_forever()


if __name__ == "__main__":
    main()
