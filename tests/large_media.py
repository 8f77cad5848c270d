"""Ordinary files that are large: what cameras and phones make, with the scene of the hostile ones."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.hostile_pictures import saved, scene
from tests.hostile_videos import boxed, packets, video


def full(kind: bytes, content: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box that begins with a version and flags."""
    return boxed(kind, struct.pack(">I", version << 24 | flags) + content)


Coder = Callable[[Image.Image, str], tuple[bytes, bytes]]
_UNTOLD = b"nclx\0\2\0\2\0\2\0"


def heic(
    picture: Image.Image,
    side: int,
    turns: int = 0,
    *,
    colour: bytes = _UNTOLD,
    tags: str = "",
    coder: Coder | None = None,
) -> bytes:
    """A HEIF picture as phones make it: a grid of tiles, coded as HEVC, and a property that turns it upright.

    Of its colours, `colour` tells as a property of the grid, and `tags` in each tile; they are parameters of x265.
    Without a `coder`, `tile` codes the tiles.
    """
    columns, rows = -(-picture.width // side), -(-picture.height // side)
    boxes = [(x * side, y * side, (x + 1) * side, (y + 1) * side) for y in range(rows) for x in range(columns)]
    coded = [(coder or tile)(picture.crop(box), tags) for box in boxes]
    count, grid = len(coded), len(coded) + 1
    layout = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, picture.width, picture.height)
    names = [full(b"infe", struct.pack(">HH4sx", item, 0, b"hvc1"), 2) for item in range(1, grid)]
    names.append(full(b"infe", struct.pack(">HH4sx", grid, 0, b"grid"), 2))
    properties = [
        boxed(b"hvcC", coded[0][0]),
        full(b"ispe", struct.pack(">II", side, side)),
        full(b"ispe", struct.pack(">II", *picture.size)),
        boxed(b"irot", bytes([turns])),
        boxed(b"colr", colour),
    ]
    used = b"".join(struct.pack(">HBBB", item, 2, 0x81, 2) for item in range(1, grid))
    used += struct.pack(">HBBBB", grid, 3, 3, 0x84, 5)

    def index(start: int) -> bytes:
        places, at = b"", start
        for _, content in coded:
            places += struct.pack(">HHHHII", len(places) // 16 + 1, 0, 0, 1, at, len(content))
            at += len(content)
        places += struct.pack(">HHHHII", grid, 1, 0, 1, 0, len(layout))
        return full(
            b"meta",
            full(b"hdlr", struct.pack(">I4s13x", 0, b"pict"))
            + full(b"pitm", struct.pack(">H", grid))
            + full(b"iloc", struct.pack(">BBH", 0x44, 0, grid) + places, 1)
            + full(b"iinf", struct.pack(">H", grid) + b"".join(names))
            + full(b"iref", boxed(b"dimg", struct.pack(f">HH{count}H", grid, count, *range(1, grid))))
            + boxed(b"iprp", boxed(b"ipco", b"".join(properties)) + full(b"ipma", struct.pack(">I", grid) + used))
            + boxed(b"idat", layout),
        )

    kind = boxed(b"ftyp", b"heic\0\0\0\0mif1heic")
    start = len(kind) + len(index(0)) + 8
    return kind + index(start) + boxed(b"mdat", b"".join(content for _, content in coded))


def tile(picture: Image.Image, tags: str) -> tuple[bytes, bytes]:
    """A picture as HEVC: the decoder's configuration, and the content."""
    # Without B pictures: with them, x265 leaves the time of a single picture undefined.
    parameters = f"log-level=none:bframes=0:frame-threads=1:{tags}"
    options = {"preset": "ultrafast", "crf": "20", "x265-params": parameters}
    stream, (packet,) = packets([picture], codec="libx265", rate=1, **options)
    return bytes(stream.codec_context.extradata), bytes(packet)


def grained(width: int, height: int) -> Image.Image:
    """A scene with the noise of a sensor, so that it has the size of a photo."""
    grain = Image.effect_noise((width // 4, height // 4), 24).resize((width, height))
    return Image.blend(scene(width, height), Image.merge("RGB", (grain,) * 3), 0.05)


LARGE: dict[str, Callable[[], bytes]] = {
    "24-megapixels.webp": lambda: saved(grained(6000, 4000), format="WEBP", quality=80, method=0),
    "24-megapixels-lossless.webp": lambda: saved(scene(6000, 4000), format="WEBP", lossless=True, method=0),
    "24-megapixels-transparent.webp": lambda: saved(
        grained(6000, 4000).convert("RGBA"), format="WEBP", quality=80, method=0, exact=True
    ),
    "48-megapixels-progressive.jpg": lambda: saved(grained(8064, 6048), format="JPEG", progressive=True),
    "24-megapixels.avif": lambda: saved(grained(5712, 4284), format="AVIF", speed=10),
    "48-megapixels.avif": lambda: saved(grained(8064, 6048), format="AVIF", speed=10),
    "12-megapixels.heic": lambda: heic(grained(4032, 3024), 512),
    "48-megapixels.heic": lambda: heic(grained(8064, 6048), 512),
    "5.3k.mp4": lambda: video([grained(5312, 2988)] * 10, codec="libx265", dots="yuv420p10le"),
    "5.3k-h264.mp4": lambda: video([grained(5312, 2988)] * 10),
    "8k.mp4": lambda: video([grained(7680, 4320)] * 2, codec="libx265"),
    "5.3k-by-4.6k.mp4": lambda: video([grained(5312, 4648)] * 2, codec="libx265", dots="yuv420p10le"),
}


def write_large(name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(LARGE[name]())
    return path
