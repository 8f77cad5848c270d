"""The process's Cloud Storage client, and its URL signer."""

from __future__ import annotations

import functools
import hashlib
from concurrent.futures import Executor
from http import HTTPStatus
from typing import Any

import google.auth
import google.auth.credentials
import google.auth.iam
import google.auth.transport.requests
import google.cloud.storage
import requests
import requests.adapters
from google.api_core.exceptions import from_http_status
from google.auth import crypt
from google.oauth2 import service_account

from shared.outages import SIGNING_TIMEOUT, patient
from shared.settings import Settings, SettingsError
from shared.storage.signing import UrlSigner

_ENDPOINT = "https://storage.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - a URL, not a password


def storage_client(settings: Settings, connections: int) -> google.cloud.storage.Client:
    client = google.cloud.storage.Client(project=settings.project)
    _keep_alive(client._http, connections)
    return client


def url_signer(settings: Settings, pool: Executor) -> UrlSigner:
    """Signs with the credentials' private key if they have one, else through IAM's signBlob.

    https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob
    """
    lifetime, window = settings.url_lifetime, settings.url_window
    if settings.storage_emulator:
        endpoint = settings.storage_emulator.rstrip("/")
        unkeyed = _signing("emulator@localhost", _EmulatorSigner())
        return UrlSigner(unkeyed, endpoint, lifetime=lifetime, window=window, pool=None)
    credentials, _ = google.auth.default(scopes=_SCOPES)
    if isinstance(credentials, service_account.Credentials):
        return UrlSigner(credentials, _ENDPOINT, lifetime=lifetime, window=window, pool=None)
    if not isinstance(credentials, google.auth.credentials.Signing):
        credentials = _signing_through_iam(settings, credentials)
    return UrlSigner(credentials, _ENDPOINT, lifetime=lifetime, window=window, pool=pool)


def _signing_through_iam(settings: Settings, credentials: Any) -> service_account.Credentials:
    session = requests.Session()
    _keep_alive(session, connections=32)
    send = functools.partial(google.auth.transport.requests.Request(session), timeout=patient(SIGNING_TIMEOUT))

    def request(url: str, *args: Any, **options: Any) -> Any:
        # google-auth reports a refusal only as text. The HTTP status decides whether signing is retried.
        response = send(url, *args, **options)
        if url.endswith(":signBlob") and response.status != HTTPStatus.OK:
            raise from_http_status(response.status, "signBlob was refused")
        return response

    account = settings.signing_account
    if account is None:
        # The metadata server names the function's account only after a token has been fetched.
        credentials.refresh(request)
        account = getattr(credentials, "service_account_email", None)
    if account is None:
        raise SettingsError("SIGNING_ACCOUNT is not set, and the credentials name no service account")
    return _signing(account, google.auth.iam.Signer(request, credentials, account))


def _signing(account: str, signer: crypt.Signer) -> service_account.Credentials:
    return service_account.Credentials(signer, account, _TOKEN_URI)


def _keep_alive(session: requests.Session, connections: int) -> None:
    """Let that many threads keep a connection each."""
    session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=connections))
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=connections))


class _EmulatorSigner(crypt.Signer):
    """The Storage emulator verifies no signatures, so this needs no key. Each object has one fixed signature."""

    @property
    def key_id(self) -> None:
        return None

    def sign(self, message: bytes) -> bytes:
        return hashlib.sha256(message).digest()
