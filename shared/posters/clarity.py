"""Which of some pictures shows something."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageStat

FLAT = 6
"""A picture whose brightness deviates less than this, out of 255, shows nothing."""
_DETAIL = 0.7
_RISING = 0.95
"""A picture with less contrast than this part of what the next ones have is part of a fade."""
_NEXT = 3


def contrast(image: Image.Image) -> float:
    return ImageStat.Stat(image.convert("L")).stddev[0]


def clearest(contrasts: Sequence[float]) -> int:
    """The first picture with nearly as much contrast as any other, after which it rises no more."""
    most = max(contrasts)
    return next(
        place
        for place, one in enumerate(contrasts)
        if one >= _DETAIL * most and one >= _RISING * max(contrasts[place : place + 1 + _NEXT])
    )
