"""`python -m tests.benchmarks.posters [FILE...]`: measures poster making for these files, or all hostile ones."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shared.posters.posters import Posters
from shared.posters.unpicturable import Reason
from tests.hostile_pictures import PICTURES, write_picture
from tests.hostile_videos import VIDEOS, write_video

# Runs in a process of its own, because the system records only one peak of memory for all children, and a child
# starts with its parent's.
_MEASURE = """
import pickle, resource, sys, time
from pathlib import Path
from shared.posters.unpicturable import Unpicturable
from shared.posters.posters import make_posters
began = time.perf_counter()
try:
    with Path(sys.argv[1]).open("rb") as file:
        outcome = make_posters(file, unfiltered_too=True)
except Unpicturable as error:
    outcome = error.reason
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.stdout.buffer.write(pickle.dumps((outcome, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    outcome: Posters | Reason
    seconds: float
    cpu_seconds: float
    """This and `peak_mib` are those of the process that decoded the file, or 0 if there was none."""
    peak_mib: float

    def __str__(self) -> str:
        match self.outcome:
            case Posters(poster, preview):
                what = f"poster {len(poster):6}" + (f"   preview {len(preview):6}" if preview else "")
            case reason:
                what = str(reason)
        return f"{self.seconds:6.2f} s {self.cpu_seconds:6.2f} s CPU {self.peak_mib:5.0f} MiB   {what}"


def measured(path: Path) -> Measured:
    ended = subprocess.run([sys.executable, "-c", _MEASURE, str(path)], capture_output=True, check=True)
    return Measured(*pickle.loads(ended.stdout))


def main() -> None:
    if given := [Path(name) for name in sys.argv[1:]]:
        for path in given:
            say(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in PICTURES:
            say(write_picture(name, Path(folder)))
        for name in VIDEOS:
            say(write_video(name, Path(folder)))


def say(path: Path) -> None:
    sys.stdout.write(f"{path.name:<28} {path.stat().st_size / 1000:9.1f} kB {measured(path)}\n")


if __name__ == "__main__":
    main()
