"""Unusual and malicious pictures for the poster tests."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

CORNERS = {"red": (220, 30, 30), "green": (30, 160, 30), "blue": (30, 30, 220), "white": (240, 240, 240)}
"""Colours of a scene, left to right and top to bottom."""


def scene(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Four quarters, one colour each."""
    small = Image.new("RGB", (2, 2))
    small.putdata(list(CORNERS.values()))
    return small.resize((width, height), Image.Resampling.NEAREST).convert(mode)


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """The content that compresses worst."""
    return Image.frombytes(mode, (width, height), os.urandom(width * height * len(mode)))


def saved(image: Image.Image, **options: Any) -> bytes:
    written = BytesIO()
    image.save(written, **options)
    return written.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *, bits: int, colour: int, content: bytes, extra: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = (chunk(b"IHDR", header), extra, chunk(b"IDAT", content), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate a quarter turn clockwise
    return saved(scene(400, 300).transpose(Image.Transpose.ROTATE_90), format="JPEG", exif=exif)


def ring(mode: str) -> Image.Image:
    """A scene surrounded by transparency."""
    image = Image.new("RGBA", (600, 600), (0, 0, 0, 0))
    image.paste(scene(400, 400), (100, 100))
    return image.convert(mode)


def checks(mode: str) -> Image.Image:
    """A chessboard of single-pixel squares, which looks grey from afar."""
    return Image.frombytes("1", (800, 800), (b"\x55" * 100 + b"\xaa" * 100) * 400).convert(mode)


def animated(kind: str, frames: int = 3) -> bytes:
    pictures = [scene(300, 200), *(Image.new("RGB", (300, 200), (number, 0, 0)) for number in range(frames))]
    return saved(pictures[0], format=kind, save_all=True, append_images=pictures[1:], lossless=True)


def zipped() -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("picture.png", saved(scene(8, 8), format="PNG"))
    return written.getvalue()


def webp_that_declares(width: int, height: int) -> bytes:
    """A lossless WebP whose header gives dimensions that its content does not have."""
    content = bytearray(saved(scene(64, 64), format="WEBP", lossless=True))
    start = content.index(b"VP8L") + 9
    (bits,) = struct.unpack_from("<I", content, start)
    struct.pack_into("<I", content, start, bits & 0xF0000000 | (height - 1) << 14 | (width - 1))
    return bytes(content)


def webp_of_canvas(side: int) -> bytes:
    """An animated WebP with one small picture on a large canvas."""
    content = bytearray(animated("WEBP"))
    start = content.index(b"VP8X") + 12
    content[start : start + 6] = (side - 1).to_bytes(3, "little") * 2
    return bytes(content)


def jpeg_that_declares(width: int, height: int, **options: Any) -> bytes:
    content = bytearray(saved(scene(64, 64), format="JPEG", **options))
    marker = b"\xff\xc2" if options else b"\xff\xc0"
    struct.pack_into(">HH", content, content.index(marker) + 5, height, width)
    return bytes(content)


def gif_that_declares(width: int, height: int) -> bytes:
    content = bytearray(saved(scene(8, 8), format="GIF"))
    struct.pack_into("<HH", content, 6, width, height)
    return bytes(content)


def text_bomb() -> bytes:
    """A small picture with a compressed comment of 64 MB."""
    comment = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64_000_000), 9))
    return png(8, 8, bits=8, colour=0, content=zlib.compress(bytes(72)), extra=comment)


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + 64 * b"\xff" + content[middle + 64 :]


