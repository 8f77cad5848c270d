"""Makes small pictures of an image or a video.

Anyone can upload anything, and decoders have bugs. So each file is decoded in its own process (stills.py,
photos.py or clips.py; they alone, and what they import, use Pillow and PyAV), without credentials and with strict
limits on memory, time and output (confinement.py). Whatever the file holds, the caller gets pictures or
Unpicturable.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import IO

from shared import log
from shared.errors import DecoderFailed, DecoderUnfiltered
from shared.posters.file_formats import BYTES_NEEDED, MediaFormat, media_format
from shared.posters.unpicturable import Reason, Unpicturable

SIDE = 288
"""Width and height of posters and previews in pixels."""
LARGEST_POSTER = 12_000
LARGEST_PREVIEW = 150_000
LARGEST_VIEW = 600_000
"""Bytes. Sixty posters and everything else that a page of twenty jobs needs are less than a megabyte."""
WHOLE_UP_TO = 32 * 2**20
"""Bytes. A function's files are in its memory: https://cloud.google.com/run/docs/container-contract#filesystem"""
END_READ = 8 * 2**20
"""Bytes from the end of a video larger than WHOLE_UP_TO, where its index may be.

They are part of the WHOLE_UP_TO bytes that are there in all; the others are from its beginning.
"""
TIMEOUT = 30
"""Seconds that making the pictures may take: a quarter of the function's timeout."""

LARGEST_STORYBOARD = 60_000
LARGEST_SHARED = 199_000
_SIZE = struct.Struct(">HH")
"""Width and height, which come before a share picture."""
LARGEST = (LARGEST_POSTER, LARGEST_PREVIEW, LARGEST_VIEW, LARGEST_STORYBOARD, _SIZE.size + LARGEST_SHARED)
"""In the order of the decoder's descriptors and of `Posters.packed`."""
WIDEST_VIEW = 1600
WIDEST_SHARED = 1200
"""Pixels, of the longer side of a view and of a share picture."""
TILE_COLOUR = (15, 23, 42)
"""What shows through where a video is transparent: the page's own colour, which its tiles have."""

