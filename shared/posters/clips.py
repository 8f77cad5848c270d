"""Makes the pictures of a video. Runs as its own process, see shared/posters/posters.py.

Decodes the beginning, one picture at a time, on one thread. Of the rest it reads only the index and, of a whole
file, a few places, so a file with only both ends present and a hole between them is enough.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import BinaryIO

import av
import av.subtitles.stream  # PyAV imports this when it opens a file, which a confined process cannot
from av.container import InputContainer
from av.video.frame import VideoFrame
from PIL import Image

from shared.posters import written
from shared.posters.clarity import FLAT, clearest, contrast
from shared.posters.confinement import confined
from shared.posters.ends import Ends
from shared.posters.file_formats import BYTES_NEEDED, media_format
from shared.posters.posters import OF_OUTPUT, Posters
from shared.posters.previews import preview
from shared.posters.squares import Square, Squares
from shared.posters.storyboards import PARTS, storyboard
from shared.posters.tracks import READING, decoder_of, plays_in_browsers, shown_track
from shared.posters.unpicturable import Reason, Unpicturable

SECONDS = 3
"""How much of a video its preview shows."""

_MOST_PACKETS = 3000
_FASTEST = 31
"""Pictures per second in a preview: slightly above the intended 30, because times are rounded."""
_MOST_BITS_SHARED = 4096 * 2304 * 12
"""Of a picture as decoded. To decode larger ones again could take too much memory for any pictures."""
_ENOUGH_TIME = 10
"""CPU seconds after which decoding stops and what there is must do."""
_LONG = 60
"""Seconds of a video that is not decoded whole for its course."""
_LATER = (0.1, 0.3, 0.6, 0.9)
"""Where to look for a poster if the beginning shows nothing, as fractions of the whole."""
_SAMPLES = 12
"""Pictures of the beginning that may become the poster."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A square picture and its time, in seconds since the first."""

    time: float
    picture: VideoFrame
    pts: int | None
    sought: float = 0
    """Seconds: the place from which decoding came to it."""

    @property
    def contrast(self) -> float:
        return contrast(self.image())

    def image(self) -> Image.Image:
        image: Image.Image = self.picture.to_image(threads=1)  # type: ignore[no-untyped-call]
        return image


class Video:
    """The pictures of an open video."""

    def __init__(self, container: InputContainer, *, is_whole: bool) -> None:
        self._container = container
        self._is_whole = is_whole
        self.track = shown_track(container)
        self._decoder = decoder_of(self.track)
        self._squares = Squares(self.track.sample_aspect_ratio)

    @property
    def seconds(self) -> float:
        """How long the video is; 0 if the file does not say."""
        return (self._container.duration or 0) / av.time_base

    def beginning(self) -> list[Shot]:
        """Pictures of the first SECONDS, at most _FASTEST a second."""
        squares = list(self._beginning())
        return [Shot(at, self._squares.finished(square), pts) for at, pts, square in squares]

    def _beginning(self) -> Iterator[tuple[float, int | None, Square]]:
        first, last, shown = None, 0.0, -1.0
        for frame in self._decoded():
            at = frame.time if frame.time is not None else last + 1 / 30
            first = at if first is None else first
            last = at
            if at - first >= SECONDS:
                return
            if at - first - shown >= 1 / _FASTEST:
                shown = at - first
                yield shown, frame.pts, self._squares.of(frame)

    def course(self, count: int) -> list[Shot]:
        """Pictures at even distances over the whole video; fewer if they take too long or the file is not whole.

        Of a long video, they are the key pictures before those places.
        """
        times = [self.seconds * (place + 0.5) / count for place in range(count)]
        shots: list[Shot] = []
        if not self._is_whole or not self.seconds:
            return shots
        if self.seconds <= _LONG:
            self._go_to(0)
            for frame in self._decoded():
                while len(shots) < count and self._since_start(frame) >= times[len(shots)]:
                    shots.append(self._shot(times[len(shots)], frame))
            return shots
        for at in times:
            self._go_to(at)
            shots += [self._shot(at, frame) for frame in islice(self._decoded(), 1)]
        return shots

    def at(self, seconds: float) -> Shot | None:
        """The picture at that time, as far as the file is seekable."""
        try:
            self._go_to(seconds)
        except av.error.FFmpegError:
            return None
        last = None
        for frame in self._decoded():  # from the key picture before it
            last = frame
            if self._since_start(frame) >= seconds:
                break
        return None if last is None else self._shot(seconds, last)

    def whole(self, shot: Shot) -> Image.Image | None:
        """All of the picture whose middle is the shot. None if it is large, takes too long, or cannot be sought.

        It is decoded again, because to keep all of each picture would take too much memory.
        """
        form = self._decoder.format
        bits = form.padded_bits_per_pixel if form else 0
        if self.track.width * self.track.height * bits > _MOST_BITS_SHARED:
            return None
        try:
            self._go_to(shot.sought)
        except av.error.FFmpegError:
            return None
        again = next((frame for frame in self._decoded() if frame.pts == shot.pts), None)
        return None if again is None else self._squares.whole(again)

    def _go_to(self, seconds: float) -> None:
        self._container.seek((self._container.start_time or 0) + int(seconds * av.time_base))
        self._decoder.flush_buffers()

    def _since_start(self, frame: VideoFrame) -> float:
        """Seconds; a picture without a time is taken for the one that is looked for."""
        start = (self._container.start_time or 0) / av.time_base
        return float("inf") if frame.time is None else frame.time - start

    def _shot(self, seconds: float, frame: VideoFrame) -> Shot:
        pts = frame.pts
        return Shot(seconds, self._squares.finished(self._squares.of(frame)), pts, sought=seconds)

    def _decoded(self) -> Iterator[VideoFrame]:
        for packet in islice(self._container.demux(self.track), _MOST_PACKETS):
            if time.process_time() > _ENOUGH_TIME:
                return
            if packet.is_corrupt and not self._is_whole:
                return  # its end was not read
            try:
                yield from self._decoder.decode(packet)
            except av.error.MemoryError:
                raise
            except av.error.FFmpegError:  # the next picture may be intact
                continue


def make(source: BinaryIO, *, is_output: bool = False) -> Posters:
    beginning = source.read(BYTES_NEEDED)
    kind = media_format(beginning)
    file = Ends(source)
    with av.open(file, "r", format=kind.value, options=READING) as container:
        video = Video(container, is_whole=file.is_whole)
        shots = video.beginning()
        if not shots:
            raise Unpicturable(Reason.NO_PICTURE)
        poster = _poster(shots, video if file.is_whole else None)
        whole = video.whole(poster) if is_output else None
        course = _course(video) if is_output else None
        plays = plays_in_browsers(kind, beginning, video.track)
    return Posters(
        written.poster(poster.image()),
        preview([(shot.time, shot.picture) for shot in shots]) if len(shots) > 1 else None,
        storyboard=course,
        share_picture=written.share_picture(whole) if whole else None,
        plays_everywhere=plays,
    )


def _course(video: Video) -> bytes | None:
    """The storyboard. Without one of its pictures there is none: a tile has the poster and the preview too."""
    try:
        shots = video.course(PARTS)
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:  # the file is not seekable
        return None
    return storyboard([shot.image() for shot in shots]) if len(shots) == PARTS else None


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
