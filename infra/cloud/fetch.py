"""Requests over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TIMEOUT = 60
"""Seconds."""


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    """0 if there was no answer. Then the body says why."""
    content_type: str
    body: bytes

    def json(self) -> Any:
        """Raises ValueError."""
        return json.loads(self.body)

    def __str__(self) -> str:
        if not self.status:
            return f"no answer: {self.body.decode()}"
        return f"{self.status} {self.content_type or 'without content'}"

    @property
    def reason(self) -> str:
        """What an API of Google says of an error; empty if it says nothing."""
        try:
            return str(self.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            return ""


Fetch = Callable[[Request], Answer]


def fetch(request: Request) -> Answer:
    """Send a request. Follows redirects, and raises nothing."""
    call = urllib.request.Request(  # noqa: S310 - all addresses are https
        request.url, request.body, dict(request.headers), method=request.method
    )
    try:
        with urllib.request.urlopen(call, timeout=_TIMEOUT) as answer:  # noqa: S310
            return Answer(answer.status, answer.headers.get_content_type(), answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers.get_content_type(), error.read())
    except OSError as error:
        return Answer(0, "", str(error).encode())
