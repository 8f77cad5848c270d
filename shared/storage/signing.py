"""V4 signed URLs: https://cloud.google.com/storage/docs/access-control/signed-urls"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from threading import Semaphore
from typing import NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from shared.outages import ALL_OBJECTS_WITHIN, outages, seconds_for
from shared.settings import Settings, SigningKey
from shared.storage.side_by_side import required, share

_ENDPOINT = "https://storage.googleapis.com"
_SCOPE = ("auto", "storage", "goog4_request")
_WINDOWS = 4
"""Windows whose constant parts are kept: the current one, and those of requests that run late."""


@dataclass(frozen=True, slots=True)
class Validity:
    """A window in which signing gives the same URL each time, and how much of the URL's life is left."""

    begins: datetime
    expires_at: datetime
    expires_in: int
    """Seconds."""


class Target(NamedTuple):
    """An object to fetch, and the file name under which a browser should save it, if any."""

    bucket: str
    path: str
    filename: str | None = None


_NOTHING = Target("", "")


class Signer(Protocol):
    """The account whose permission a URL carries."""

    algorithm: str
    account: str
    """An HMAC key's access id, or a service account's e-mail address."""

    def sign(self, date: str, message: bytes) -> bytes:
        """Sign a message on a date such as 20261122. Raises the library's error if it takes a call that fails."""


class KeySigner:
    """Signs with an HMAC key of a service account, in a few microseconds and without a call.

    https://cloud.google.com/storage/docs/authentication/signatures#derive-key
    """

    algorithm = "GOOG4-HMAC-SHA256"

    def __init__(self, key: SigningKey) -> None:
        self.account = key.access_id
        self._secret = key.secret
        self._of_date = lru_cache(_WINDOWS)(self._derived)

    def sign(self, date: str, message: bytes) -> bytes:
        return hmac.digest(self._of_date(date), message, "sha256")

    def _derived(self, date: str) -> bytes:
        key = f"GOOG4{self._secret}".encode()
        for part in (date, *_SCOPE):
            key = hmac.digest(key, part.encode(), "sha256")
        return key


class Urls:
    """Builds the URLs: the canonical request, the string to sign, and the URL around the signature.

    https://cloud.google.com/storage/docs/authentication/canonical-requests
    """

    def __init__(self, signer: Signer, endpoint: str, lifetime: int) -> None:
        self._signer = signer
        self._endpoint = endpoint
        self._host = urlsplit(endpoint).netloc
        self.lifetime = lifetime
        """Seconds."""
        self._window = lru_cache(_WINDOWS)(self._constant)

    def version(self, begins: datetime) -> str:
        """What is different as soon as the URL of any target is: the URL of none, which has all but the target."""
        return self.url(_NOTHING, begins)

    def url(self, target: Target, begins: datetime) -> str:
        """A GET URL for the target, valid from `begins` on. Raises what the signer raises."""
        timestamp, scope, query = self._window(begins)
        resource = f"/{target.bucket}/{quote(target.path, safe='/~')}"
        if target.filename is not None:
            query = f"{query}&response-content-disposition={quote(attachment(target.filename), safe='~')}"
        request = f"GET\n{resource}\n{query}\nhost:{self._host}\n\nhost\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        message = f"{self._signer.algorithm}\n{timestamp}\n{scope}\n{digest}"
        signature = self._signer.sign(timestamp[:8], message.encode()).hex()
        return f"{self._endpoint}{resource}?{query}&X-Goog-Signature={signature}"

    def _constant(self, begins: datetime) -> tuple[str, str, str]:
        """What all URLs of a window share: the time, the scope, and the query parameters, sorted by name."""
        timestamp = begins.strftime("%Y%m%dT%H%M%SZ")
        scope = "/".join((timestamp[:8], *_SCOPE))
        query = (
            f"X-Goog-Algorithm={self._signer.algorithm}"
            f"&X-Goog-Credential={quote(f'{self._signer.account}/{scope}', safe='~')}"
            f"&X-Goog-Date={timestamp}&X-Goog-Expires={self.lifetime}&X-Goog-SignedHeaders=host"
        )
        return timestamp, scope, query


def attachment(filename: str) -> str:
    """A Content-Disposition (RFC 6266) that saves under this name, which has no quotation mark and no backslash.

    A name beyond ASCII is encoded as in RFC 8187, and so is one with a percent sign, which some browsers decode.
    """
    plain = "".join(one if one.isascii() and one != "%" else "_" for one in filename)
    exact = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'attachment; filename="{plain}"{exact}'


class UrlSigner:
    """Signs GET URLs that stay the same for a window, so that a browser's cache is of use."""

    takes_calls = False
    """Whether a URL takes a call, which may fail this time and succeed the next."""

    def __init__(self, urls: Urls, window: int) -> None:
        """`window` is in seconds."""
        self._urls = urls
        self._window = window

    def validity(self, now: datetime) -> Validity:
        begins = datetime.fromtimestamp(now.timestamp() // self._window * self._window, UTC)
        expires_at = begins + timedelta(seconds=self._urls.lifetime)
        return Validity(begins, expires_at, int((expires_at - now).total_seconds()))

    def version(self, validity: Validity) -> str:
        """What is different as soon as the URLs of the same targets are."""
        return self._urls.version(validity.begins)

    def sign(self, targets: Sequence[Target], validity: Validity) -> list[str]:
        """The URLs, in the order of `targets`. Raises Unavailable if signing takes calls and IAM is away."""
        with outages("Cloud Storage"):
            within = seconds_for(ALL_OBJECTS_WITHIN)
            return [required(signed) for signed in self.try_to_sign(targets, validity, within, share())]

    def try_to_sign(
        self, targets: Sequence[Target], validity: Validity, seconds: float, free: Semaphore
    ) -> list[str | Exception]:
        """The same, with an exception in place of each URL that cannot be made.

        `seconds` and `free`, the response's share of concurrent calls, matter only if signing takes calls.
        """
        return [self._urls.url(target, validity.begins) for target in targets]


def url_signer(settings: Settings, pool: Executor) -> UrlSigner:
    """Signs with the HMAC key, or through IAM if the settings say so. Raises SettingsError without either."""
    endpoint = (settings.storage_emulator or _ENDPOINT).rstrip("/")
    settings.check_signing()
    if settings.keyless:
        # Only here, because what it imports takes half a second.
        from shared.storage.keyless import KeylessUrlSigner, account_signer  # noqa: PLC0415

        urls = Urls(account_signer(), endpoint, settings.url_lifetime)
        return KeylessUrlSigner(urls, settings.url_window, pool)
    assert settings.signing_key is not None  # noqa: S101 - checked
    urls = Urls(KeySigner(settings.signing_key), endpoint, settings.url_lifetime)
    return UrlSigner(urls, settings.url_window)
