"""Decodes the pictures of a video that are looked at, one at a time, on one thread."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from PIL import Image

from shared.posters.clarity import contrast
from shared.posters.posters import WHOLE_UP_TO
from shared.posters.side_data import tags_by
from shared.posters.squares import Square, Squares
from shared.posters.tracks import decoder_of, shown_track

SECONDS = 3
"""How much of a video its preview shows."""

_MOST_PACKETS = 3000
_MOST_COUNTED = 200_000
"""Packets that are read, without being decoded, to find out how long a video is: two hours at 25 a second."""
_FASTEST = 31
"""Pictures per second in a preview: slightly above the intended 30, because times are rounded."""
_ENOUGH_TIME = 10
"""CPU seconds after which decoding stops and what there is must do."""
_LONG, _MANY_DOTS = 60, 1_500_000_000
"""Seconds, and pixels of all pictures, from which decoding a video whole for its course would take too long."""
UNREADABLE = (av.error.FFmpegError, OSError, OverflowError)
"""What the demuxer raises at damage, or where the file is not seekable. OSError is the file's own, where a damaged
index names an impossible place; OverflowError is PyAV's, at an impossible time."""


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
    """The pictures of an open video, or with `only_key_pictures` those that need no others to be decoded."""

    def __init__(self, container: InputContainer, *, is_whole: bool, only_key_pictures: bool) -> None:
        self._container = container
        self._is_whole = is_whole
        self.track = shown_track(container)
        self._decoder = decoder_of(self.track, only_key_pictures=only_key_pictures)
        self._cut_off_too = False
        """Whether what an edit list cuts off at the beginning counts too."""
        self._squares = Squares(self.track.sample_aspect_ratio, tags_by(self.track.codec_context))

    @cached_property
    def seconds(self) -> float:
        """How long the video is; 0 if neither the file nor the times of its pictures tell.

        Browsers record WebM that does not say it. To ask then reads on to its end.
        """
        if self._container.duration or not self._is_whole:
            return (self._container.duration or 0) / av.time_base
        with suppress(*UNREADABLE):  # of a short one, nothing may be left to read
            self._go_to(0)
        return max(map(self._end, islice(self._packets(), _MOST_COUNTED)), default=0)

    def _end(self, packet: Packet[Any] | None) -> float:
        """When the picture of a packet ends, in seconds since the start; 0 if nothing tells."""
        if packet is None or packet.pts is None or packet.time_base is None:
            return 0
        start = (self._container.start_time or 0) / av.time_base
        return float((packet.pts + (packet.duration or 0)) * packet.time_base) - start

    def beginning(self) -> tuple[list[Shot], float]:
        """Pictures of the first SECONDS, at most _FASTEST a second, and when the last of them ends, in seconds.

        If an edit list leaves no key picture, and no others are wanted, the one before its beginning must do.
        """
        shots, end = self._beginning()
        if not shots and self._decoder.skip_frame == "NONKEY":
            self._cut_off_too = True
            with suppress(*UNREADABLE):
                self._go_to(0)
                return self._beginning()
        return shots, end

    def _beginning(self) -> tuple[list[Shot], float]:
        squares: list[tuple[float, int | None, Square]] = []
        first, last, shown, end = None, 0.0, -1.0, 0.0
        for frame in self._decoded():
            told = self._time(frame)
            last = last + 1 / 30 if told is None else told
            first = last if first is None else first
            at = last - first
            end = at + float((frame.duration or 0) * (frame.time_base or 0))
            if at < SECONDS and at - shown >= 1 / _FASTEST:
                shown = at
                squares.append((at, frame.pts, self._squares.of(frame)))
            del frame  # its memory may be needed for the next
            if at >= SECONDS:
                break
        return [Shot(at, self._squares.finished(square), pts) for at, pts, square in squares], min(end, SECONDS)

    def _time(self, frame: VideoFrame) -> float | None:
        """Seconds. AVI tells only when to decode: of pictures coded out of order, FFmpeg mixes up the times."""
        if self._container.format.name != "avi" or frame.dts is None or frame.time_base is None:
            return frame.time
        return float(frame.dts * frame.time_base)

    def course(self, count: int) -> list[Shot]:
        """Pictures at even distances over the whole video; fewer if they take too long or the file is not whole.

        Of a long video, they are the key pictures before those places. Where the sound goes on after the last
        picture, players go on showing that; so does this, if it comes in the second half.
        """
        times = [self.seconds * (place + 0.5) / count for place in range(count)]
        shots: list[Shot] = []
        if not self._is_whole or not self.seconds:
            return shots
        if self._is_short():
            self._go_to(0)
            reached, last = 0, None
            for frame in self._decoded():
                since = self._since_start(frame)
                due = bisect_left(times, since) - len(shots)
                if last and due > 0:  # a picture is shown until the next one comes
                    shots += [self._shot(times[len(shots)], last)] * due
                reached, last = bisect_right(times, since), frame
                del frame
            left = count - len(shots)
            if last and left and 2 * reached >= count and time.process_time() <= _ENOUGH_TIME:
                shots += [self._shot(times[-left], last)] * left
            return shots
        for at in times:
            self._go_to(at)
            shots += [self._shot(at, frame) for frame in islice(self._decoded(), 1)]
        return shots

    def _is_short(self) -> bool:
        pictures = self.seconds * float(self.track.average_rate or 30)
        dots = pictures * self.track.width * self.track.height
        return self.seconds <= _LONG and pictures < _MOST_PACKETS and dots < _MANY_DOTS

    def at(self, seconds: float) -> Shot | None:
        """The picture at that time, as far as the file is seekable."""
        try:
            self._go_to(seconds)
        except UNREADABLE:
            return None
        last = None
        for frame in self._decoded():  # from the key picture before it
            last = frame
            if self._since_start(frame) >= seconds:
                break
        return None if last is None else self._shot(seconds, last)

    def whole(self, shot: Shot) -> Image.Image | None:
        """All of the picture whose middle is the shot. None if it takes too long, or cannot be sought.

        It is decoded again, because to keep all of each picture would take too much memory.
        """
        try:
            self._go_to(shot.sought)
        except UNREADABLE:
            return None
        again = next((frame for frame in self._decoded() if frame.pts == shot.pts), None)
        return None if again is None else self._squares.whole(again)

    def _go_to(self, seconds: float) -> None:
        self._container.seek((self._container.start_time or 0) + int(seconds * av.time_base))
        self._decoder.flush_buffers()

    def _since_start(self, frame: VideoFrame) -> float:
        """Seconds; a picture without a time is taken for the one that is looked for.

        Unlike `_time`, not mended for AVI: a picture coded out of order may be taken for one some places away.
        """
        start = (self._container.start_time or 0) / av.time_base
        return float("inf") if frame.time is None else frame.time - start

    def _shot(self, seconds: float, frame: VideoFrame) -> Shot:
        pts = frame.pts
        return Shot(seconds, self._squares.finished(self._squares.of(frame)), pts, sought=seconds)

    def _decoded(self) -> Iterator[VideoFrame]:
        for packet in islice(self._packets(), _MOST_PACKETS):
            if time.process_time() > _ENOUGH_TIME:
                return
            if packet is not None and packet.is_corrupt and not self._is_whole:
                return  # its end was not read
            try:
                yield from self._decoder.decode(self._kept(packet))
            except av.error.MemoryError:
                raise
            except av.error.FFmpegError:  # the next picture may be intact
                continue

    def _kept(self, packet: Packet[Any] | None) -> Packet[Any] | None:
        """The packet, if it is wanted without its mark as one that comes before an edit list's beginning."""
        if packet is None or not packet.is_discard or not self._cut_off_too:
            return packet
        copy = Packet(bytes(packet))
        copy.pts, copy.dts = packet.pts, packet.dts
        copy.duration, copy.time_base = packet.duration, packet.time_base
        copy.is_keyframe = packet.is_keyframe
        return copy

    def _packets(self) -> Iterator[Packet[Any] | None]:
        """The packets up to damage that the demuxer cannot pass; then None, for the decoder's last pictures.

        At an absurd size or count, the demuxer raises MemoryError too. That is damage if as much memory is free as
        is read of any file. Otherwise raises MemoryError, unless only key pictures are wanted anyway.
        """
        try:
            yield from self._container.demux(self.track)
        except UNREADABLE as error:
            if isinstance(error, MemoryError) and self._decoder.skip_frame != "NONKEY":
                bytearray(WHOLE_UP_TO)
            yield None
