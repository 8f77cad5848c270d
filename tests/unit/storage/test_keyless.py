"""Signing through IAM: how often it is called, and how its errors are handled."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import google.auth.credentials
import pytest
from google.api_core.exceptions import Forbidden
from google.auth.exceptions import TransportError
from google.oauth2 import service_account

from shared.errors import Unavailable
from shared.settings import SettingsError
from shared.storage.keyless import AccountSigner, KeylessUrlSigner
from shared.storage.side_by_side import SHARE, share
from shared.storage.signing import Target, Urls, UrlSigner, url_signer
from tests.fakes import SETTINGS
from tests.jobs import NOW
from tests.waiting import wait_until

KEYLESS = replace(SETTINGS, signing_key=None, keyless=True)
TARGETS = [Target("nuumee-images", f"me/{number}/reference.png") for number in range(4)]


class Metadata(google.auth.credentials.Credentials):
    """The credentials of a deployed function. They cannot sign."""

    service_account_email = "function@nuumee.test"

    def refresh(self, request: Any) -> None:
        self.token = "token"


class Iam:
    """Answers over HTTP with these statuses in turn, then repeats the last one."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.accounts: list[str] = []

    def __call__(self, url: str, *args: Any, **options: Any) -> Any:
        account, colon, call = url.rpartition("/")[2].partition(":")
        assert (colon, call) == (":", "signBlob")
        self.accounts.append(account)
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        body = {"signedBlob": base64.b64encode(b"signed").decode()} if status == 200 else {"error": "refused"}
        return SimpleNamespace(status=status, data=json.dumps(body).encode())


