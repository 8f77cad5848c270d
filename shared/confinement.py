"""What a process that decodes an unknown file may use, and how it says that it could not."""

from __future__ import annotations

import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NoReturn

from shared.errors import Reason, Unpicturable
from shared.job import POSTER_NAME, PREVIEW_NAME
from shared.posters import LARGEST_PREVIEW, Posters, exit_code

MEMORY = 256 * 2**20
"""Bytes beyond the libraries and the interpreter."""
CPU_SECONDS = 25


def confined(make: Callable[[BinaryIO], Posters]) -> None:
    """Call `make` with the file that this program's first argument names, within limits that cannot be raised
    again; write what it makes into the folder that the second names; then exit.

    The files are opened before: then nothing can be, neither another file nor a connection. So whoever gets a
    decoder to run code of theirs reaches nothing, not even the metadata server with the account's tokens.
    """
    source, folder = (Path(argument) for argument in sys.argv[1:])
    with (
        source.open("rb") as file,
        (folder / POSTER_NAME).open("wb") as poster,
        (folder / PREVIEW_NAME).open("wb") as preview,
    ):
        _limit()
        made = _made(make, file)
        poster.write(made.poster)
        preview.write(made.preview or b"")


def _made(make: Callable[[BinaryIO], Posters], file: BinaryIO) -> Posters:
    try:
        return make(file)
    except Unpicturable as error:
        _refuse(error.reason, error.detail)
    except MemoryError:
        _refuse(Reason.TOO_LARGE)
    except Exception:  # a decoder given such a file may raise anything
        _refuse(Reason.BROKEN, traceback.format_exc())


def _limit() -> None:
    for kind, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, LARGEST_PREVIEW),
        (resource.RLIMIT_CORE, 0),
    ):
        # At the first of the two the process can still be told by its signal: SIGXCPU.
        resource.setrlimit(kind, (most, most + (kind == resource.RLIMIT_CPU)))
    if sys.platform == "linux":  # others do not keep it
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _refuse(reason: Reason, detail: str = "") -> NoReturn:
    sys.stderr.write(detail)
    sys.exit(exit_code(reason))
