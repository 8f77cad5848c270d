"""Writes pictures as WebP within the limits on their size."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, WebPImagePlugin  # noqa: F401 (Pillow would import it late, which a confined process cannot)

from shared.posters.posters import LARGEST_POSTER, LARGEST_STORYBOARD, LARGEST_VIEW
from shared.posters.unpicturable import Reason, Unpicturable

_QUALITIES = (82, 74, 66, 56, 44, 32, 22, 14, 8, 4, 0)


def poster(square: Image.Image) -> bytes:
    return _webp(square, LARGEST_POSTER, method=6)


def view(image: Image.Image) -> bytes:
    return _webp(image, LARGEST_VIEW, method=4)


def storyboard(sheet: Image.Image) -> bytes:
    return _webp(sheet, LARGEST_STORYBOARD, method=4)


def _webp(image: Image.Image, most: int, method: int) -> bytes:
    """Encode with the best quality that fits."""
    for quality in _QUALITIES:
        written = BytesIO()
        image.save(written, "WEBP", quality=quality, alpha_quality=quality, method=method)
        if written.tell() <= most:
            return written.getvalue()
    raise Unpicturable(Reason.TOO_LARGE, "no quality makes it small enough")
