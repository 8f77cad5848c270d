from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.stage import ROOT


@pytest.mark.parametrize(
    ("target", "environment", "workers"),
    [("test", {}, 3), ("quick", {}, 3), ("test", {"AT_ONCE": "1"}, 1), ("quick", {"AT_ONCE": "1"}, 1)],
)
def test_as_many_tests_run_at_once_as_the_environment_says_or_as_suits_the_target(
    target: str, environment: Mapping[str, str], workers: int
) -> None:
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    command = ["make", "--dry-run", "--old-file=.venv/.complete", target]
    recipe = subprocess.run(
        command, cwd=ROOT, env={**inherited, **environment}, capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"pytest -n (\S+)", recipe) == [str(workers)]


def test_without_gcloud_the_commands_of_deploy_are_not_said_to_be_checked(tmp_path: Path) -> None:
    command = [str(shutil.which("make")), "--old-file=.venv/.complete", "check-deploy"]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    said = done.stderr.splitlines()[0]
    assert (done.returncode, said) == (2, "check-deploy: gcloud is not installed, so no command was checked")


NEWER = r"\$\{\w+(\[.\])?(,,|\^\^)|\b(mapfile|readarray)\b|\bdeclare -A\b"


@pytest.mark.parametrize("script", sorted([*ROOT.glob("*.sh"), *ROOT.glob("infra/*/*.sh"), ROOT / ".ci/run"]))
def test_scripts_run_in_the_bash_of_a_mac(script: Path) -> None:
    """It is 3.2, where what came later ends a script."""
    assert re.search(NEWER, "${name,,} mapfile")
    assert re.findall(NEWER, script.read_text()) == []
