"""Bearer token -> User, with firebase-admin."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import google.auth.jwt
from firebase_admin import App, auth, exceptions
from werkzeug.datastructures import Headers

from shared.errors import Unauthorized, Unavailable
from shared.outages import outages

_SERVICE = "The sign-in service"
_EXPIRED = "The session has expired. Please sign in again."
_MALFORMED = "The ID token is malformed."
_NOT_A_TOKEN = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
_CLOCK_SKEW = 10
"""Seconds by which Google's clock and ours may differ."""


@dataclass(frozen=True, slots=True)
class User:
    id: str


def bearer_token(headers: Headers) -> str:
    """The caller's ID token. API Gateway puts its own into Authorization and the caller's beside it.

    https://cloud.google.com/api-gateway/docs/authenticate-service-account#receiving_authenticated_results
    Raises Unauthorized.
    """
    header = headers.get("X-Forwarded-Authorization") or headers.get("Authorization")
    if not header:
        raise Unauthorized("Please sign in: the request carries no ID token.")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("The Authorization header must be: Bearer and an ID token.")
    return token.strip()


class TokenVerifier:
    """Verifies Firebase ID tokens of one project. To make one raises Unavailable if there are no credentials."""

    def __init__(self, app: App, project: str) -> None:
        with outages(_SERVICE):
            self._client = auth.Client(app)
        self._project = project

    def verify(self, token: str, *, check_revoked: bool) -> User:
        """The user whom `token` stands for.

        With `check_revoked` a call to Firebase Auth tells whether the session was revoked or the account
        disabled; without, a token lives up to an hour after either:
        https://firebase.google.com/docs/auth/admin/manage-sessions#detect_id_token_revocation

        Raises Unauthorized, with a sentence of its own for each reason, and Unavailable if Google's
        certificates or Firebase Auth cannot be reached.
        """
        try:
            with outages(_SERVICE):
                claims = self._client.verify_id_token(
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
        except auth.InvalidIdTokenError:
            raise Unauthorized(self._why_invalid(token)) from None
        except exceptions.FirebaseError as error:
            # Also CertificateFetchError: that Google's certificates are away is not the caller's fault.
            raise Unavailable(_SERVICE) from error
        except _NOT_A_TOKEN:
            # firebase-admin expects claims and headers to be objects and numbers to be numbers.
            raise Unauthorized(_MALFORMED) from None
        return _user(claims)

    def _why_invalid(self, token: str) -> str:
        """firebase-admin tells audience, issuer and signature apart only in prose: look for ourselves."""
        try:
            claims = google.auth.jwt.decode(token, verify=False)
        except _NOT_A_TOKEN:
            return _MALFORMED
        if claims.get("aud") != self._project:
            return "The ID token was made for another project."
        if claims.get("iss") != f"https://securetoken.google.com/{self._project}":
            return "The ID token comes from another issuer."
        if not _is_user_id(claims.get("sub")):
            return _MALFORMED
        issued = claims.get("iat")
        if isinstance(issued, int | float) and issued > time.time() + _CLOCK_SKEW:
            return "The ID token is not valid yet."
        return "The ID token is not signed by Google."


def _user(claims: Mapping[str, Any]) -> User:
    expires, uid = claims.get("exp"), claims.get("uid")
    if not _is_user_id(uid) or not isinstance(expires, int | float):
        raise Unauthorized(_MALFORMED)
    # Said again here because firebase-admin does not look at it with the Auth emulator.
    if expires <= time.time():
        raise Unauthorized(_EXPIRED)
    return User(str(uid))


def _is_user_id(uid: object) -> bool:
    """Whether this is 1 to 128 characters that UTF-8 has."""
    return isinstance(uid, str) and 1 <= len(uid) <= 128 and uid.encode(errors="replace").decode() == uid
