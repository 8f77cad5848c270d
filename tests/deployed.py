"""The Python of a deployed function."""

from __future__ import annotations

import re
import shutil
import sys
import venv
from importlib.metadata import distribution
from importlib.util import cache_from_source
from pathlib import Path

from infra.stage import ROOT


def deployed_python(home: Path) -> Path:
    """Make a Python in `home` with what requirements.txt names and nothing else of what is installed here.

    What is compiled here is not compiled again. Returns its path. The command functions-framework is beside it.
    """
    venv.create(home, symlinks=True)
    (site,) = home.glob("lib/python*/site-packages")
    for name in re.findall(r"^([\w.-]+)(?:\[.+\])?==", (ROOT / "requirements.txt").read_text(), re.MULTILINE):
        for file in distribution(name).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                _link(site / file, Path(file.locate()))
                if file.suffix == ".py":
                    _link(*(Path(cache_from_source(str(path))) for path in (site / file, file.locate())))
    shutil.copy(Path(sys.executable).with_name("functions-framework"), home / "bin")
    return home / "bin/python"


def _link(link: Path, file: Path) -> None:
    if file.exists():  # not everything has been compiled
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
