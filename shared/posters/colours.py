"""Converts colours to sRGB, in which posters and previews are shown."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from math import exp
from typing import NamedTuple

from PIL import Image, ImageCms, ImageFilter

PQ, HLG = 16, 18
"""Transfer characteristics of HDR video. These numbers are those of ITU-T H.273, as are the ones below."""
_BT2020, _DISPLAY_P3 = 9, 12
UNTOLD = 2
"""Stands where a file does not tell its primaries, transfer characteristics or matrix."""
_MATRICES = {
    _BT2020: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    _DISPLAY_P3: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0196, -0.0786, 1.0979)),
}
"""From linear light with these primaries to that of sRGB (ITU-R BT.2087, SMPTE EG 432-1)."""
_UNCHANGED = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_WHITE, _DIM_WHITE = 203, 100
"""Nits of the white of ordinary pictures in HDR video, and in ordinary video that was only stored as such:
https://www.itu.int/pub/R-REP-BT.2408"""
_BARELY_WHITER = 1.15
_STEPS = 33
"""Colours per axis of a table; those between are interpolated."""
_KNEE = 0.8
"""Linear brightness up to which HDR stays as it is. What is brighter is compressed into the rest below white."""
_ENTRIES = 4096


class Tags(NamedTuple):
    """How the colours of a picture are stored."""

    primaries: int = UNTOLD
    transfer: int = UNTOLD
    matrix: int = UNTOLD

    def or_else(self, others: Tags) -> Tags:
        """These, and the others where these are untold."""
        return Tags(*(other if own == UNTOLD else own for own, other in zip(self, others, strict=True)))


UNTAGGED = Tags()


def is_wide(primaries: int, transfer: int) -> bool:
    """Whether a picture with these tags needs a table: HDR, or more colours than sRGB has."""
    return transfer in {PQ, HLG} or primaries in _MATRICES


def brightest_of(image: Image.Image) -> float:
    """The brightest colour, as stored, between 0 and 1. Of few dots, so that noise does not count."""
    few = image.reduce(8)
    return max(max(few.getchannel(channel).tobytes()) for channel in "RGB") / 255


def white_of(brightest: float, transfer: int) -> int:
    """Nits of white in pictures whose brightest colour is this, as stored, between 0 and 1."""
    return _DIM_WHITE if _nits(brightest, transfer) <= _BARELY_WHITER * _DIM_WHITE else _WHITE


@cache
def table(primaries: int, transfer: int, white: int) -> ImageFilter.Color3DLUT:
    """The table from pictures with these tags, as RGB, to sRGB. HDR is mapped to the brightness of a screen."""
    matrix = _MATRICES.get(primaries, _UNCHANGED)
    is_hdr = transfer in {PQ, HLG}
    axis = [step / (_STEPS - 1) for step in range(_STEPS)]
    light = {step: _nits(step, transfer) / white if is_hdr else _linear(step) for step in axis}
    encoded = [_encoded(entry / _ENTRIES) for entry in range(_ENTRIES + 1)]

    def converted(*stored: float) -> tuple[float, ...]:
        colour = [light[part] for part in stored]
        mixed = [sum(a * b for a, b in zip(row, colour, strict=True)) for row in matrix]
        dimmed = _dimmed(max(mixed)) if is_hdr else 1.0
        return tuple(encoded[round(_ENTRIES * min(max(part * dimmed, 0.0), 1.0))] for part in mixed)

    return ImageFilter.Color3DLUT.generate(_STEPS, converted)


def _dimmed(brightest: float) -> float:
    """The factor that brings a colour below white. All three parts get the same, so that its hue stays."""
    if brightest <= _KNEE:
        return 1.0
    beyond = (brightest - _KNEE) / (1 - _KNEE)
    return (_KNEE + (1 - _KNEE) * beyond / (1 + beyond)) / brightest


def _nits(stored: float, transfer: int) -> float:
    """What a display makes of a stored value: ITU-R BT.2100, tables 4 and 5 (HLG for each colour by itself)."""
    if transfer == PQ:
        power = stored ** (1 / 78.84375)
        return float(
            10_000 * (max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
        )
    scene = stored**2 / 3 if stored <= 0.5 else (exp((stored - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return float(1000 * scene**1.2)


def _linear(stored: float) -> float:
    return stored / 12.92 if stored <= 0.04045 else float(((stored + 0.055) / 1.055) ** 2.4)


def _encoded(linear: float) -> float:
    return linear * 12.92 if linear <= 0.0031308 else float(1.055 * linear ** (1 / 2.4) - 0.055)


def to_srgb(image: Image.Image, profile: object, tags: Tags = UNTAGGED) -> Image.Image:
    """The picture with its colours converted from the ICC profile, or else by its tags. Keeps transparency.

    A profile that cannot be used is ignored, as browsers do.
    """
    if not isinstance(profile, bytes) or not profile:
        if not is_wide(tags.primaries, tags.transfer):
            return image
        white = white_of(brightest_of(image), tags.transfer)
        return image.filter(table(tags.primaries, tags.transfer, white))
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        return _transformed(image, source)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def _transformed(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    """Raises PyCMSError or ValueError where the profile is for another kind of picture."""
    alpha = image.getchannel("A") if "A" in image.getbands() else None
    colours = image.convert("L" if image.mode == "LA" else "RGB") if alpha else image
    changed = ImageCms.profileToProfile(
        colours,
        source,
        ImageCms.createProfile("sRGB"),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        "RGB",
    )
    if changed is None:
        raise ValueError("it was changed in place")
    if alpha:
        changed.putalpha(alpha)
    return changed
