"""A colour profile for inks, made for tests: it takes yellow for cyan and cyan for yellow.

https://www.color.org/specification/ICC.1-2001-04.pdf
"""

from __future__ import annotations

import struct
from itertools import product

_WHITE = (0.9642, 1.0, 0.8249)
_TO_XYZ = ((0.4361, 0.3851, 0.1431), (0.2225, 0.7169, 0.0606), (0.0139, 0.0971, 0.7141))
"""From linear sRGB, adapted to the profile's white."""


def swapped_inks() -> bytes:
    """A table of Lab colours for each combination of full inks, which a decoder interpolates."""
    colours = b"".join(_lab(*inks) for inks in product((0, 1), repeat=4))
    identity = struct.pack(">9i", *(65536 if number % 4 == 0 else 0 for number in range(9)))
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + 4 * ramp + colours + 3 * ramp
    tags = struct.pack(">I4sII", 1, b"A2B0", 144, len(table))
    white = struct.pack(">3i", *(round(65536 * part) for part in _WHITE))
    head = struct.pack(
        ">I4sI4s4s4s12s4s", 144 + len(table), b"test", 0x02400000, b"prtr", b"CMYK", b"Lab ", b"", b"acsp"
    )
    return head.ljust(68, b"\0") + white + bytes(48) + tags + table


def _lab(cyan: int, magenta: int, yellow: int, black: int) -> bytes:
    light = [(1 - ink) * (1 - black) for ink in (yellow, magenta, cyan)]
    xyz = [sum(a * b for a, b in zip(row, light, strict=True)) for row in _TO_XYZ]
    x, y, z = (_cube_root(part / white) for part, white in zip(xyz, _WHITE, strict=True))
    lab = (116 * y - 16) * 2.55, 500 * (x - y) + 128, 200 * (y - z) + 128
    return bytes(round(min(max(part, 0), 255)) for part in lab)


def _cube_root(part: float) -> float:
    return float(part ** (1 / 3)) if part > 0.008856 else 7.787 * part + 16 / 116