class Calls:
    """Replaces IAM behind the signer: counts calls, and can let them wait or fail."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.error: Exception | None = None

    def __call__(self, message: bytes) -> bytes:
        self.messages.append(message)
        assert self.go_on.wait(20)
        if self.error:
            raise self.error
        return message[-32:]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.storage.keyless.SIGNING_TIMEOUT", 0.5)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as made:
        yield made


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def signer(calls: Calls, pool: ThreadPoolExecutor) -> UrlSigner:
    urls = Urls(AccountSigner("signer@nuumee.test", calls), "https://storage.test", 3600)
    return KeylessUrlSigner(urls, 900, pool)


def signed_by(iam: Iam, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> UrlSigner:
    monkeypatch.setattr("google.auth.default", lambda **_: (Metadata(), "nuumee-test"))
    monkeypatch.setattr("google.auth.transport.requests.Request", lambda _: iam)
    return url_signer(KEYLESS, pool)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_passing_refusal_is_tried_again(
    status: int, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = Iam(status, 200)
    signer = signed_by(iam, pool, monkeypatch)
    (url,) = signer.sign(TARGETS[:1], signer.validity(NOW))
    assert url.endswith(b"signed".hex())
    assert len(iam.accounts) == 2


def test_a_refusal_that_does_not_end_is_an_outage(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = signed_by(Iam(503), pool, monkeypatch)
    with pytest.raises(Unavailable):
        signer.sign(TARGETS[:1], signer.validity(NOW))


def test_a_missing_permission_is_asked_for_once_and_is_no_outage(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = Iam(403)
    signer = signed_by(iam, pool, monkeypatch)
    with pytest.raises(Forbidden):
        signer.sign(TARGETS[:1], signer.validity(NOW))
    assert len(iam.accounts) == 1


def test_the_functions_own_account_signs(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    iam = Iam(200)
    signer = signed_by(iam, pool, monkeypatch)
    (url,) = signer.sign(TARGETS[:1], signer.validity(NOW))
    assert iam.accounts == ["function@nuumee.test"]
    assert "&X-Goog-Credential=function%40nuumee.test%2F" in url


def test_credentials_that_name_no_account_cannot_sign(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Metadata, "service_account_email", None)
    with pytest.raises(SettingsError, match="SIGNING is keyless, and the credentials name no service account"):
        signed_by(Iam(200), pool, monkeypatch)


def test_credentials_that_can_sign_do_so_themselves(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    private_key = SimpleNamespace(sign=lambda message: b"by the private key")
    credentials = service_account.Credentials(private_key, "owner@nuumee.test", "https://token.test")
    monkeypatch.setattr("google.auth.default", lambda **_: (credentials, "nuumee-test"))
    signer = url_signer(KEYLESS, pool)
    (url,) = signer.sign(TARGETS[:1], signer.validity(NOW))
    assert "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=owner%40nuumee.test%2F" in url
    assert url.endswith(b"by the private key".hex())


def test_eight_requests_at_once_cost_one_call_for_each_url(signer: UrlSigner, calls: Calls) -> None:
    calls.go_on.clear()
    begun = threading.Barrier(9)

    def ask() -> list[str]:
        begun.wait(10)
        return signer.sign([*TARGETS, *TARGETS], signer.validity(NOW))

    with ThreadPoolExecutor(8) as requests:
        asked = [requests.submit(ask) for _ in range(8)]
        begun.wait(10)
        wait_until(lambda: len(calls.messages) == len(TARGETS))
        calls.go_on.set()
        urls = {tuple(one.result()) for one in asked}
    assert len(calls.messages) == len(TARGETS)
    assert len(urls) == 1


def test_a_url_is_signed_once_in_a_window(signer: UrlSigner, calls: Calls) -> None:
    first = signer.sign(TARGETS, signer.validity(NOW))
    assert signer.sign(TARGETS, signer.validity(NOW + timedelta(minutes=5))) == first
    assert len(calls.messages) == len(TARGETS)
    assert signer.sign(TARGETS, signer.validity(NOW + timedelta(minutes=15))) != first
    assert len(calls.messages) == 2 * len(TARGETS)


def test_only_so_many_urls_are_kept(signer: UrlSigner, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.storage.keyless.MOST_KEPT", 2)
    for target in TARGETS:
        signer.sign([target], signer.validity(NOW))
    signer.sign(TARGETS[2:], signer.validity(NOW))
    assert len(calls.messages) == len(TARGETS)
    signer.sign(TARGETS[:1], signer.validity(NOW))
    assert len(calls.messages) == len(TARGETS) + 1


def test_urls_are_kept_in_one_place_alone(signer: UrlSigner) -> None:
    signer.sign(TARGETS, signer.validity(NOW))
    assert not any(hasattr(kept, "cache_info") for kept in vars(signer).values())


def test_a_failure_is_told_to_all_that_wait_for_it_and_is_not_kept(signer: UrlSigner, calls: Calls) -> None:
    calls.error = ValueError("refused for good")
    validity = signer.validity(NOW)
    found = signer.try_to_sign(TARGETS[:1] * 3, validity, 5, share())
    assert [type(one) for one in found] == [ValueError] * 3
    calls.error = None
    assert len(signer.sign(TARGETS[:1], validity)) == 1


def test_iam_being_away_is_an_outage_and_is_not_kept(signer: UrlSigner, calls: Calls) -> None:
    calls.error = TransportError("away")
    with pytest.raises(Unavailable):
        signer.sign(TARGETS, signer.validity(NOW))
    calls.error = None
    assert len(signer.sign(TARGETS, signer.validity(NOW))) == len(TARGETS)


@pytest.mark.slow  # waits out a time limit
def test_a_request_has_its_share_of_calls_at_once_and_no_more(signer: UrlSigner, calls: Calls) -> None:
    calls.go_on.clear()
    targets = [Target("nuumee-images", f"me/{number}/reference.png") for number in range(4 * SHARE)]
    with ThreadPoolExecutor(1) as request:
        asked = request.submit(signer.try_to_sign, targets, signer.validity(NOW), 1.0, share())
        wait_until(lambda: len(calls.messages) == SHARE)
        found = asked.result()
        calls.go_on.set()
    assert len(calls.messages) == SHARE
    assert [type(one) for one in found] == [TimeoutError] * len(targets)
