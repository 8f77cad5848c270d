"""Watches the browser for console errors and requests to other origins, which no test looks for itself."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

_LOCAL_SCHEMES = ("data", "blob")


class Watch:
    def __init__(self, context: BrowserContext, allowed_origins: Collection[str]) -> None:
        self._allowed_origins = allowed_origins
        self.errors: list[str] = []
        """Console errors with their addresses, and uncaught errors."""
        self.strays: list[str] = []
        """Requests to origins that are not allowed."""
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)

    def check(self, expected_errors: Collection[str]) -> None:
        """Fail on an error that matches none of these regular expressions, or on a stray request."""
        unexpected = [
            error for error in self.errors if not any(re.search(pattern, error) for pattern in expected_errors)
        ]
        found = [
            *(f"in the console: {error}" for error in unexpected),
            *(f"sent elsewhere: {to}" for to in self.strays),
        ]
        if found:
            pytest.fail("the browser did something unexpected:\n" + "\n".join(found), pytrace=False)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location['url']})")

    def _on_error(self, error: WebError) -> None:
        self.errors.append(f"uncaught: {error.error.stack or error.error.message}")

    def _on_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in _LOCAL_SCHEMES and f"{url.scheme}://{url.netloc}" not in self._allowed_origins:
            self.strays.append(f"{request.method} {request.url}")
