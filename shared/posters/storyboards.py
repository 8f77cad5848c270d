"""Shows the course of a video in one picture, which a tile shows part by part as the pointer moves along it."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from shared.posters import written

SIDE_OF_PART = 144
"""Pixels: as wide and high as a tile."""
COLUMNS = 4
PARTS = COLUMNS * COLUMNS


def storyboard(pictures: Sequence[Image.Image]) -> bytes:
    """WebP of PARTS pictures, row by row."""
    sheet = Image.new("RGB", (COLUMNS * SIDE_OF_PART, COLUMNS * SIDE_OF_PART))
    for place, picture in enumerate(pictures):
        row, column = divmod(place, COLUMNS)
        small = picture.resize((SIDE_OF_PART, SIDE_OF_PART), Image.Resampling.LANCZOS)
        sheet.paste(small, (column * SIDE_OF_PART, row * SIDE_OF_PART))
    return written.storyboard(sheet)
