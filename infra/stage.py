"""Builds the folders from which functions are deployed, one for each.

`gcloud functions deploy` uploads one folder, and a function can import only what is in it. The buildpack serves
its main.py: https://cloud.google.com/functions/docs/writing#directory-structure-python
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from infra.functions import table

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = tuple(table().functions)

PACKAGES = ("functions", "shared")


def stage(function: str, folder: Path, root: Path = ROOT) -> Path:
    """Recreate `folder` for `function`, one of FUNCTIONS, from the sources in `root`, and return it."""
    if function not in FUNCTIONS:
        raise ValueError(f"{function!r} is none of the functions: {', '.join(FUNCTIONS)}")
    shutil.rmtree(folder, ignore_errors=True)
    for package in PACKAGES:
        shutil.copytree(root / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "requirements.txt", folder)
    (folder / "main.py").write_text(
        f"import functions.{function}; {function} = functions.{function}.{function}.start()\n"
    )
    return folder


def main() -> None:
    match sys.argv[1:]:
        case [folder]:
            for function in FUNCTIONS:
                print(stage(function, Path(folder) / function))
        case _:
            sys.exit("usage: python -m infra.stage FOLDER")


if __name__ == "__main__":
    main()
