"""Unsigned ID tokens as the Auth emulator makes them, and keys as used to sign real ones."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local.stack import PROJECT


def unsigned_token(user_id: str, project: str = PROJECT, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": f"https://securetoken.google.com/{project}",
        "aud": project,
        "sub": user_id,
        "user_id": user_id,
        "auth_time": now - 60,
        "iat": now - 60,
        "exp": now + 3600,
        **changes,
    }
    return encode(claims)


def encode(claims: object, **header: Any) -> str:
    """An unsigned token with the given claims and header."""
    parts = ({"alg": "none", "typ": "JWT", **header}, claims)
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."
    )


def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    """The key in the form that service account files use."""
    traditional = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, traditional, serialization.NoEncryption())
