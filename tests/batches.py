"""Makes the pictures of many files in one confined process: starting one takes longer than most files do."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.stage import ROOT
from shared.posters.posters import Posters
from shared.posters.unpicturable import Reason

_PROGRAM = """
import pickle, sys, time
from shared.posters import confinement, clips, photos, posters, stills
from shared.posters.file_formats import BYTES_NEEDED, media_format
from shared.posters.unpicturable import Unpicturable
is_for_video, paths = sys.argv[1] == "video", sys.argv[2:]
files = {path: open(path, "rb") for path in paths}
confinement.MEMORY *= 4  # the allocator keeps some of each file's
confinement._limit()
confinement.forbid_all_but_computing()
made, spent = {}, time.process_time
for path, file in files.items():
    begun = spent()
    time.process_time = lambda: spent() - begun
    try:
        kind = media_format(file.read(BYTES_NEEDED))
        file.seek(0)
        module = posters._module(kind, is_for_video=is_for_video)
        made[path] = {"clips": clips, "photos": photos, "stills": stills}[module.rpartition(".")[2]].make(file)
    except Unpicturable as error:
        made[path] = error.reason
sys.stdout.buffer.write(pickle.dumps(made))
"""


def made_of(paths: Sequence[Path], *, is_for_video: bool = False) -> Mapping[str, Posters | Reason]:
    """The outcome of each file, by its name. Fails if any other error is raised."""
    program = [sys.executable, "-c", _PROGRAM, "video" if is_for_video else "picture", *map(str, paths)]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr.decode()[-2000:]
    made: dict[str, Posters | Reason] = pickle.loads(ended.stdout)
    return {Path(path).name: outcome for path, outcome in made.items()}
