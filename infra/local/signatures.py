"""Checks V4 signed URLs as Cloud Storage does, from its description alone: it shares no code with what signs.

https://cloud.google.com/storage/docs/authentication/canonical-requests
https://cloud.google.com/storage/docs/authentication/signatures
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import reduce
from urllib.parse import parse_qsl, quote, unquote, urlsplit

SIGNATURE = "X-Goog-Signature"
_ALGORITHM = "GOOG4-HMAC-SHA256"
_LONGEST = timedelta(days=7)
_CLOCKS_DIFFER = timedelta(minutes=15)
Refusal = tuple[int, str, str]
"""HTTP status, code and message."""


def refusal(
    method: str, url: str, headers: Mapping[str, str], keys: Mapping[str, str], now: datetime
) -> Refusal | None:
    """Why a request for an object is refused; None if a key in `keys` (access id: secret) has signed it.

    `url` is the request's path and query. The verb must be the very one that was signed.
    """
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    given = dict(query)
    if SIGNATURE not in given:
        return 403, "AccessDenied", "Anonymous caller does not have storage.objects.get access."
    try:
        begins = datetime.strptime(given["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lasts = timedelta(seconds=int(given["X-Goog-Expires"]))
        access_id, *scope = given["X-Goog-Credential"].split("/")
        date, _region, service, ending = scope
        signed = given["X-Goog-SignedHeaders"].split(";")
    except (KeyError, ValueError, OverflowError):
        return 400, "AuthenticationRequired", "A parameter of the signature is missing or malformed."
    checks = (
        (
            given.get("X-Goog-Algorithm") == _ALGORITHM and access_id in keys,
            (403, "InvalidSecurity", "The algorithm or the access id is not known here."),
        ),
        (
            (date, service, ending) == (given["X-Goog-Date"][:8], "storage", "goog4_request"),
            (400, "InvalidArgument", "The credential scope is malformed or of another day."),
        ),
        (
            timedelta() < lasts <= _LONGEST and "host" in signed,
            (400, "InvalidArgument", "A URL lasts for seven days at the most, and host must be signed."),
        ),
        (
            -_CLOCKS_DIFFER <= now - begins < lasts,
            (400, "ExpiredToken", "The provided token has expired."),
        ),
    )
    for is_right, refused in checks:
        if not is_right:
            return refused
    others = [(name, value) for name, value in query if name != SIGNATURE]
    sent = {name: headers.get(name, "") for name in signed}
    expected = signature(method, parts.path, others, sent, keys[access_id])
    if not hmac.compare_digest(expected.encode(), given[SIGNATURE].encode()):
        return 403, "SignatureDoesNotMatch", "The request's signature is not the one calculated here."
    return None


def signature(
    method: str, path: str, query: list[tuple[str, str]], headers: Mapping[str, str], secret: str
) -> str:
    """The signature of a request with these query parameters, which include the other X-Goog ones."""
    given = dict(query)
    scope = given["X-Goog-Credential"].split("/")[1:]
    digest = hashlib.sha256(_canonical_request(method, path, query, headers).encode()).hexdigest()
    message = "\n".join([_ALGORITHM, given["X-Goog-Date"], "/".join(scope), digest])
    return _mac(reduce(_mac, scope, b"GOOG4" + secret.encode()), message).hex()


def _canonical_request(method: str, path: str, query: list[tuple[str, str]], headers: Mapping[str, str]) -> str:
    encoded = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in query)
    return "\n".join(
        [
            method,
            quote(unquote(path), safe="/~"),
            "&".join(f"{name}={value}" for name, value in encoded),
            *(f"{name}:{' '.join(value.split())}" for name, value in headers.items()),
            "",
            ";".join(headers),
            "UNSIGNED-PAYLOAD",
        ]
    )


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