PICTURES: dict[str, Callable[[], bytes]] = {
    "photo.jpg": lambda: saved(scene(1600, 1200), format="JPEG"),
    "turned.jpg": turned,
    "cmyk.jpg": lambda: saved(scene(640, 480, "CMYK"), format="JPEG"),
    "broken-exif.jpg": lambda: saved(scene(640, 480), format="JPEG", exif=b"Exif\0\0no notes"),
    "panorama.jpg": lambda: saved(scene(12000, 300), format="JPEG"),
    "64-megapixels.jpg": lambda: saved(scene(8000, 8000), format="JPEG"),
    "36-megapixels.png": lambda: saved(scene(2, 2).resize((6000, 6000), 0), format="PNG", compress_level=1),
    "36-megapixels-transparent.png": lambda: saved(scene(6000, 6000, "RGBA"), format="PNG", compress_level=1),
    "36-megapixels-palette.png": lambda: saved(
        scene(2, 2).quantize(4).resize((6000, 6000)),
        format="PNG",
        compress_level=1,
        transparency=bytes([255, 255, 255, 254]),
    ),
    "48-megapixels-progressive.jpg": lambda: saved(scene(8064, 6048), format="JPEG", progressive=True),
    "24-megapixels.webp": lambda: saved(scene(6000, 4000), format="WEBP", lossless=True, method=0),
    "single-dot.png": lambda: saved(Image.new("RGB", (1, 1), CORNERS["red"]), format="PNG"),
    "thread.png": lambda: saved(scene(3, 5001), format="PNG"),
    "grey-16-bit.png": lambda: saved(Image.new("I;16", (400, 300), 128 * 256), format="PNG"),
    "transparent.png": lambda: saved(ring("RGBA"), format="PNG"),
    "transparent-palette.png": lambda: saved(ring("RGBA").quantize(16), format="PNG"),
    "checks-of-bits.png": lambda: saved(checks("1"), format="PNG"),
    "checks-of-palette.png": lambda: saved(checks("P"), format="PNG"),
    "noise.png": lambda: saved(noise(600, 400), format="PNG"),
    "transparent-noise.png": lambda: saved(noise(600, 400, "RGBA"), format="PNG"),
    "dithered.png": lambda: saved(scene(288, 288, "L").convert("1"), format="PNG"),
    "dots-of-noise.png": lambda: saved(
        noise(288, 288, "RGBA").point(lambda shade: 255 * (shade > 127)), format="PNG"
    ),
    "animated.gif": lambda: animated("GIF"),
    "animated.webp": lambda: animated("WEBP"),
    "picture-called.mp4": lambda: saved(scene(400, 300), format="PNG"),
    "still-called.mp4": lambda: saved(scene(64, 64), format="AVIF"),
    "empty.png": bytes,
    "page.png": lambda: b"<!doctype html><script>alert(1)</script>",
    "drawing.png": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "archive.png": zipped,
    "beginning-only.png": lambda: b"\x89PNG\r\n\x1a\n",
    "truncated.jpg": lambda: (content := saved(noise(400, 300), format="JPEG"))[: len(content) // 2],
    "truncated.png": lambda: (content := saved(noise(400, 300), format="PNG"))[: len(content) // 2],
    "truncated.webp": lambda: (content := saved(noise(400, 300), format="WEBP"))[: len(content) // 2],
    "damaged.png": lambda: damaged(saved(noise(400, 300), format="PNG")),
    "bomb-of-bits.png": lambda: png(16384, 16384, bits=1, colour=0, content=zlib.compress(bytes(2049 * 16384), 9)),
    "bomb-declared.png": lambda: png(
        60_000, 60_000, bits=16, colour=6, content=zlib.compress(bytes(10_000_000), 9)
    ),
    "bomb-of-text.png": text_bomb,
    "bomb-declared.webp": lambda: webp_that_declares(16383, 16383),
    "bomb-within-limits.webp": lambda: webp_that_declares(5990, 5990),
    "bomb-of-canvas.webp": lambda: webp_of_canvas(16384),
    "bomb-declared.gif": lambda: gif_that_declares(65535, 65535),
    "bomb-declared.jpg": lambda: jpeg_that_declares(65500, 65500),
    "bomb-progressive.jpg": lambda: jpeg_that_declares(20_000, 20_000, progressive=True),
}


def write_picture(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(PICTURES[name]())
    return path
