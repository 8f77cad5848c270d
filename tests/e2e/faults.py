"""Faults between the page and the functions, for as long as a test needs them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

from tests.waiting import wait_until

LIST = re.compile(r"/api/v1/jobs\?")
"""Requests for lists, including polls and looks."""
POLL = re.compile(r"/api/v1/jobs\?.*\bids=")
PAGE = re.compile(r"/api/v1/jobs\?page_size=20&")
"""Requests for a page of the list with its media."""
LOOK = re.compile(r"/api/v1/jobs\?page_size=1$")
"""Requests that look for new jobs."""
ONE_JOB = re.compile(r"/api/v1/jobs/[^/?]+$")
"""Requests to rename or delete a job."""


def problem(route: Route, status: int, detail: str) -> None:
    """Answer with problem details, as the functions do."""
    body = json.dumps({"type": "about:blank", "title": "Problem", "status": status, "detail": detail})
    route.fulfill(status=status, body=body, headers={"Content-Type": "application/problem+json"})


def unavailable(detail: str) -> Callable[[Route], None]:
    return lambda route: problem(route, 503, detail)


def failed_load(reason: str) -> str:
    """A pattern for what the browser logs when a request fails for this reason: a status, or net::ERR_..."""
    return f"Failed to load resource: .*{re.escape(reason)}"


class Refusal:
    """Makes Storage refuse objects whose name ends so, this many times; None means always."""

    def __init__(self, page: Page, name: str, times: int | None) -> None:
        self.refused = 0
        self._times = times
        page.route(lambda url: urlsplit(url).path.endswith(name), self._answer)

    def _answer(self, route: Route) -> None:
        if self._times is not None and self.refused >= self._times:
            route.continue_()
            return
        self.refused += 1
        route.fulfill(status=403, body="refused")


class HeldBack:
    """Holds requests to these addresses until the test releases them."""

    def __init__(self, page: Page, url: re.Pattern[str], *, only: str = "") -> None:
        """`only` limits this to addresses that contain the text."""
        self._only = only
        self._page = page
        self._waiting: list[tuple[Route, Callable[[], None]]] = []
        self._over = False
        page.route(url, self._hold)

    def wait(self) -> None:
        """Wait until there is one."""
        # The call to the page delivers pending events.
        wait_until(lambda: self._page.evaluate("true") and self._waiting)

    def let_go(self, answer: Callable[[Route], None] | None = None) -> None:
        """Release the held requests. With `answer`, it responds to them instead of the service."""
        self._over = True
        for route, go_on in self._waiting:
            if answer:
                answer(route)
            else:
                go_on()

    def _hold(self, route: Route) -> None:
        self._hold_or_pass(route, route.continue_, route.request.url)

    def _hold_or_pass(self, route: Route, go_on: Callable[[], None], text: str) -> None:
        if self._over or self._only not in text:
            go_on()
        else:
            self._waiting.append((route, go_on))


class HeldAnswers(HeldBack):
    """Holds answers instead: the page does not know that they were given. `only` is what an answer contains."""

    def _hold(self, route: Route) -> None:
        response = route.fetch()
        self._hold_or_pass(route, partial(route.fulfill, response=response), response.text())
