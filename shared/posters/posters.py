"""Makes small pictures of an image or a video.

Anyone can upload anything, and decoders have bugs. So each file is decoded in its own process (stills.py or
clips.py, the only modules that import Pillow and PyAV), without credentials and with strict limits on memory,
time and output (confinement.py). Whatever the file holds, the caller gets pictures or Unpicturable.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from shared import log
from shared.errors import DecoderUnfiltered
from shared.posters.file_formats import BYTES_NEEDED, media_format
from shared.posters.unpicturable import Reason, Unpicturable

SIDE = 288
"""Width and height of posters and previews in pixels."""
LARGEST_POSTER = 12_000
LARGEST_PREVIEW = 150_000
"""Bytes. Sixty posters and everything else that a page of twenty jobs needs are less than a megabyte."""
WHOLE_UP_TO = 32 * 2**20
"""Bytes. A function's files are in its memory: https://cloud.google.com/run/docs/container-contract#filesystem"""
TIMEOUT = 30
"""Seconds that making the pictures may take: a quarter of the function's timeout."""

UNFILTERED_TOO = "unfiltered-too"
"""The decoder's argument that lets it run where the system has no filter: see shared/posters/seccomp.py."""
UNFILTERED = "[system calls are not filtered]"
"""What a decoder that runs all the same says first."""
NO_FILTER = 63
"""The exit code of a decoder that does not."""
_MOST_SAID = 1000
_REFUSED = 64
# The system kills a process when it runs out of memory.
_SIGNALS = {-signal.SIGXCPU: Reason.TOO_SLOW, -signal.SIGKILL: Reason.TOO_LARGE}
# The loader needs the last one if Python is a shared library.
_PASSED_ON = ("LANG", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Posters:
    """A WebP poster and, for a video, its first seconds as silent MP4 (H.264).

    A video of a single picture has no preview.
    """

    poster: bytes
    preview: bytes | None = None


def make_posters(source: IO[bytes], *, unfiltered_too: bool = False) -> Posters:
    """Make pictures of an open file. Raises Unpicturable. Takes at most slightly more than TIMEOUT.

    Raises DecoderUnfiltered where the decoder's system calls cannot be filtered, unless `unfiltered_too`.

    Reads only both ends of a file larger than WHOLE_UP_TO; there may be a hole between them.

    Uses at most about 300 MiB besides the caller's own memory, so a small function can run one at a time.
    """
    source.seek(0)
    kind = media_format(source.read(BYTES_NEEDED))
    os.lseek(source.fileno(), 0, os.SEEK_SET)  # Python has read ahead of this position
    module = "shared.posters.clips" if kind.is_video else "shared.posters.stills"
    with tempfile.TemporaryFile() as poster, tempfile.TemporaryFile() as preview:
        _run(module, source, poster, preview, unfiltered_too=unfiltered_too)
        made = _written(poster, LARGEST_POSTER)
        if not made:
            raise Unpicturable(Reason.CRASHED, "it ended well, but made nothing")
        return Posters(made, _written(preview, LARGEST_PREVIEW) or None)


def exit_code(reason: Reason) -> int:
    """The exit code with which the decoding process reports its reason."""
    return _REFUSED + list(Reason).index(reason)


def reason_of(code: int) -> Reason:
    """Why a decoding process ended with this non-zero exit code."""
    reasons = {exit_code(reason): reason for reason in Reason}
    return (_SIGNALS | reasons).get(code, Reason.CRASHED)


def _run(module: str, *files: IO[bytes], unfiltered_too: bool) -> None:
    with tempfile.TemporaryFile() as said:
        descriptors = [file.fileno() for file in files]
        process = subprocess.Popen(  # noqa: S603 (no shell, and no outside input)
            [sys.executable, "-P", "-m", module, *map(str, descriptors), *([UNFILTERED_TOO] * unfiltered_too)],
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
        if code:
            raise Unpicturable(reason_of(code), words.removeprefix(UNFILTERED)[-_MOST_SAID:].strip())


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
