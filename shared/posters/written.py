"""Writes pictures as WebP or JPEG within the limits on their size."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TypeVar

# Pillow would import these late, which a confined process cannot.
from PIL import Image, ImageFilter, JpegImagePlugin, WebPImagePlugin  # noqa: F401

from shared.posters.posters import (
    LARGEST_POSTER,
    LARGEST_SHARED,
    LARGEST_STORYBOARD,
    LARGEST_VIEW,
    SharePicture,
)
from shared.posters.unpicturable import Reason, Unpicturable

_QUALITIES = (82, 74, 66, 56, 44, 32, 22, 14, 8, 4, 0)
_SOFTER = ImageFilter.GaussianBlur(1)
_Made = TypeVar("_Made")


def optional(write: Callable[[], _Made]) -> _Made | None:
    """What `write` makes; None if nothing makes it small enough or its making takes too much memory."""
    try:
        return write()
    except (MemoryError, Unpicturable):
        return None


def poster(square: Image.Image) -> bytes:
    """WebP. Blurred slightly if no quality makes it small enough: dots of black and white are that bad."""
    try:
        return _webp(square, LARGEST_POSTER, method=6)
    except Unpicturable:
        return _webp(square.filter(_SOFTER), LARGEST_POSTER, method=6)


def view(image: Image.Image) -> bytes:
    return _webp(image, LARGEST_VIEW, method=4)


def storyboard(sheet: Image.Image) -> bytes:
    return _webp(sheet, LARGEST_STORYBOARD, method=4)


def share_picture(image: Image.Image) -> SharePicture:
    return SharePicture(_best(image, LARGEST_SHARED, "JPEG", optimize=True), image.size)


def _webp(image: Image.Image, most: int, method: int) -> bytes:
    return _best(image, most, "WEBP", method=method)


def _best(image: Image.Image, most: int, kind: str, **how: int) -> bytes:
    """Encode with the best quality that fits."""
    for quality in _QUALITIES:
        written = BytesIO()
        image.save(written, kind, quality=quality, alpha_quality=quality, **how)
        if written.tell() <= most:
            return written.getvalue()
    raise Unpicturable(Reason.TOO_LARGE, "no quality makes it small enough")
