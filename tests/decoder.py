"""`python -m tests.decoder MODULE`: makes the pictures of the files that standard input names, one in a line.

As in production, each file is decoded in a confined process of its own. But that is forked from this one, which
has imported the program, MODULE, already: to start it takes longer than to decode most files.
"""

from __future__ import annotations

import importlib
import os
import pickle
import resource
import runpy
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from shared.posters.posters import Posters, make_posters
from shared.posters.unpicturable import Reason, Unpicturable

FOR_VIDEO, OUTPUT = "for-video", "output"
"""Words that may follow a file's name, after a tab."""
Taken = tuple[Posters | Reason, float, float, float]
"""The outcome; seconds; of the decoding process: seconds of CPU, and the most memory in MiB."""


class _Forked:
    """What `make_posters` needs of a `subprocess.Popen`."""

    used: resource.struct_rusage | None = None

    def __init__(self, command: Sequence[str], *, stderr: IO[bytes], **_: object) -> None:
        self._code: int | None = None
        self.pid = os.fork()
        if not self.pid:
            _decode(command[3:], stderr)

    def wait(self, _timeout: float | None = None) -> int:
        if self._code is None:
            _, status, _Forked.used = os.wait4(self.pid, 0)
            self._code = os.waitstatus_to_exitcode(status)
        return self._code


def _decode(arguments: Sequence[str], said: IO[bytes]) -> None:
    """What `python -m` does with these arguments. Does not return."""
    code: Any = 1
    try:
        os.setsid()
        os.chdir("/")
        for standard in (0, 1, 2):
            os.dup2(said.fileno(), standard)
        sys.argv = list(arguments)
        warnings.simplefilter("ignore", RuntimeWarning)  # of a program that has been imported already
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _taken(path: str, words: Sequence[str]) -> Taken:
    _Forked.used = None
    began = time.perf_counter()
    outcome: Posters | Reason
    try:
        with Path(path).open("rb") as file:
            is_for_video, is_output = (word in words for word in (FOR_VIDEO, OUTPUT))
            outcome = make_posters(file, is_for_video=is_for_video, is_output=is_output, unfiltered_too=True)
    except Unpicturable as error:
        outcome = error.reason
    seconds, used = time.perf_counter() - began, _Forked.used
    return outcome, seconds, used.ru_utime + used.ru_stime if used else 0, used.ru_maxrss / 1024 if used else 0


def main() -> None:
    importlib.import_module(sys.argv[1])
    subprocess.Popen = _Forked  # type: ignore[assignment,misc]
    for line in sys.stdin:
        path, *words = line.rstrip("\n").split("\t")
        pickle.dump(_taken(path, words), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
