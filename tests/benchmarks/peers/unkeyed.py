"""Credentials that sign as cheaply as an HMAC key, so that the kind of key does not slow the peers down."""

from __future__ import annotations

import hashlib

from google.auth import crypt
from google.oauth2 import service_account


class _Unkeyed(crypt.Signer):
    key_id = None

    def sign(self, message: bytes) -> bytes:
        return hashlib.sha256(message).digest()


CREDENTIALS = service_account.Credentials(_Unkeyed(), "bench@nuumee.test", "https://token.test")
