"""How much JavaScript a visit loads, compressed as hosting sends it."""

from __future__ import annotations

import gzip
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, Response, expect

from infra.stage import ROOT
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import Shelf
from tests.waiting import wait_until

MOST = 150_000
"""Bytes, for a page of jobs before the user interacts with it."""
REPORT = ROOT / "artifacts" / "javascript.txt"


class Scripts:
    def __init__(self, page: Page) -> None:
        self._page = page
        self._asked: list[str] = []
        self._responses: dict[str, Response] = {}
        page.on("request", self._ask)
        page.on("response", self._note)

    def all_there(self) -> bool:
        self._page.evaluate("0")  # delivers pending events
        return set(self._asked) <= set(self._responses)

    def sizes(self) -> dict[str, int]:
        """The size of each script in bytes, biggest first."""
        sizes = {
            Path(urlsplit(url).path).name: len(gzip.compress(response.body(), 9))
            for url, response in self._responses.items()
        }
        return dict(sorted(sizes.items(), key=lambda item: -item[1]))

    def _ask(self, request: Request) -> None:
        if request.resource_type == "script":
            self._asked.append(request.url)

    def _note(self, response: Response) -> None:
        if response.request.resource_type == "script":
            self._responses[response.url] = response


def test_viewing_the_list_needs_little_javascript(jobs_page: JobsPage, page: Page, shelf: Shelf) -> None:
    shelf.add_many(20)
    scripts = Scripts(page)
    jobs_page.open()
    expect(jobs_page.cards).to_have_count(20)
    page.wait_for_load_state("networkidle")
    looked_at = scripts.sizes()

    page.mouse.move(100, 100)
    page.get_by_role("region", name="Notifications").wait_for(state="attached")
    wait_until(scripts.all_there)
    touched = {name: size for name, size in scripts.sizes().items() if name not in looked_at}

    report = f"{table('to show the list', looked_at)}\n{table('at the first touch', touched)}"
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report)
    assert sum(looked_at.values()) <= MOST, f"more than {MOST:,} bytes\n{report}"
    assert touched, f"no script is left to load later\n{report}"


def table(title: str, sizes: dict[str, int]) -> str:
    lines = [f"{sum(sizes.values()):>9,}  {title}", *(f"{size:>9,}    {name}" for name, size in sizes.items())]
    return "\n".join(lines) + "\n"
