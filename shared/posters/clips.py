"""Makes the pictures of a video. Runs as its own process, see shared/posters/posters.py.

Decodes the beginning, one picture at a time, on one thread. Of the rest it reads only the index and, of a whole
file, a few places, so a file with only both ends present and a hole between them is enough.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from PIL import Image

from shared.posters import written
from shared.posters.clarity import FLAT, clearest
from shared.posters.confinement import confined
from shared.posters.ends import Ends
from shared.posters.file_formats import BYTES_NEEDED, media_format
from shared.posters.posters import OF_OUTPUT, Posters
from shared.posters.previews import preview
from shared.posters.storyboards import PARTS, storyboard
from shared.posters.tracks import opened, plays_in_browsers
from shared.posters.unpicturable import Reason, Unpicturable
from shared.posters.videos import UNREADABLE, Shot, Video

_LATER = (0.1, 0.3, 0.6, 0.9)
"""Where to look for a poster if the beginning shows nothing, as fractions of the whole."""
_SAMPLES = 12
"""Pictures of the beginning that may become the poster."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was decoded."""

    shots: list[Shot]
    end: float
    """Seconds: when the last of the shots ends."""
    poster: Shot
    whole: Image.Image | None
    course: list[Shot]
    plays: bool


def make(source: BinaryIO, *, is_output: bool = False) -> Posters:
    """If all pictures take too much memory, key pictures must do: the others need several that are kept."""
    seen: _Seen | None = None
    with suppress(MemoryError):  # which holds the memory as long as it is known
        seen = _seen(source, is_output=is_output)
    if seen is None:
        source.seek(0)
        seen = _seen(source, is_output=is_output, only_key_pictures=True)
    shots, course, whole = seen.shots, seen.course, seen.whole
    made = written.optional
    return Posters(
        written.poster(seen.poster.image()),
        # Where browsers do not play the video, even a single picture is played instead.
        made(lambda: preview(shots, seen.end)) if len(shots) > 1 or not seen.plays else None,
        storyboard=made(lambda: storyboard([shot.image() for shot in course])) if len(course) == PARTS else None,
        share_picture=made(lambda: written.share_picture(whole)) if whole else None,
        plays_everywhere=seen.plays,
    )


def _seen(source: BinaryIO, *, is_output: bool, only_key_pictures: bool = False) -> _Seen:
    """Decodes. What that takes of memory is free again when it returns."""
    beginning = source.read(BYTES_NEEDED)
    kind = media_format(beginning)
    file = Ends(source)
    with opened(file, kind) as container:
        video = Video(container, is_whole=file.is_whole, only_key_pictures=only_key_pictures)
        shots, end = video.beginning()
        if not shots:
            raise Unpicturable(Reason.NO_PICTURE)
        poster = _poster(shots, video if file.is_whole else None)
        whole = _whole(video, poster) if is_output else None
        course = _course(video) if is_output else []
        return _Seen(shots, end, poster, whole, course, plays_in_browsers(kind, beginning, video.track))


def _whole(video: Video, poster: Shot) -> Image.Image | None:
    """The picture for chats. Without it, they show the branded one."""
    try:
        return video.whole(poster)
    except MemoryError:
        return None


def _course(video: Video) -> list[Shot]:
    """The pictures of the storyboard. Without one of them there is none: a tile has its poster and preview too."""
    try:
        return video.course(PARTS)
    except (MemoryError, *UNREADABLE):
        return []


def _poster(shots: list[Shot], video: Video | None) -> Shot:
    """The first shot that shows something and is not part of a fade; some videos begin with black.

    Without a video, later places are not searched.
    """
    samples = shots[:: max(1, len(shots) // _SAMPLES)]
    contrasts = [shot.contrast for shot in samples]
    place = clearest(contrasts)
    is_fading = 0 < place == len(samples) - 1
    if video and (is_fading or contrasts[place] < FLAT):
        later = _later(video)
        samples = [samples[place], *later]
        contrasts = [shot.contrast for shot in samples]
        place = contrasts.index(max(contrasts))
    return samples[place]


def _later(video: Video) -> Iterator[Shot]:
    """Pictures from a few places further on, until one shows something."""
    for part in _LATER:
        shot = video.at(part * video.seconds)
        if shot is None:
            return
        yield shot
        if shot.contrast >= FLAT:
            return


if __name__ == "__main__":
    confined(partial(make, is_output=OF_OUTPUT in sys.argv))
