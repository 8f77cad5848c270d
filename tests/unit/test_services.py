from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import firebase_admin
import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError

from shared.errors import Unavailable
from shared.services import Services
from tests.fakes import SETTINGS


@pytest.fixture(autouse=True)
def no_app_left() -> Iterator[None]:
    yield
    with suppress(ValueError):
        firebase_admin.delete_app(firebase_admin.get_app())


def test_each_client_is_built_once_however_many_ask_for_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: (AnonymousCredentials(), "demo-nuumee"))
    services = Services(SETTINGS)
    together = threading.Barrier(8)

    def ask(_: int) -> list[object]:
        together.wait()
        return [services.verifier, services.repository, services.publisher]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(ask, range(8)))
    assert all(one is other for asked in found for one, other in zip(asked, found[0], strict=True))


def test_what_needs_only_firestore_does_not_wait_while_the_signer_looks_for_its_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    looking, found = threading.Event(), threading.Event()

    def look(*_: object, **__: object) -> tuple[object, str]:
        looking.set()
        assert found.wait(timeout=30)
        return google_signing(), "demo-nuumee"

    monkeypatch.setattr(google.auth, "default", look)
    services = Services(replace(SETTINGS, keyless=True))
    with ThreadPoolExecutor(2) as threads:
        media = threads.submit(lambda: services.media)
        try:
            assert looking.wait(timeout=30)
            others = threads.submit(lambda: (services.repository, services.erasures))
            assert all(others.result(timeout=10))
            assert not media.done()
        finally:
            found.set()
        assert media.result(timeout=30) is services.media


@pytest.mark.parametrize("name", ["verifier", "repository", "media"])
def test_credentials_that_come_late_are_an_outage_and_then_none(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    services = Services(replace(SETTINGS, keyless=True))

    def fail(*_: object, **__: object) -> None:
        raise DefaultCredentialsError("the metadata server is away")

    with monkeypatch.context() as patched:
        patched.setattr(google.auth, "default", fail)
        for _ in range(2):
            with pytest.raises(Unavailable):
                getattr(services, name)
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    monkeypatch.setattr(google.auth, "default", lambda *_, **__: (google_signing(), "demo-nuumee"))
    assert getattr(services, name) is getattr(services, name)


def google_signing() -> object:
    from google.oauth2 import service_account

    return service_account.Credentials(None, "tests@nuumee.test", "https://token.test")
