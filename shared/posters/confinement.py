"""What a process that decodes an unknown file may use, and how it says that it could not."""

from __future__ import annotations

import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NoReturn

from shared.posters.posters import LARGEST_PREVIEW, UNFILTERED, Posters, exit_code
from shared.posters.seccomp import forbid_all_but_computing
from shared.posters.unpicturable import Reason, Unpicturable

MEMORY = 256 * 2**20
"""Bytes beyond the libraries and the interpreter."""
CPU_SECONDS = 25


def confined(make: Callable[[BinaryIO], Posters]) -> None:
    """Call `make` with the file that this program's first argument, a descriptor, is open for, within limits that
    cannot be raised again; write what it makes to the descriptors that the other two are; then exit.

    All three are open already, and nothing else can be: neither another file nor a connection. So whoever gets a
    decoder to run code of theirs reaches nothing, not even the metadata server with the account's tokens.
    """
    source, poster, preview = (int(argument) for argument in sys.argv[1:])
    with open(source, "rb") as file:
        _limit()
        made = _made(make, file)
    for descriptor, content in ((poster, made.poster), (preview, made.preview or b"")):
        with open(descriptor, "wb") as written:
            written.write(content)


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
    # Where the filter below cannot be had, these are what is left of it.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    if not forbid_all_but_computing():
        sys.stderr.write(UNFILTERED)


def _refuse(reason: Reason, detail: str = "") -> NoReturn:
    sys.stderr.write(detail)
    sys.exit(exit_code(reason))
