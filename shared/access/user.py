"""The signed-in user, and the token that a request carries. Apart from `auth`, so that it costs no library."""

from __future__ import annotations

from dataclasses import dataclass, field

from werkzeug.datastructures import Headers

from shared.errors import Unauthorized


@dataclass(frozen=True, slots=True)
class User:
    id: str
    signed_in_at: float = field(default=0.0, compare=False)
    """When the user last gave a password or the like, in seconds since 1970; 0 if the token does not tell."""


def bearer_token(headers: Headers) -> str:
    """The caller's ID token. API Gateway moves it to X-Forwarded-Authorization and puts its own in Authorization.

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
