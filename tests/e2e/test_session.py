"""Sessions: who may see the page, for how long, and what everyone else is told."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from infra.local.stack import Stack
from infra.local.users import Account
from tests.conftest import PASSWORD
from tests.e2e.clock import Clock
from tests.e2e.faults import HeldBack, failed_load
from tests.e2e.jobs_page import SESSION, JobsPage
from tests.e2e.shelf import Shelf
from tests.e2e.test_accessibility import expect_fits_and_no_violations
from tests.users import EndingUsers
from tests.waiting import wait_until

_LOOK_UP = re.compile("accounts:lookup")
_SIGN_IN = re.compile(r"/sign-in/")
_REVOKED = re.compile("Your session has ended")
_REFUSED = r"status of 40[01] .*/(api/v1/jobs|v1/token|v1/accounts:lookup)"


def _fill(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def _age_token(page: Page, seconds: int) -> None:
    """Make the session's token expire in this many seconds."""
    page.evaluate(
        """([key, time]) => {
            const record = JSON.parse(localStorage.getItem(key));
            record.stsTokenManager.expirationTime = time;
            localStorage.setItem(key, JSON.stringify(record));
        }""",
        [SESSION, 1000 * (time.time() + seconds)],
    )


def _renewals(page: Page) -> list[Request]:
    """The page's requests for a new token from now on."""
    made: list[Request] = []
    page.on("request", lambda request: made.append(request) if "securetoken" in request.url else None)
    return made


def test_passwords_are_shown_replaced_and_refused_and_the_right_one_leads_to_the_jobs_never_to_another_origin(
    page: Page, stack: Stack, account: Account, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append("status of 400 .*signInWithPassword")
    job_id = shelf.add(media=False)
    page.goto("/sign-in/?next=%2F%09%2Fevil.example%2F")
    password = page.get_by_label("Password", exact=True)
    password.fill("typed")
    page.get_by_role("button", name="Show what is typed").click()
    expect(password).to_have_attribute("type", "text")
    page.get_by_label("E-mail address").fill(account.email)
    with page.expect_response(re.compile("accounts:sendOobCode")) as sent:
        page.get_by_role("button", name="Forgot your password?").click()
    assert sent.value.status == 200
    assert account.email in (sent.value.request.post_data or "")
    expect(page.get_by_role("status")).to_contain_text(f"If there is an account for {account.email}")
    expect_fits_and_no_violations(page, "new_password_sent")

    _fill(page, account.email, "not-the-password")
    expect(
        page.get_by_role("alert").filter(has_text="The e-mail address or the password is wrong.")
    ).to_be_visible()
    expect(page).to_have_url(_SIGN_IN)

    _fill(page, account.email, PASSWORD)
    expect(JobsPage(page).card(job_id)).to_be_visible()
    assert page.url == stack.page_url
    expect(page.get_by_text(account.email)).to_be_visible()
    page.reload()
    expect(JobsPage(page).card(job_id)).to_be_visible()


def test_without_a_session_the_page_opens_at_its_address_requests_no_jobs_and_sign_in_leads_back(
    page: Page, stack: Stack, account: Account, shelf: Shelf
) -> None:
    failed = shelf.add("failed", media=False)
    shelf.add(media=False)
    jobs_page = JobsPage(page)
    answer = page.goto(stack.page_url)  # the address that `make dev` prints
    assert answer is not None
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    expect(page).to_have_title(re.compile("NuuMee"))
    expect(page.get_by_label("Password")).to_be_visible()

    page.goto("/jobs?status=failed", wait_until="commit")  # without its trailing slash
    assert page.url.startswith(f"{stack.page_url}?status=failed")
    expect(page).to_have_url(f"{stack.url}/sign-in/?next=%2Fjobs%2F%3Fstatus%3Dfailed")
    page.get_by_label("Password").wait_for()
    assert jobs_page.requests == []

    _fill(page, account.email, PASSWORD)
    expect(page).to_have_url(f"{stack.page_url}?status=failed")
    expect(jobs_page.card(failed)).to_be_visible()
    assert jobs_page.ids() == [failed]


def test_a_browser_that_keeps_nothing_is_told_so_instead_of_being_asked_in_a_circle(
    page: Page, account: Account
) -> None:
    # Each page has storage of its own, as where a browser or an extension clears it.
    page.add_init_script(
        "const kept = {}; Object.defineProperty(window, 'localStorage', { value: {"
        " getItem: key => kept[key] ?? null, setItem: (key, value) => { kept[key] = String(value) },"
        " removeItem: key => { delete kept[key] } } })"
    )
    page.goto("/jobs/")
    _fill(page, account.email, PASSWORD)
    expect(page.get_by_text("Your browser does not keep you signed in")).to_be_visible()
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('blocked') } })")
    page.goto("/jobs/")
    _fill(page, account.email, PASSWORD)
    expect(page.get_by_text("does not let this page keep you signed in")).to_be_visible()


