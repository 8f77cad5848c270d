"""Controls the page's clock. Once stopped, it moves only when the test advances it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page

from tests.waiting import wait_until

_NOTE_REQUESTS = """
    window.noted = [];
    window.fetch = new Proxy(window.fetch, {
        apply(fetch, self, [address, ...rest]) {
            const note = { time: Date.now() / 1000, address: String(address), answered: false };
            window.noted.push(note);
            const answer = Reflect.apply(fetch, self, [address, ...rest]).then(dated);
            return answer.finally(() => { note.answered = true; });
        },
    });
    const dated = (response) => {
        const headers = new Headers(response.headers);
        headers.set("Date", new Date().toUTCString());
        return Object.defineProperty(response, "headers", { value: headers });
    };
"""
_STEP = 10
"""Seconds. A response does not arrive within a step, and the page gives up waiting after 20."""
_SET = 'Object.defineProperty(document, "visibilityState", { value: state, configurable: true });'
_SHOW = f'state => {{ {_SET} document.dispatchEvent(new Event("visibilitychange", {{ bubbles: true }})); }}'


class Clock:
    """Create it before the page is opened. It runs as usual until it is stopped.

    It records inside the page when each request was made. The record is complete as soon as a step is over, so a
    test can be sure that there was no request; the browser's events would arrive later. Time passes for the
    functions too: their answers have the date of the page's clock.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        page.add_init_script(_NOTE_REQUESTS)
        page.clock.install()

    def stop(self) -> None:
        self._page.clock.pause_at(self.now() + 1)

    def run(self, *, seconds: float) -> None:
        """Advance the time; timers fire when they are due."""
        self._page.clock.run_for(int(1000 * seconds))

    def now(self) -> float:
        return float(self._page.evaluate("Date.now() / 1000"))

    def times(self, address: re.Pattern[str]) -> list[float]:
        """The times of requests for matching addresses, in seconds since 1970."""
        return [float(note["time"]) for note in self._noted(address)]

    def run_to_next(self, address: re.Pattern[str], *, within: int, after: float | None = None) -> float:
        """Advance second by second until the next request has its response. Returns the time of the request.

        It must not come before the time `after`, in seconds since 1970: until then, time passes in greater steps.
        """
        before = len(self._noted(address))
        quiet = 0 if after is None else max(0, int(after - self.now()))
        for passed in range(0, quiet, _STEP):
            self.run(seconds=min(_STEP, quiet - passed))
            self.wait_for_answers()
            assert len(self._noted(address)) == before, "the request came too early"
        for _ in range(within + 1 - quiet):
            self.run(seconds=1)
            if len(self._noted(address)) > before:
                wait_until(lambda: self._noted(address)[-1]["answered"])
                return float(self._noted(address)[-1]["time"])
        raise AssertionError(f"there was no request within {within} s")

    def wait_for_answers(self) -> None:
        """Wait for the responses to all requests so far, which the page gives up after 20 s of its own time."""
        wait_until(lambda: all(note["answered"] for note in self._noted(re.compile(""))))

    def open_hidden(self) -> None:
        """From now on, let pages open as in a new tab behind the one that is shown."""
        self._page.add_init_script(f'{{ const state = "hidden"; {_SET} }}')

    def hide_page(self) -> None:
        """Act as if the user had switched to another tab."""
        self._page.evaluate(_SHOW, "hidden")

    def show_page(self) -> None:
        self._page.evaluate(_SHOW, "visible")

    def _noted(self, address: re.Pattern[str]) -> list[dict[str, Any]]:
        return [note for note in self._page.evaluate("window.noted") if address.search(note["address"])]
