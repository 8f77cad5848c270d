"""Signing through IAM: what it answers decides what is tried again."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import google.auth.credentials
import pytest
from google.api_core.exceptions import Forbidden
from google.api_core.retry import Retry

from shared.errors import Unavailable
from shared.outages import is_away
from shared.storage.client import url_signer
from shared.storage.signing import Target, UrlSigner
from tests.fakes import SETTINGS
from tests.jobs import NOW


class Metadata(google.auth.credentials.Credentials):
    """The credentials of a deployed function, which cannot sign."""

    service_account_email = "function@nuumee.test"

    def refresh(self, request: Any) -> None:
        self.token = "token"


class Iam:
    """Answers with these statuses in turn, and then with the last one."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.calls = 0

    def __call__(self, url: str, *args: Any, **options: Any) -> Any:
        assert url.endswith(":signBlob")
        self.calls += 1
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        body = {"signedBlob": base64.b64encode(b"signed").decode()} if status == 200 else {"error": "refused"}
        return SimpleNamespace(status=status, data=json.dumps(body).encode())


def signed_by(iam: Iam, monkeypatch: pytest.MonkeyPatch) -> UrlSigner:
    monkeypatch.setattr("shared.storage.signing._TRIED_AGAIN", Retry(is_away, initial=0.01, timeout=0.3))
    monkeypatch.setattr("google.auth.default", lambda **_: (Metadata(), "nuumee-test"))
    monkeypatch.setattr("google.auth.transport.requests.Request", lambda _: iam)
    return url_signer(SETTINGS, ThreadPoolExecutor(1))


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_passing_refusal_is_tried_again(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    iam = Iam(status, status, 200)
    signer = signed_by(iam, monkeypatch)
    (url,) = signer.sign([Target("images", "me/job/a.jpg")], signer.validity(NOW))
    assert url.endswith(b"signed".hex())
    assert iam.calls == 3


def test_a_refusal_that_does_not_end_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = signed_by(Iam(503), monkeypatch)
    with pytest.raises(Unavailable):
        signer.sign([Target("images", "me/job/a.jpg")], signer.validity(NOW))


def test_a_missing_permission_is_asked_for_once_and_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    iam = Iam(403)
    signer = signed_by(iam, monkeypatch)
    with pytest.raises(Forbidden):
        signer.sign([Target("images", "me/job/a.jpg")], signer.validity(NOW))
    assert iam.calls == 1