def test_after_signing_out_neither_back_nor_reload_nor_the_address_shows_jobs(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    job_id = shelf.add(media=False)
    page = jobs_page.page
    jobs_page.open().open("?status=completed")
    jobs_page.open_menu().get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert page.evaluate(f"localStorage.getItem({SESSION!r})") is None

    jobs_page.requests.clear()
    page.go_back()
    expect(page).to_have_url(_SIGN_IN)
    page.get_by_label("Password").wait_for()
    page.reload()
    page.get_by_label("Password").wait_for()
    page.goto("/jobs/")
    expect(page).to_have_url(_SIGN_IN)
    expect(jobs_page.card(job_id)).to_have_count(0)
    assert jobs_page.requests == []


def test_firebase_that_is_still_starting_neither_delays_signing_out_nor_undoes_it(
    context: BrowserContext, jobs_page: JobsPage, shelf: Shelf
) -> None:
    shelf.add(media=False)
    page = jobs_page.open().page
    # A page that is being left answers no questions.
    storage = context.new_page()
    storage.goto("/icon.svg")
    recorded = f"localStorage.getItem({SESSION!r}) !== null"
    looked_up, left = HeldBack(page, _LOOK_UP), HeldBack(page, _SIGN_IN)
    _age_token(page, seconds=60)
    with page.expect_request(_LOOK_UP):
        page.get_by_role("button", name="Refresh the list").click()
    with page.expect_request(_SIGN_IN):
        jobs_page.open_menu().get_by_role("menuitem", name="Sign out").click(no_wait_after=True)
    assert storage.evaluate(recorded) is False
    looked_up.let_go()
    wait_until(lambda: storage.evaluate(recorded))
    left.let_go()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert storage.evaluate(recorded) is False


def test_signing_out_in_one_tab_ends_the_session_in_the_other(
    context: BrowserContext, jobs_page: JobsPage, shelf: Shelf
) -> None:
    shelf.add(media=False)
    jobs_page.open()
    other = JobsPage(context.new_page()).open()
    jobs_page.open_menu().get_by_role("menuitem", name="Sign out").click()
    expect(other.page.get_by_text("You are signed out.")).to_be_visible()
    expect(other.cards).to_have_count(0)


def test_a_page_from_the_browser_cache_leads_to_sign_in_if_the_session_has_ended(
    jobs_page: JobsPage, shelf: Shelf
) -> None:
    shelf.add(media=False)
    page = jobs_page.open().page
    page.evaluate("key => localStorage.removeItem(key)", SESSION)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    expect(page).to_have_url(_SIGN_IN)


def test_a_token_that_is_about_to_expire_is_renewed_before_use(jobs_page: JobsPage, shelf: Shelf) -> None:
    shelf.add(media=False)
    page = jobs_page.open().page
    old = jobs_page.requests[-1].header_value("authorization")
    _age_token(page, seconds=60)
    renewals = _renewals(page)
    jobs_page.requests.clear()
    second = int(time.time())
    wait_until(lambda: int(time.time()) > second)  # within a second, the emulator issues the same token again
    page.reload()
    jobs_page.wait_for_cards()
    assert len(renewals) == 1
    assert jobs_page.requests
    assert all(request.header_value("authorization") != old for request in jobs_page.requests)

    # The new token is stored, so nothing is renewed twice.
    page.reload()
    jobs_page.wait_for_cards()
    assert len(renewals) == 1


def test_a_hidden_page_that_cannot_renew_its_token_as_a_part_is_gone_is_reloaded_once(
    jobs_page: JobsPage, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.extend([failed_load("404"), "Refused to execute script"])
    shelf.add("failed", media=False)
    page = jobs_page.open().page
    loaded: list[str] = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    page.route(
        lambda url: "/_next/static/chunks/" in url and url not in loaded,
        lambda route: route.fulfill(status=404, body="gone"),
    )
    _age_token(page, seconds=60)
    page.evaluate("localStorage.setItem('tell-when-done', '1')")
    page.add_init_script("window.Notification = class { static permission = 'granted' }")
    Clock(page).open_hidden()
    page.reload(wait_until="commit")
    with page.expect_request(lambda request: request.is_navigation_request()):
        pass  # The page reloads by itself.
    expect(page.get_by_role("button", name="Reload")).to_be_visible()


def test_an_outage_of_the_sign_in_service_does_not_end_the_session(
    jobs_page: JobsPage, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append("status of 503 .*securetoken")
    job_id = shelf.add(media=False)
    page = jobs_page.open().page
    _age_token(page, seconds=60)
    away = {"error": {"code": 503, "message": "The service is currently unavailable.", "status": "UNAVAILABLE"}}
    page.route("**/securetoken.googleapis.com/**", lambda route: route.fulfill(status=503, json=away))
    page.reload()
    expect(page.get_by_role("heading", name="Your jobs could not be loaded")).to_be_visible()

    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(jobs_page.card(job_id)).to_be_visible()


def test_a_token_that_the_functions_refuse_is_renewed_once_and_the_request_repeated(
    jobs_page: JobsPage, shelf: Shelf, expected_errors: list[str]
) -> None:
    expected_errors.append(_REFUSED)
    job_id = shelf.add(media=False)
    page = jobs_page.page
    renewals = _renewals(page)
    page.route("**/api/v1/jobs?*", lambda route: route.fulfill(status=401, json={"detail": "Expired."}), times=1)
    jobs_page.open()
    assert jobs_page.ids() == [job_id]
    assert len(renewals) == 1


def _revoke(users: EndingUsers, account: Account) -> None:
    users.revoke(account.user_id, int(time.time()) + 60)


def _disable(users: EndingUsers, account: Account) -> None:
    users.disable(account.user_id)


def _remove(users: EndingUsers, account: Account) -> None:
    users.remove(account.user_id)


@pytest.mark.parametrize("end", [_revoke, _disable, _remove])
def test_a_revoked_session_leads_to_sign_in_when_a_deletion_is_refused(
    jobs_page: JobsPage,
    shelf: Shelf,
    users: EndingUsers,
    account: Account,
    expected_errors: list[str],
    end: Callable[[EndingUsers, Account], None],
) -> None:
    expected_errors.append(_REFUSED)
    job_id = shelf.add(media=False)
    page = jobs_page.open("?status=completed").page
    end(users, account)
    jobs_page.button(job_id, "Delete").click()
    jobs_page.dialog.get_by_role("button", name="Delete job").click()
    expect(page.get_by_text(_REVOKED)).to_be_visible()
    expect(page).to_have_url(re.compile(r"reason=revoked&next=%2Fjobs%2F%3Fstatus%3Dcompleted$"))
    assert "deleted_at" not in (shelf.document(job_id).get().to_dict() or {})


def test_a_session_that_cannot_be_renewed_leads_to_sign_in_before_the_old_token_is_sent(
    jobs_page: JobsPage, shelf: Shelf, users: EndingUsers, account: Account, expected_errors: list[str]
) -> None:
    expected_errors.append(_REFUSED)
    shelf.add(media=False)
    page = jobs_page.open().page
    users.disable(account.user_id)
    _age_token(page, seconds=60)
    jobs_page.requests.clear()
    page.get_by_role("button", name="Refresh the list").click()
    expect(page.get_by_text(_REVOKED)).to_be_visible()
    assert jobs_page.requests == []
