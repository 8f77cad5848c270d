"""Sessions with the real sign-in service. What the page makes of them: frontend/tests/page-session.test.tsx."""

from __future__ import annotations

import re
import time

from playwright.sync_api import BrowserContext, Page, Request, expect

from infra.local.stack import Stack
from infra.local.users import Account
from tests.conftest import PASSWORD
from tests.e2e.faults import HeldBack
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


def test_passwords_are_shown_replaced_and_refused_and_the_right_one_leads_to_the_jobs_until_the_user_signs_out(
    context: BrowserContext,
    page: Page,
    stack: Stack,
    account: Account,
    shelf: Shelf,
    expected_errors: list[str],
) -> None:
    expected_errors.append("status of 400 .*signInWithPassword")
    failed, done = shelf.add("failed", media=False), shelf.add(media=False)
    jobs_page = JobsPage(page)
    answer = page.goto(stack.page_url)  # the address that `make dev` prints
    assert answer is not None
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    expect(page).to_have_title(re.compile("NuuMee"))
    page.get_by_label("Password").wait_for()
    _expect_a_password_to_be_shown_replaced_and_refused(page, account)
    page.goto("/sign-in/?next=%2F%09%2Fevil.example%2F")
    assert jobs_page.requests == []
    _fill(page, account.email, PASSWORD)
    expect(jobs_page.cards).to_have_count(2)
    assert jobs_page.ids() == [done, failed]
    assert page.url == stack.page_url
    expect(page.get_by_text(account.email)).to_be_visible()
    _expect_a_token_that_is_about_to_expire_to_be_renewed_once(jobs_page)

    other = JobsPage(context.new_page()).open()
    # The page that is left behind has shown jobs at two addresses, so Back would lead to one of them.
    _sign_out_while_firebase_starts(jobs_page.open("?status=completed"), other)
    _expect_to_be_signed_out(jobs_page)
    page.goto("/jobs?status=failed", wait_until="commit")  # without its trailing slash
    assert page.url.startswith(f"{stack.page_url}?status=failed")
    expect(page).to_have_url(f"{stack.url}/sign-in/?next=%2Fjobs%2F%3Fstatus%3Dfailed")
    page.get_by_label("Password").wait_for()
    assert jobs_page.requests == []
    _fill(page, account.email, PASSWORD)
    expect(page).to_have_url(f"{stack.page_url}?status=failed")
    expect(jobs_page.card(failed)).to_be_visible()
    assert jobs_page.ids() == [failed]


def _expect_a_password_to_be_shown_replaced_and_refused(page: Page, account: Account) -> None:
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


def _expect_a_token_that_is_about_to_expire_to_be_renewed_once(jobs_page: JobsPage) -> None:
    page = jobs_page.page
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


def _sign_out_while_firebase_starts(jobs_page: JobsPage, other: JobsPage) -> None:
    """Firebase, still starting, neither delays signing out nor undoes it; the other tab, which shows jobs, is
    signed out too.
    """
    page = jobs_page.page
    recorded = f"localStorage.getItem({SESSION!r}) !== null"
    looked_up, left = HeldBack(page, _LOOK_UP), HeldBack(page, _SIGN_IN)
    _age_token(page, seconds=60)
    with page.expect_request(_LOOK_UP):
        page.get_by_role("button", name="Refresh the list").click()
    with page.expect_request(_SIGN_IN):
        jobs_page.open_menu().get_by_role("menuitem", name="Sign out").click(no_wait_after=True)
    # A page that is being left answers no questions.
    expect(other.page.get_by_text("You are signed out.")).to_be_visible()
    expect(other.cards).to_have_count(0)
    assert other.page.evaluate(recorded) is False
    looked_up.let_go()
    wait_until(lambda: other.page.evaluate(recorded))
    left.let_go()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert page.evaluate(recorded) is False
    page.unroute_all()


def _expect_to_be_signed_out(jobs_page: JobsPage) -> None:
    """Neither back nor reload nor the address shows jobs."""
    page = jobs_page.page
    jobs_page.requests.clear()
    page.go_back()
    expect(page).to_have_url(_SIGN_IN)
    page.get_by_label("Password").wait_for()
    page.reload()
    page.get_by_label("Password").wait_for()
    page.goto("/jobs/")
    expect(page).to_have_url(_SIGN_IN)
    expect(jobs_page.cards).to_have_count(0)
    assert jobs_page.requests == []


def test_a_revoked_session_leads_to_sign_in_when_a_deletion_is_refused(
    jobs_page: JobsPage, shelf: Shelf, users: EndingUsers, account: Account, expected_errors: list[str]
) -> None:
    expected_errors.append(_REFUSED)
    job_id = shelf.add(media=False)
    page = jobs_page.open("?status=completed").page
    users.revoke(account.user_id, int(time.time()) + 60)
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
