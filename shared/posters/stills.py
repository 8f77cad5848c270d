"""Makes the poster of a picture. Runs as a process of its own, see shared/posters/posters.py."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

# Named one by one: a format that Pillow does not find at once makes it import all of its forty. These two it would
# import when a picture needs them, and a confined process could not.
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
"""As decoded. Of a larger JPEG a smaller picture is decoded, so photos of any camera are within it."""
MOST_WEBP_PIXELS = 14_000_000
"""Its decoder keeps four pictures."""

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
    # Below are limits of our own.
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(source, formats=_FORMATS) as image:
        return Posters(webp(_square(image)))


def webp(square: Image.Image) -> bytes:
    """Encode with the best quality that the limit on a poster's size leaves."""
    for quality in _QUALITIES:
        written = BytesIO()
        square.save(written, "WEBP", quality=quality, alpha_quality=quality, method=6)
        if written.tell() <= LARGEST_POSTER:
            return written.getvalue()
    raise Unpicturable(Reason.TOO_LARGE, "no quality makes the poster small enough")


def _square(image: Image.Image) -> Image.Image:
    declared = image.size
    image.draft("RGB", (2 * SIDE, 2 * SIDE))
    # The whole of a progressive JPEG is kept however small it is decoded.
    _allow(image, declared if image.info.get("progressive") else image.size)
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    image.load()
    if image.mode == "I;16":
        # Shades of 16 bits: of those above 255, Pillow itself would make white.
        image = image.point(lambda shade: shade * (1 / 256)).convert("L")
    # Not resized as they are: of palette entries and single bits there is no average.
    part = image if image.mode in _RESIZABLE else image.crop(box).convert(mode)
    box = box if part is image else (0, 0, side, side)
    small = part.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box)
    small.info = image.info
    return _upright(small).convert(mode)


def _upright(square: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(square)
    except Exception:  # a good picture can have notes that make no sense
        return square


def _allow(image: Image.Image, size: tuple[int, int]) -> None:
    most = MOST_WEBP_PIXELS if image.format == "WEBP" else MOST_PIXELS
    if size[0] * size[1] > most:
        raise Unpicturable(Reason.TOO_LARGE, f"{size[0]} x {size[1]} pixels")


if __name__ == "__main__":
    confined(make)