UNFILTERED_TOO = "unfiltered-too"
"""The decoder's argument that lets it run where the system has no filter: see shared/posters/seccomp.py."""
UNFILTERED = "[system calls are not filtered]"
"""What a decoder that runs all the same says first."""
OF_OUTPUT = "of-output"
"""The decoder's argument that asks for what only outputs get."""
FAILED = 1
"""Python's exit code after an exception that nothing has caught. confinement.py catches what a file raises."""
PLAYS_NOT_EVERYWHERE = 62
"""The exit code of a decoder that made pictures of a file that some browsers do not show."""
NO_FILTER = 63
"""The exit code of a decoder that does not run without a filter."""
OF_VIDEOS = "shared.posters.clips"
"""The program for which both ends of a large file suffice."""
_MOST_SAID = 1000
_REFUSED = 64
# The system kills a process when it runs out of memory.
_SIGNALS = {-signal.SIGXCPU: Reason.TOO_SLOW, -signal.SIGKILL: Reason.TOO_LARGE}
# The loader needs the last one if Python is a shared library.
_PASSED_ON = ("LANG", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class SharePicture:
    """A JPEG of a whole picture of a video, at most WIDEST_SHARED wide and high, and its size in pixels."""

    content: bytes
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Posters:
    """A WebP poster and, for a video, its first seconds as silent MP4 (H.264).

    A video of a single picture has no preview, unless it does not play everywhere. All but the poster are None too
    where nothing makes them small enough, or memory does not suffice.
    """

    poster: bytes
    preview: bytes | None = None
    view: bytes | None = None
    """WebP of a picture that browsers do not show, at most WIDEST_VIEW wide and high."""
    storyboard: bytes | None = None
    """WebP of a whole video's course: see shared/posters/storyboards.py."""
    share_picture: SharePicture | None = None
    """Of the moment that the poster shows."""
    plays_everywhere: bool = True
    """Whether all browsers show or play the original as what it is for."""

    def packed(self) -> tuple[bytes | None, ...]:
        """What the decoding process writes, in the order of LARGEST."""
        shared = self.share_picture
        sized = _SIZE.pack(*shared.size) + shared.content if shared else None
        return self.poster, self.preview, self.view, self.storyboard, sized

    @classmethod
    def unpacked(cls, packed: Sequence[bytes], *, plays_everywhere: bool) -> Posters:
        """The pictures from what the decoding process wrote. Raises Unpicturable if there is no poster."""
        poster, preview, view, storyboard, sized = packed
        if not poster:
            raise Unpicturable(Reason.CRASHED, "it ended well, but made nothing")
        shared = None
        if len(sized) > _SIZE.size:
            width, height = _SIZE.unpack_from(sized)
            shared = SharePicture(sized[_SIZE.size :], (width, height))
        return cls(poster, preview or None, view or None, storyboard or None, shared, plays_everywhere)


def make_posters(source: IO[bytes], *, is_for_video: bool, is_output: bool, unfiltered_too: bool) -> Posters:
    """Make pictures of an open file. Raises Unpicturable. Takes at most slightly more than TIMEOUT.

    A GIF is a picture, but with `is_for_video` it is a video. With `is_output`, a video also gets a storyboard
    and a share picture.

    Raises DecoderUnfiltered where the decoder's system calls cannot be filtered, unless `unfiltered_too`, and
    DecoderFailed if the decoder cannot even begin, or needs what it cannot import.

    Reads only both ends of a file larger than WHOLE_UP_TO; there may be a hole between them.

    Uses at most about 300 MiB besides the caller's own memory, so a small function can run one at a time.
    """
    source.seek(0)
    # Not read: Python would read ahead, and rewind when it closes the file, which the decoder has moved by then.
    kind = media_format(os.pread(source.fileno(), BYTES_NEEDED, 0))
    os.lseek(source.fileno(), 0, os.SEEK_SET)
    wishes = [OF_OUTPUT] * is_output + [UNFILTERED_TOO] * unfiltered_too
    with ExitStack() as open_files:
        outputs = [open_files.enter_context(tempfile.TemporaryFile()) for _ in LARGEST]
        program = program_for(kind, is_for_video=is_for_video)
        # Browsers show no picture as a video and no video as a picture.
        plays_everywhere = _run(program, [source, *outputs], wishes) and (program == OF_VIDEOS) == is_for_video
        packed = [_written(file, most) for file, most in zip(outputs, LARGEST, strict=True)]
        return Posters.unpacked(packed, plays_everywhere=plays_everywhere)


def program_for(kind: MediaFormat, *, is_for_video: bool) -> str:
    """The program that makes pictures of a file of this kind."""
    if kind.is_video or (kind is MediaFormat.GIF and is_for_video):
        return OF_VIDEOS
    return "shared.posters.photos" if kind.is_picture_for_ffmpeg else "shared.posters.stills"


def exit_code(reason: Reason) -> int:
    """The exit code with which the decoding process reports its reason."""
    return _REFUSED + list(Reason).index(reason)


def reason_of(code: int) -> Reason:
    """Why a decoding process ended with this non-zero exit code."""
    reasons = {exit_code(reason): reason for reason in Reason}
    return (_SIGNALS | reasons).get(code, Reason.CRASHED)


def _run(module: str, files: Sequence[IO[bytes]], wishes: Sequence[str]) -> bool:
    """Whether the original plays everywhere."""
    with tempfile.TemporaryFile() as said:
        descriptors = [file.fileno() for file in files]
        process = subprocess.Popen(  # noqa: S603 (no shell, and no outside input)
            [sys.executable, "-P", "-m", module, *map(str, descriptors), *wishes],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=_environment(),
            cwd="/",
            start_new_session=True,
            pass_fds=descriptors,
        )
        try:
            code = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Unpicturable(Reason.TOO_SLOW, f"ended after {TIMEOUT} s") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        words = said.read().decode(errors="replace")
        if code == NO_FILTER:
            log.error("decoder_unfiltered", module=module)
            raise DecoderUnfiltered("the decoder's system calls cannot be filtered")
        if words.startswith(UNFILTERED):
            log.warning("decoder_unfiltered", module=module)
        words = words.removeprefix(UNFILTERED)[-_MOST_SAID:].strip()
        if code == FAILED:
            raise DecoderFailed(words)
        if code not in {0, PLAYS_NOT_EVERYWHERE}:
            raise Unpicturable(reason_of(code), words)
        return code == 0


def _environment() -> dict[str, str]:
    """Only the variables needed to start: none of this process's settings or credentials."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**environment, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}


def _written(file: IO[bytes], most: int) -> bytes:
    """What the process wrote, read through our own descriptor, so it cannot point us at another file."""
    file.seek(0)
    content = file.read(most + 1)
    if len(content) > most:
        raise Unpicturable(Reason.CRASHED, f"it wrote more than {most} bytes")
    return content
