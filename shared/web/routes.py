"""Matches the paths of an HTTP function, with any prefix before them and an optional slash after them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

import flask


@dataclass(frozen=True, slots=True)
class Match:
    """The pattern that matched, and the id found in the request's path, which may be any text."""

    path: str
    id: str | None


class Routes:
    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths
        # Try the longest pattern first: /jobs/jobs is the job with the id "jobs". Words come before ids.
        self._patterns = sorted(((tuple(path.strip("/").split("/")), path) for path in paths), key=_order)

    def match(self, request: flask.Request) -> Match | None:
        """The pattern that the request's path ends in, if any."""
        segments = _raw_path(request).removesuffix("/").split("/")
        for pattern, path in self._patterns:
            end = segments[-len(pattern) :]
            pairs = list(zip(pattern, end, strict=False))
            if len(segments) > len(pattern) and all(given == wanted or "{" in wanted for wanted, given in pairs):
                ids = [unquote(given, errors="surrogateescape") for wanted, given in pairs if "{" in wanted]
                return Match(path, ids[0] if ids else None)
        return None


def _order(pattern: tuple[tuple[str, ...], str]) -> tuple[int, int]:
    segments, path = pattern
    return -len(segments), path.count("{")


def _raw_path(request: flask.Request) -> str:
    """The path as it was sent. After decoding, an encoded slash would look like any other."""
    raw: str = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.path
    path = raw.partition("?")[0]
    if not path.startswith("/"):  # the absolute form, which proxies use
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path
