"""ID tokens as the Auth emulator makes them: unsigned. Only a function on emulators may take one."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

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
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."
    )
