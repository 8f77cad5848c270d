"""Makes the poster of a picture. Runs as its own process, see shared/posters/posters.py."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

# Imported one by one: if Pillow does not find a format at once, it imports all forty. It would import Mpo and Tiff
# only when a picture needs them, which a confined process cannot.
from PIL import (
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,
)

from shared.posters.confinement import confined
from shared.posters.posters import LARGEST_POSTER, SIDE, Posters
from shared.posters.unpicturable import Reason, Unpicturable

MOST_PIXELS = 36_000_000
"""Pixels as decoded. Larger JPEGs are decoded at a reduced size, so photos from any camera fit."""
MOST_WEBP_PIXELS = 14_000_000
"""Lower, because the WebP decoder keeps four pictures."""

_FORMATS = tuple(
    plugin.format
    for plugin in (
        GifImagePlugin.GifImageFile,
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
    )
)
Image.preinit()
_QUALITIES = (82, 74, 66, 56, 44, 32, 22, 14, 8, 4, 0)
_RESIZABLE = {"L", "LA", "RGB", "RGBA", "CMYK"}


def make(source: BinaryIO) -> Posters:
    # Our own limits are below.
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(source, formats=_FORMATS) as image:
        return Posters(webp(_square(image)))


def webp(square: Image.Image) -> bytes:
    """Encode with the best quality that fits the limit on a poster's size."""
    for quality in _QUALITIES:
        written = BytesIO()
        square.save(written, "WEBP", quality=quality, alpha_quality=quality, method=6)
        if written.tell() <= LARGEST_POSTER:
            return written.getvalue()
    raise Unpicturable(Reason.TOO_LARGE, "no quality makes the poster small enough")


def _square(image: Image.Image) -> Image.Image:
    declared = image.size
    image.draft("RGB", (2 * SIDE, 2 * SIDE))
    # A progressive JPEG is kept whole, however small it is decoded.
    _allow(image, declared if image.info.get("progressive") else image.size)
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    image.load()
    if image.mode == "I;16":
        # 16-bit shades: Pillow itself would turn all those above 255 white.
        image = image.point(lambda shade: shade * (1 / 256)).convert("L")
    # Convert before resizing: palette entries and single bits have no average.
    part = image if image.mode in _RESIZABLE else image.crop(box).convert(mode)
    box = box if part is image else (0, 0, side, side)
    small = part.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box)
    small.info = image.info
    return _upright(small).convert(mode)


def _upright(square: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(square)
    except Exception:  # a good picture can have broken metadata
        return square


def _allow(image: Image.Image, size: tuple[int, int]) -> None:
    most = MOST_WEBP_PIXELS if image.format == "WEBP" else MOST_PIXELS
    if size[0] * size[1] > most:
        raise Unpicturable(Reason.TOO_LARGE, f"{size[0]} x {size[1]} pixels")


if __name__ == "__main__":
    confined(make)
