"""Limits what a process that decodes an unknown file may use, and defines how it reports failure."""

from __future__ import annotations

import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NoReturn

from shared.posters.posters import (
    LARGEST,
    NO_FILTER,
    PLAYS_NOT_EVERYWHERE,
    UNFILTERED,
    UNFILTERED_TOO,
    Posters,
    exit_code,
)
from shared.posters.seccomp import forbid_all_but_computing
from shared.posters.unpicturable import Reason, Unpicturable

MEMORY = 256 * 2**20
"""Bytes beyond the libraries and the interpreter."""
CPU_SECONDS = 25


def confined(make: Callable[[BinaryIO], Posters]) -> None:
    """Call `make` on the input file and write the results, under limits that cannot be raised again; then exit.

    The program's first arguments are descriptors: the input file and the outputs. They are open already, and
    nothing else can be opened, neither a file nor a connection. So an attacker who runs code in a decoder reaches
    nothing, not even the metadata server with the account's tokens. Where system calls cannot be filtered, the
    file is not read, unless a further argument allows it.
    """
    source, *outputs = (int(argument) for argument in sys.argv[1 : 2 + len(LARGEST)])
    with open(source, "rb") as file:
        _limit()
        if not forbid_all_but_computing():
            if UNFILTERED_TOO not in sys.argv[2 + len(LARGEST) :]:
                sys.exit(NO_FILTER)
            sys.stderr.write(UNFILTERED)
        try:
            made = _made(make, file)
            _write(made, outputs)
        except MemoryError:
            _refuse(Reason.TOO_LARGE)
    if not made.plays_everywhere:
        sys.exit(PLAYS_NOT_EVERYWHERE)


def _made(make: Callable[[BinaryIO], Posters], file: BinaryIO) -> Posters:
    try:
        return make(file)
    except Unpicturable as error:
        _refuse(error.reason, error.detail)
    except (MemoryError, ImportError):  # a library's late import fails here with any file: a fault of ours
        raise
    except Exception:  # a decoder may raise anything on such a file
        _refuse(Reason.BROKEN, traceback.format_exc())


def _write(made: Posters, outputs: list[int]) -> None:
    for descriptor, content in zip(outputs, made.packed(), strict=True):
        with open(descriptor, "wb") as written:
            written.write(content or b"")


def _limit() -> None:
    for kind, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, max(LARGEST)),
        (resource.RLIMIT_CORE, 0),
    ):
        # The soft limit ends the process with SIGXCPU, which tells the reason. The hard limit is a second later.
        resource.setrlimit(kind, (most, most + (kind == resource.RLIMIT_CPU)))
    if sys.platform == "linux":  # other systems do not enforce it
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)
    # Where system calls are not filtered, these limits are the substitute.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _refuse(reason: Reason, detail: str = "") -> NoReturn:
    sys.stderr.write(detail)
    sys.exit(exit_code(reason))
