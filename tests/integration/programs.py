"""Runs command-line programs: in this process, which spares a start of Python and its imports, or in their own."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from unittest.mock import patch

import pytest

from infra.stage import ROOT


def run_main(
    main: Callable[[], None],
    words: Sequence[str],
    environment: Mapping[str, str],
    capsys: pytest.CaptureFixture[str],
) -> subprocess.CompletedProcess[str]:
    """What a process would have come to with these words, of which the first is the program's name."""
    code = 0
    capsys.readouterr()
    with patch.object(sys, "argv", [*words]), patch.dict(os.environ, environment, clear=True):
        try:
            main()
        except SystemExit as end:
            if isinstance(end.code, str):
                sys.stderr.write(f"{end.code}\n")
            code = 1 if isinstance(end.code, str) else end.code or 0
        except Exception:
            traceback.print_exc()
            code = 1
    out, err = capsys.readouterr()
    return subprocess.CompletedProcess(words, code, out, err)


def run_module(
    name: str, *options: str, environment: Mapping[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """The same by a process of its own, of the program that is this module."""
    return subprocess.run(
        [sys.executable, "-m", name, *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
