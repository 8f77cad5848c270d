"""Turns a bearer token into a User, using firebase-admin."""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any

import google.auth.exceptions
import google.auth.jwt
from firebase_admin import App, auth, exceptions

from shared.access.user import User
from shared.errors import Unauthorized, Unavailable
from shared.outages import outages

_SERVICE = "The sign-in service"
_EXPIRED = "The session has expired. Please sign in again."
_MALFORMED = "The ID token is malformed."
_UNSIGNED = "The ID token is not signed by Google."
_ALGORITHMS = ("RS256", "none")
"""Google signs with RS256; the Auth emulator does not sign. firebase-admin knows which one to accept where."""
_MOST_KNOWN = 4096
_CLOCK_SKEW = 10
"""Seconds by which Google's clock and ours may differ."""


class TokenVerifier:
    """Verifies one project's Firebase ID tokens. The constructor raises Unavailable without credentials."""

    def __init__(self, app: App, project: str) -> None:
        with outages(_SERVICE):
            self._client = auth.Client(app)
        self._project = project
        self._known: OrderedDict[bytes, tuple[User, float]] = OrderedDict()
        """Who the tokens verified last belong to, and until when they are valid."""
        self._lock = Lock()

    def known(self, token: str) -> User | None:
        """The user of a token that was verified before and is still valid, found without any call.

        A token says the same until it expires. Verifying one takes as much CPU as reading a page of jobs.
        """
        with self._lock:
            user, until = self._known.get(_digest(token), (None, 0.0))
        return user if time.time() < until else None

    def verify(self, token: str, *, check_revoked: bool) -> User:
        """The user to whom `token` belongs.

        `check_revoked` asks Firebase Auth whether the session was revoked or the account disabled. Without it, a
        token stays valid for up to an hour after either:
        https://firebase.google.com/docs/auth/admin/manage-sessions#detect_id_token_revocation

        Raises Unauthorized with a specific sentence for each reason, and Unavailable if Google's certificates
        cannot be fetched or used or Firebase Auth cannot be reached. Any other exception is not the token's
        fault, because firebase-admin receives only well-formed tokens.
        """
        claims = _well_formed(token)
        try:
            with outages(_SERVICE):
                verified = self._client.verify_id_token(
                    token, check_revoked=check_revoked, clock_skew_seconds=_CLOCK_SKEW
                )
        except auth.ExpiredIdTokenError:
            raise Unauthorized(_EXPIRED) from None
        except auth.RevokedIdTokenError:
            raise Unauthorized("The session was ended. Please sign in again.") from None
        except auth.UserDisabledError:
            raise Unauthorized("The account is disabled.") from None
        except auth.UserNotFoundError:
            raise Unauthorized("The account no longer exists.") from None
        except auth.InvalidIdTokenError as error:
            why = self._why_invalid(claims)
            if why == _UNSIGNED and not _is_about_the_token(error.cause):
                raise Unavailable(_SERVICE) from error
            raise Unauthorized(why) from None
        except exceptions.FirebaseError as error:
            # Includes CertificateFetchError: missing certificates of Google's are not the caller's fault.
            raise Unavailable(_SERVICE) from error
        except RecursionError:
            # The JSON is nested so deeply that it could be parsed here but not a few calls further down.
            raise Unauthorized(_MALFORMED) from None
        user = _user(verified)
        with self._lock:
            self._known[_digest(token)] = (user, claims["exp"])
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return user

    def _why_invalid(self, claims: Mapping[str, Any]) -> str:
        """Find the reason ourselves: firebase-admin tells audience, issuer and signature apart only in prose."""
        if claims.get("aud") != self._project:
            return "The ID token was made for another project."
        if claims.get("iss") != f"https://securetoken.google.com/{self._project}":
            return "The ID token comes from another issuer."
        if claims["iat"] > time.time():
            return "The ID token is not valid yet."
        return _UNSIGNED


def _digest(token: str) -> bytes:
    """Stands for a token, so that no process keeps what would let somebody else in."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _well_formed(token: str) -> Mapping[str, Any]:
    """The unverified claims. Raises Unauthorized if this is not an ID token, or not one usable here.

    firebase-admin and google-auth assume that claims and headers are objects, times are numbers and names are
    text, and raise a TypeError or a KeyError otherwise.
    """
    try:
        header = google.auth.jwt.decode_header(token)
        claims: Mapping[str, Any] = google.auth.jwt.decode(token, verify=False)
    except (ValueError, RecursionError):
        raise Unauthorized(_MALFORMED) from None
    sound = (
        isinstance(header.get("kid", ""), str)
        and isinstance(header.get("alg"), str)
        and _is_user_id(claims.get("sub"))
        and _is_time(claims.get("iat"))
        and _is_time(claims.get("exp"))
        and isinstance(claims.get("firebase", {}), Mapping)
    )
    if not sound:
        raise Unauthorized(_MALFORMED)
    if header["alg"] not in _ALGORITHMS:
        raise Unauthorized(_UNSIGNED)
    # Two tenants may have the same uid: https://cloud.google.com/identity-platform/docs/multi-tenancy
    if claims.get("firebase", {}).get("tenant") is not None:
        raise Unauthorized("The account belongs to a tenant, and those of tenants cannot be used here.")
    return claims


def _is_about_the_token(cause: object) -> bool:
    """Whether firebase-admin refused the token itself, or its signature against a usable certificate.

    firebase-admin treats every ValueError as a bad token, even one from an unreadable certificate. google-auth
    raises MalformedError for a signature that does not match or a key that Google does not have. It raises
    InvalidValue for times and audiences, which were checked before, and for a certificate of the wrong kind.
    """
    return cause is None or isinstance(cause, google.auth.exceptions.MalformedError)


def _user(claims: Mapping[str, Any]) -> User:
    # Checked again because firebase-admin ignores the expiry with the Auth emulator.
    if claims["exp"] <= time.time():
        raise Unauthorized(_EXPIRED)
    at = claims.get("auth_time")
    return User(str(claims["uid"]), float(at) if at is not None and _is_time(at) else 0.0)


def _is_time(seconds: object) -> bool:
    return type(seconds) is int or (isinstance(seconds, float) and math.isfinite(seconds))


def _is_user_id(uid: object) -> bool:
    """Whether this is 1 to 128 characters that UTF-8 can encode."""
    return isinstance(uid, str) and 1 <= len(uid) <= 128 and uid.encode(errors="replace").decode() == uid
