"""The Python of a deployed function."""

from __future__ import annotations

import re
import shutil
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

from infra.stage import ROOT


def deployed_python(home: Path) -> Path:
    """Make a Python in `home` with what requirements.txt names and nothing else of what is installed here.

    Returns its path. The command functions-framework is beside it.
    """
    venv.create(home, symlinks=True)
    (site,) = home.glob("lib/python*/site-packages")
    for name in re.findall(r"^([\w.-]+)(?:\[.+\])?==", (ROOT / "requirements.txt").read_text(), re.MULTILINE):
        for file in distribution(name).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                (site / file).symlink_to(file.locate())
    shutil.copy(Path(sys.executable).with_name("functions-framework"), home / "bin")
    return home / "bin/python"
