"""How the page is hosted: infra/cloud/firebase.json, read as Firebase Hosting reads it.

https://firebase.google.com/docs/hosting/full-config describes the file. What is not read here is refused, because
the local cloud would otherwise serve the page differently from production. The rewrites, which send paths to
functions, are not read: a test compares them with the table of functions.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "cloud" / "firebase.json"
_KEYS = {"public", "ignore", "trailingSlash", "headers", "rewrites"}
_NAME = r"(?!\.)[^/]+"
_PART = re.compile(r"@\([\w.|-]+\)|\*|[\w.~%-]+")


class NotSupported(ValueError):
    """The file says something that is not read here."""


class Glob:
    """A pattern of whole paths.

    `*` stands for any characters within a name, `**` for any number of whole names, and `@(a|b)` for a or b. A
    wildcard at the beginning of a name matches no dot. A leading `!` turns the result round. Raises NotSupported
    for anything else.
    """

    def __init__(self, source: str) -> None:
        *first, last = (self._name(name) for name in source.removeprefix("!").split("/"))
        folders = (f"(?:{_NAME}/)*" if name is None else f"{name}/" for name in first)
        end = f"(?:{_NAME}(?:/{_NAME})*)?" if last is None else last
        self._pattern = re.compile("".join([*folders, end, "/?"]))
        self._negated = source.startswith("!")
        # Names begin after the first slash, which a pattern without one does not need.
        self._rooted = source.removeprefix("!").startswith("/")

    def matches(self, path: str) -> bool:
        path = re.sub("/+", "/", path)
        return bool(self._pattern.fullmatch(path if self._rooted else path.removeprefix("/"))) != self._negated

    def _name(self, name: str) -> str | None:
        """The regular expression of a part between slashes; None for `**`."""
        if name == "**":
            return None
        if not re.fullmatch(rf"(?:{_PART.pattern})*", name) or "**" in name:
            raise NotSupported(f"a pattern has {name!r}: only *, **, @(a|b) and a leading ! are known")
        expression = _PART.sub(self._part, name)
        return rf"(?!\.)(?=[^/]){expression}" if name.startswith("*") else expression

    def _part(self, found: re.Match[str]) -> str:
        part = found[0]
        if part == "*":
            return "[^/]*"
        if part.startswith("@"):
            return f"(?:{'|'.join(map(re.escape, part[2:-1].split('|')))})"
        return re.escape(part)


class Hosting:
    """Raises NotSupported if `content`, the file's, says something else than this class reads."""

    def __init__(self, content: dict[str, Any]) -> None:
        hosting = content["hosting"]
        if unknown := sorted(hosting.keys() - _KEYS):
            raise NotSupported(f"hosting has {', '.join(unknown)}: only {', '.join(sorted(_KEYS))} are known")
        if hosting.get("trailingSlash") is not True:
            raise NotSupported("trailingSlash must be true: the page's links have one")
        self.public: str = hosting["public"]
        """The folder of the page's files, beside the file."""
        self._ignored = [Glob(source) for source in hosting.get("ignore", ())]
        self._headers = [
            (Glob(rule["source"]), [(header["key"], header["value"]) for header in rule["headers"]])
            for rule in hosting.get("headers", ())
        ]

    def headers(self, path: str) -> dict[str, str]:
        """What any response to a request for `path` carries. Raises NotSupported if two rules name one header."""
        found: dict[str, str] = {}
        for source, headers in self._headers:
            for key, value in headers if source.matches(path) else ():
                if key in found:
                    raise NotSupported(f"{path} has two rules for {key}: nothing says which one wins")
                found[key] = value
        return found

    def ignores(self, name: str) -> bool:
        """Whether the file with this path within `public` is not part of the page."""
        return any(source.matches(name) for source in self._ignored)


@cache
def hosting() -> Hosting:
    return Hosting(json.loads(FILE.read_text()))
