"""The Jobs page as a user sees it. Elements are found by their accessible names."""

from __future__ import annotations

import json
import re
import time
from urllib.parse import urlsplit

import requests
from playwright.sync_api import BrowserContext, Locator, Page, Request, expect

from infra.local.stack import Stack
from infra.local.users import Account
from tests.e2e.signing import remember
from tests.waiting import wait_until

_API_KEY = "local"
SESSION = f"firebase:authUser:{_API_KEY}:[DEFAULT]"


def sign_in(context: BrowserContext, stack: Stack, account: Account, password: str) -> None:
    """Give the browser the session record that signing in by hand would leave."""
    url = f"{stack.auth_url}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key={_API_KEY}"
    body = {"email": account.email, "password": password, "returnSecureToken": True}
    answer = requests.post(url, json=body, timeout=30).json()
    record = {
        "uid": answer["localId"],
        "email": answer["email"],
        "emailVerified": True,
        "isAnonymous": False,
        "providerData": [],
        "stsTokenManager": {
            "refreshToken": answer["refreshToken"],
            "accessToken": answer["idToken"],
            "expirationTime": int(1000 * (time.time() + 3600)),
        },
        "apiKey": _API_KEY,
        "appName": "[DEFAULT]",
    }
    remember(context, stack.settings)
    key, value, origin = json.dumps(SESSION), json.dumps(json.dumps(record)), json.dumps(stack.url)
    # Only once per profile, so that a page that signs out stays signed out.
    context.add_init_script(
        f"if (location.origin === {origin} && !localStorage.getItem('test:signed-in'))"
        f" {{ localStorage.setItem({key}, {value}); localStorage.setItem('test:signed-in', 'yes') }}"
    )


def wait_for(element: Locator, condition: str) -> None:
    """Wait until the JavaScript function `condition` returns something truthy for the element."""
    wait_until(lambda: element.evaluate(condition))


def wait_for_dialog(page: Page) -> None:
    """Wait until a dialog has taken the focus. Before that it may not hear Escape or a click beside it."""
    page.locator(":is([role=dialog], [role=alertdialog]):focus-within").last.wait_for()


class JobsPage:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[Request] = []
        """Requests to the functions, in order."""
        page.on("request", self._note)

    def open(self, query: str = "", *, wait: bool = True) -> JobsPage:
        self.page.goto(f"/jobs/{query}")
        if wait:
            self.wait_for_cards()
        return self

    def wait_for_cards(self) -> None:
        """Wait until all cards are there."""
        self.cards.first.wait_for()
        self.page.locator("main [aria-busy=false]").wait_for()

    @property
    def cards(self) -> Locator:
        return self.page.get_by_role("article")

    @property
    def dialog(self) -> Locator:
        """The topmost dialog."""
        return self.page.get_by_role("dialog").or_(self.page.get_by_role("alertdialog")).last

    @property
    def grid_toggle(self) -> Locator:
        return self.page.get_by_role("button", name="Show as a grid")

    @property
    def toasts(self) -> Locator:
        return self.page.locator("[data-sonner-toast]")

    @property
    def announcer(self) -> Locator:
        return self.page.get_by_test_id("announcer")

    def card(self, job_id: str) -> Locator:
        return self.page.locator(f"#job-{job_id}")

    def ids(self) -> list[str]:
        elements = self.cards.evaluate_all("cards => cards.map(card => card.id)")
        return [str(element).removeprefix("job-") for element in elements]

    def tile(self, job_id: str, medium: str) -> Locator:
        """`medium` is reference image, source video or output video."""
        return self.card(job_id).get_by_role("button", name=f"Preview the {medium} of job")

    def button(self, job_id: str, action: str) -> Locator:
        """`action` is Download, Copy link, Details or Delete."""
        return self.card(job_id).get_by_role("button", name=f"{action} ")

    def asked(self) -> list[Request]:
        """The requests for lists."""
        return [
            request
            for request in self.requests
            if request.method == "GET" and urlsplit(request.url).path.endswith("/jobs")
        ]

    def renewals(self, job_id: str = "") -> int:
        """How often the URLs of this job, or else of any, have been renewed."""
        return sum(urlsplit(request.url).path.endswith(f"{job_id}/thumbnails") for request in self.requests)

    def filter(self, status: str) -> Locator:
        """`status` is the button's label: All, Failed, ..."""
        filters = self.page.get_by_role("navigation", name="Filter by status")
        return filters.get_by_role("button", name=re.compile(rf"^{status}"))

    def expect_counts(self, **counts: int) -> None:
        """Wait until the filters show these counts. The keywords are the lower-case labels."""
        for status, count in counts.items():
            expect(self.filter(status.capitalize())).to_have_text(f"{status.capitalize()}{count}")

    def expect_range(self, first: int, last: int, total: int) -> None:
        """Wait until the foot of the page shows this range."""
        expect(self.page.get_by_text(f"{first}\N{EN DASH}{last} of {total}", exact=True)).to_be_visible()

    def expect_ids(self, ids: list[str]) -> None:
        """Wait until exactly these jobs have cards, in this order."""
        try:
            wait_until(lambda: self.ids() == ids)
        finally:
            assert self.ids() == ids

    def open_menu(self) -> Locator:
        """Open the account menu, and return it."""
        self.page.get_by_role("banner").get_by_role("button").click()
        return self.page.get_by_role("menu")

    def focused(self) -> str:
        """The id of the focused element, or else its name."""
        script = "(e => e.id || e.getAttribute('aria-label') || e.textContent)(document.activeElement)"
        return str(self.page.evaluate(script))

    def _note(self, request: Request) -> None:
        if urlsplit(request.url).path.startswith("/api/"):
            self.requests.append(request)
