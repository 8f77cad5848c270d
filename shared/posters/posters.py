"""Makes the small pictures that stand for a picture or a video.

Anyone can upload anything, and decoders have bugs. So each file is decoded by a process of its own (stills.py or
clips.py, which alone import Pillow and PyAV) that has no credentials and strict limits on memory, time and output
(confinement.py). Whatever the file holds, the caller gets pictures or Unpicturable.
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
from shared.posters.file_formats import BYTES_NEEDED, media_format
from shared.posters.unpicturable import Reason, Unpicturable

SIDE = 288
"""Width and height of posters and previews in pixels."""
LARGEST_POSTER = 12_000
LARGEST_PREVIEW = 150_000
"""Bytes. Sixty posters, with all else that a page of twenty jobs needs, are less than a megabyte."""
WHOLE_UP_TO = 32 * 2**20
"""Bytes. A function's files lie in its memory: https://cloud.google.com/run/docs/container-contract#filesystem"""
TIMEOUT = 30
"""Seconds that making them may take: a quarter of what the function has."""

UNFILTERED = "[system calls are not filtered]"
"""What a decoder says of itself where the system has no filter: see shared/posters/seccomp.py."""
_MOST_SAID = 1000
_REFUSED = 64
# The system kills a process that it has no memory for.
_SIGNALS = {-signal.SIGXCPU: Reason.TOO_SLOW, -signal.SIGKILL: Reason.TOO_LARGE}
# The loader needs the last one where Python is a shared library.
_PASSED_ON = ("LANG", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Posters:
    """WebP, and for a video its first seconds as MP4 (H.264) without sound.

    A video of a single picture has no preview.
    """

    poster: bytes
    preview: bytes | None = None


def make_posters(source: IO[bytes]) -> Posters:
    """Look at an open file, whatever it holds. Raises Unpicturable, within TIMEOUT and a little.

    Of a file that is larger than WHOLE_UP_TO only both ends are looked at; there may be a hole between them.

    Takes at most some 300 MiB beside the caller's own, so one at a time is what a small function can do.
    """
    source.seek(0)
    kind = media_format(source.read(BYTES_NEEDED))
    os.lseek(source.fileno(), 0, os.SEEK_SET)  # not where Python has read ahead to
    module = "shared.posters.clips" if kind.is_video else "shared.posters.stills"
    with tempfile.TemporaryFile() as poster, tempfile.TemporaryFile() as preview:
        _run(module, source, poster, preview)
        made = _written(poster, LARGEST_POSTER)
        if not made:
            raise Unpicturable(Reason.CRASHED, "it ended well, but made nothing")
        return Posters(made, _written(preview, LARGEST_PREVIEW) or None)


def exit_code(reason: Reason) -> int:
    """How the decoding process tells its reason."""
    return _REFUSED + list(Reason).index(reason)


def reason_of(code: int) -> Reason:
    """Why a decoding process ended with this exit code, which is not 0."""
    reasons = {exit_code(reason): reason for reason in Reason}
    return (_SIGNALS | reasons).get(code, Reason.CRASHED)


def _run(module: str, *files: IO[bytes]) -> None:
    with tempfile.TemporaryFile() as said:
        descriptors = [file.fileno() for file in files]
        process = subprocess.Popen(  # noqa: S603 (no shell, and nothing that came from outside)
            [sys.executable, "-P", "-m", module, *map(str, descriptors)],
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
        if UNFILTERED in words:
            log.warning("decoder_unfiltered", module=module)
        if code:
            raise Unpicturable(reason_of(code), words.replace(UNFILTERED, "")[-_MOST_SAID:].strip())


def _environment() -> dict[str, str]:
    """No more than starting takes: none of the settings and credentials of this process."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**environment, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}


def _written(file: IO[bytes], most: int) -> bytes:
    """What the process has written, by our own descriptor: of no other file, whatever it has done."""
    file.seek(0)
    content = file.read(most + 1)
    if len(content) > most:
        raise Unpicturable(Reason.CRASHED, f"it wrote more than {most} bytes")
    return content
