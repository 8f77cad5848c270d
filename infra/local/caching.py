"""What Cloud Storage tells browsers about keeping an object: https://cloud.google.com/storage/docs/caching"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UNSAID = "private, max-age=0"
"""For an object that is not public and has no Cache-Control of its own."""


def headers(about: Mapping[str, Any]) -> dict[str, str]:
    """The response headers of an object with these metadata."""
    return {"Cache-Control": about.get("cacheControl") or _UNSAID, "ETag": f'"{about.get("generation", "0")}"'}


def is_current(about: Mapping[str, Any], kept: str | None) -> bool:
    """Whether what a browser has kept, by its If-None-Match, is this object."""
    return kept is not None and headers(about)["ETag"] in [tag.strip() for tag in kept.split(",")]
