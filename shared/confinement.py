"""What a process that decodes an unknown file may use, and how it says that it could not."""

from __future__ import annotations

import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from shared.errors import Reason, Unpicturable
from shared.posters import exit_code

MEMORY = 256 * 2**20
"""Bytes beyond the libraries and the interpreter."""
CPU_SECONDS = 25
LARGEST_FILE = 8 * 2**20
"""Bytes. More than a preview may have: the first try can be too large. Files are memory in a function."""


def confined(make: Callable[[Path, Path], None]) -> None:
    """Call `make` with this program's two arguments, within limits that cannot be raised again; then exit."""
    source, folder = (Path(argument) for argument in sys.argv[1:])
    _limit()
    try:
        make(source, folder)
    except Unpicturable as error:
        _refuse(error.reason, error.detail)
    except MemoryError:
        _refuse(Reason.TOO_LARGE)
    except Exception:  # a decoder given such a file may raise anything
        _refuse(Reason.BROKEN, traceback.format_exc())


def _limit() -> None:
    for kind, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        # At the first of the two the process can still be told by its signal: SIGXCPU.
        resource.setrlimit(kind, (most, most + (kind == resource.RLIMIT_CPU)))
    if sys.platform == "linux":  # others do not keep it
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)


def _refuse(reason: Reason, detail: str = "") -> None:
    sys.stderr.write(detail)
    sys.exit(exit_code(reason))
