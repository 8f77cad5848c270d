"""Builds the folder from which every function runs, locally and in the cloud alike.

One image is built from it: https://cloud.google.com/docs/buildpacks/python. Each service of it chooses its
function with the variable FUNCTION_TARGET.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from infra.functions import table

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = tuple(table().functions)

PACKAGES = ("functions", "shared")
PYTHON = "3.11"
"""The version that the tests run on: docs/decisions/2026-11-26-python.md"""
_MAIN = '''\
"""Where functions-framework looks for the function that FUNCTION_TARGET names. The others are not imported."""

import gc
from importlib import import_module

FUNCTIONS = {functions!r}


def __getattr__(name):
    if name not in FUNCTIONS:
        raise AttributeError(name)
    globals()[name] = function = getattr(import_module(f"functions.{{name}}"), name).start()
    # The server forks next, and what collections do not touch stays shared: 7 MiB of 100.
    # https://docs.python.org/3/library/gc.html#gc.freeze
    gc.freeze()
    return function
'''
_PROJECT = """\
# What a build in the cloud gets: https://cloud.google.com/docs/buildpacks/set-environment-variables
[[build.env]]
name = "GOOGLE_PYTHON_VERSION"
value = "{python}.x"

# This makes it functions-framework that is run. The name is a default, which each service's own FUNCTION_TARGET
# replaces: https://github.com/GoogleCloudPlatform/buildpacks/blob/main/pkg/gcpbuildpack/env.go
[[build.env]]
name = "GOOGLE_FUNCTION_TARGET"
value = "FUNCTION_TARGET_is_not_set"
"""


def stage(folder: Path, root: Path = ROOT, *, compiled: bool = False) -> Path:
    """Recreate `folder` from the sources in `root`, without hidden files such as .DS_Store. Returns it. Raises
    OSError.

    `compiled` takes along the bytecode that Python has left beside the sources.
    """
    shutil.rmtree(folder, ignore_errors=True)
    left_out = shutil.ignore_patterns(".*", *(() if compiled else ("__pycache__",)))
    for package in PACKAGES:
        shutil.copytree(root / package, folder / package, ignore=left_out)
    shutil.copy(root / "requirements.txt", folder)
    (folder / "main.py").write_text(_MAIN.format(functions=FUNCTIONS))
    (folder / "project.toml").write_text(_PROJECT.format(python=PYTHON))
    return folder
