"""Signs URLs without a key: with the credentials' own private key if they have one, else by IAM, a call each.

The fallback for projects whose policy allows no HMAC keys. The account must be allowed to sign as itself, and all
calls of a project share a quota: https://cloud.google.com/iam/quotas
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from datetime import datetime
from http import HTTPStatus
from threading import Lock, Semaphore
from typing import Any

import google.auth
import google.auth.credentials
import google.auth.iam
import google.auth.transport.requests
import requests
from google.api_core.exceptions import from_http_status
from google.api_core.retry import Retry

from shared.outages import SIGNING_TIMEOUT, is_away, patient
from shared.settings import SettingsError
from shared.storage.connections import keep_alive
from shared.storage.side_by_side import side_by_side
from shared.storage.signing import Target, Urls, UrlSigner, Validity

MOST_KEPT = 4096
"""URLs that are kept for whoever asks again within their window: 3 MB of usual names, 20 MB of the longest."""
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


class AccountSigner:
    """Signs as the service account that the credentials belong to."""

    algorithm = "GOOG4-RSA-SHA256"

    def __init__(self, account: str, sign: Callable[[bytes], bytes]) -> None:
        self.account = account
        self._sign = sign

    def sign(self, date: str, message: bytes) -> bytes:
        return self._sign(message)


class KeylessUrlSigner(UrlSigner):
    """Makes one call for each distinct URL, however many requests want it at once, and keeps its outcome."""

    takes_calls = True

    def __init__(self, urls: Urls, window: int, pool: Executor) -> None:
        super().__init__(urls, window)
        self._pool = pool
        self._kept: OrderedDict[tuple[Target, datetime], Future[str]] = OrderedDict()
        self._lock = Lock()
        self._sign = Retry(is_away, initial=0.1, maximum=1.0, timeout=patient(SIGNING_TIMEOUT))(urls.url)

    def try_to_sign(
        self, targets: Sequence[Target], validity: Validity, seconds: float, free: Semaphore
    ) -> list[str | Exception]:
        sign = functools.partial(self._signed_once, begins=validity.begins)
        return side_by_side(self._pool, sign, targets, seconds, free)

    def _signed_once(self, target: Target, begins: datetime) -> str:
        key = (target, begins)
        with self._lock:
            signed = self._kept.get(key)
            is_ours = signed is None
            if signed is None:
                signed = self._kept[key] = Future()
                if len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
        if is_ours:
            try:
                signed.set_result(self._sign(target, begins))
            except Exception as error:
                with self._lock:
                    self._kept.pop(key, None)  # the next request tries again
                signed.set_exception(error)
        return signed.result()


def account_signer() -> AccountSigner:
    """Raises SettingsError if the credentials name no account.

    https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob
    """
    credentials, _ = google.auth.default(scopes=_SCOPES)
    if isinstance(credentials, google.auth.credentials.Signing):
        return AccountSigner(credentials.signer_email, credentials.sign_bytes)
    session = requests.Session()
    keep_alive(session, connections=32)
    send = functools.partial(google.auth.transport.requests.Request(session), timeout=patient(SIGNING_TIMEOUT))

    def request(url: str, *args: Any, **options: Any) -> Any:
        # google-auth reports a refusal only as text. The HTTP status decides whether signing is retried.
        response = send(url, *args, **options)
        if url.endswith(":signBlob") and response.status != HTTPStatus.OK:
            raise from_http_status(response.status, "signBlob was refused")
        return response

    # The metadata server names the function's account only after a token has been fetched.
    credentials.refresh(request)
    account = getattr(credentials, "service_account_email", None)
    if account is None:
        raise SettingsError("SIGNING is keyless, and the credentials name no service account that could sign")
    return AccountSigner(account, google.auth.iam.Signer(request, credentials, account).sign)
