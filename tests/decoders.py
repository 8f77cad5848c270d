"""Decodes files as in production, but faster: see tests/decoder.py."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

from infra.stage import ROOT
from shared.posters.file_formats import BYTES_NEEDED, media_format
from shared.posters.posters import program_for
from shared.posters.unpicturable import Unpicturable
from tests.benchmarks.posters import Measured
from tests.decoder import FOR_VIDEO, OUTPUT

_running: dict[str, subprocess.Popen[bytes]] = {}


def decoded(path: Path, *, is_for_video: bool = False, is_output: bool = False) -> Measured:
    """The outcome of a file, and its cost. Starts a decoder if none of the kind is running: see `end_all`."""
    try:
        with path.open("rb") as file:
            program = program_for(media_format(file.read(BYTES_NEEDED)), is_for_video=is_for_video)
    except Unpicturable as error:
        return Measured(error.reason, 0, 0, 0)
    decoder = _running.get(program) or _started(program)
    assert decoder.stdin
    assert decoder.stdout
    decoder.stdin.write("\t".join([str(path), *[FOR_VIDEO] * is_for_video, *[OUTPUT] * is_output, "\n"]).encode())
    decoder.stdin.flush()
    return Measured(*pickle.load(decoder.stdout))


def _started(program: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.decoder", program]
    _running[program] = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return _running[program]


def end_all() -> None:
    while _running:
        _, decoder = _running.popitem()
        with decoder:
            decoder.communicate()
