"""`python -m tests.benchmarks.posters [--sheet] [FILE...]`: measures poster making for these files.

Without any, for the ordinary cases, the large files and the hostile ones. With --sheet, only for the ordinary
cases; what a browser shows of each, beside its poster, is then in artifacts/posters.png.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.stage import ROOT
from shared.posters.posters import Posters
from shared.posters.unpicturable import Reason
from tests.hostile_pictures import PICTURES, write_picture
from tests.hostile_videos import VIDEOS, write_video
from tests.large_media import LARGE, write_large

CASES = ROOT / "tests/unit/posters/media"
SHEET = ROOT / "artifacts/posters.png"
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
        is_for_video, is_output = (word in sys.argv[2:] for word in ("video", "output"))
        outcome = make_posters(file, is_for_video=is_for_video, is_output=is_output, unfiltered_too=True)
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
            case Posters() as made:
                packed = zip(("poster", "preview", "view", "storyboard", "shared"), made.packed(), strict=True)
                what = "   ".join(f"{name} {len(content):6}" for name, content in packed if content)
            case reason:
                what = str(reason)
        return f"{self.seconds:6.2f} s {self.cpu_seconds:6.2f} s CPU {self.peak_mib:5.0f} MiB   {what}"


def measured(path: Path, *, is_output: bool = False) -> Measured:
    """Make pictures of the file. If its name is that of a motion video, a GIF counts as a video."""
    words = [*["video"] * path.name.startswith("motion."), *["output"] * is_output]
    ended = subprocess.run([sys.executable, "-c", _MEASURE, str(path), *words], capture_output=True, check=True)
    return Measured(*pickle.loads(ended.stdout))


def main() -> None:
    names = sys.argv[1:]
    with_sheet = "--sheet" in names
    given = [Path(name) for name in names if name != "--sheet"] or (sorted(CASES.iterdir()) if with_sheet else [])
    if given:
        outcomes = [(path, say(path)) for path in given]
        if with_sheet:
            from tests.benchmarks.sheet import sheet

            SHEET.parent.mkdir(exist_ok=True)
            sheet(outcomes).save(SHEET)
        return
    for path in sorted(CASES.iterdir()):
        say(path)
    with tempfile.TemporaryDirectory() as folder:
        for names_of_kind, write in ((LARGE, write_large), (PICTURES, write_picture), (VIDEOS, write_video)):
            for name in names_of_kind:
                say(write(name, Path(folder)))


def say(path: Path) -> Posters | Reason:
    took = measured(path)
    sys.stdout.write(f"{path.name:<30} {path.stat().st_size / 1000:9.1f} kB {took}\n")
    if isinstance(took.outcome, Posters) and took.outcome.preview:
        sys.stdout.write(f"{'  as an output':<42}    {measured(path, is_output=True)}\n")
    return took.outcome


if __name__ == "__main__":
    main()
