"""Serves the built page's static export as Firebase Hosting does, by the same file of rules."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message
from pathlib import Path
from urllib.parse import quote, unquote

from infra.hosting import Hosting

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".map": "application/json; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "application/xml; charset=utf-8",
}
_FOR_THE_API_ALONE = re.compile(r"/api(/.*)?")
_FOR_BOTH = re.compile(r".*/jobs(/.*)?")
_NAMED_BY_CONTENT = "/_next/static/"
_NOT_FOUND = "/404.html"
_COMPLETE = ".complete"
_QUERY_CHARACTERS = "!$%&'()*+,-./:;=?@[]_~"
# The same URL gives HTML to a navigation and JSON to an API client.
_OF_A_NAVIGATION = {"Vary": "Accept, Authorization"}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes = b""


class Pages:
    """The files of `folder` as of the last complete build; none if the folder does not exist.

    Files are looked up by their whole path, so a client's path cannot lead anywhere else. They are held in
    memory, so that an unfinished or failed build does not change the page.
    """

    def __init__(self, folder: Path, hosting: Hosting) -> None:
        self._folder = folder
        self._hosting = hosting
        self._lock = threading.Lock()
        self._built = self._last_build()
        self._files = dict(self._load())

    def answer(self, method: str, target: str, headers: Message) -> Answer | None:
        """The response to a request; None if the request is for the API.

        A navigating browser asks for HTML and sends no token. A request with a token is for the API.
        """
        self._keep_up()
        path, _, query = target.partition("?")
        path = unquote(path)
        if method not in ("GET", "HEAD") or "Authorization" in headers or _FOR_THE_API_ALONE.fullmatch(path):
            return None
        answer = self._find(path, query, headers)
        return answer and replace(answer, headers={**answer.headers, **self._hosting.headers(path)})

    def _find(self, path: str, query: str, headers: Message) -> Answer | None:
        navigation = "text/html" in headers.get("Accept", "")
        is_page = navigation or not _FOR_BOTH.fullmatch(path)
        if path in self._files and (is_page or not path.endswith("/")):
            return _revalidated(self._files[path], headers.get("If-None-Match", ""))
        if path + "/" in self._files and is_page:
            return _moved(path + "/", query)
        if navigation and _NOT_FOUND in self._files:
            return replace(self._files[_NOT_FOUND], status=404)
        return None

    def _keep_up(self) -> None:
        """Load the files of a newer complete build, if any."""
        with self._lock:
            built = self._last_build()
            if built in (None, self._built):
                return
            # Keep these: pages that are open still load them.
            older = {path: file for path, file in self._files.items() if path.startswith(_NAMED_BY_CONTENT)}
            self._built, self._files = built, {**older, **dict(self._load())}

    def _last_build(self) -> int | None:
        """When page.sh marked a build as complete; None if there is no such build."""
        try:
            return (self._folder / _COMPLETE).stat().st_ctime_ns
        except FileNotFoundError:
            return None

    def _load(self) -> Iterator[tuple[str, Answer]]:
        """Each file by its URL path; an index.html also by its folder's path."""
        for file in self._folder.rglob("*"):
            name = file.relative_to(self._folder).as_posix()
            if not file.is_file() or self._hosting.ignores(name):
                continue
            path = f"/{name}"
            answer = _file(path, file.read_bytes())
            yield path, answer
            if file.name == "index.html":
                yield path.removesuffix("index.html"), answer


def _file(path: str, content: bytes) -> Answer:
    content_type = _CONTENT_TYPES.get(Path(path).suffix, "application/octet-stream")
    headers = {
        "Content-Type": content_type,
        "Content-Length": str(len(content)),
        "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        **(_OF_A_NAVIGATION if content_type.startswith("text/html") else {}),
    }
    return Answer(200, headers, content)


def _revalidated(file: Answer, known: str) -> Answer:
    tags = re.findall(r'"[^"]*"', known)
    if known.strip() != "*" and file.headers["ETag"] not in tags:
        return file
    of_the_content = ("Content-Type", "Content-Length")
    return Answer(304, {name: value for name, value in file.headers.items() if name not in of_the_content})


def _moved(path: str, query: str) -> Answer:
    # The path is one of ours. Escape query characters that could end a header line or a URL.
    location = quote(path) + (f"?{quote(query, safe=_QUERY_CHARACTERS)}" if query else "")
    headers = {"Location": location, "Content-Length": "0", **_OF_A_NAVIGATION}
    return Answer(301, headers)
