"""What is installed is what was locked, and nothing else runs meanwhile."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra.stage import ROOT

REQUIREMENTS = [ROOT / "requirements.txt", *(ROOT / "infra/local").glob("requirements*.txt")]
NPM = [ROOT / "frontend", ROOT / "infra/local/auth", ROOT / "tests/lighthouse"]


def unpinned(text: str) -> list[str]:
    """The requirements that are not one version with a hash."""
    joined = re.sub(r" \\\n", " ", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE))
    pinned = re.compile(r"[a-z0-9._-]+(\[[a-z,]+\])?==[^ ]+( ;.*?)?( +--hash=sha256:[0-9a-f]{64})+")
    return [line for line in joined.splitlines() if line.strip() and not pinned.fullmatch(line)]


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.name)
def test_every_python_package_has_one_version_and_a_hash(file: Path) -> None:
    assert unpinned(file.read_text()) == []


@pytest.mark.parametrize("line", ["flask", "flask>=3", "flask==3.1", "--index-url https://elsewhere.test"])
def test_a_python_package_of_any_version_or_without_a_hash_is_noticed(line: str) -> None:
    assert unpinned(f"{line}\n    # via nuumee-jobs\n") == [line]


@pytest.mark.parametrize("folder", NPM, ids=lambda folder: folder.name)
def test_every_npm_package_has_a_hash(folder: Path) -> None:
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    installed = {name: package for name, package in packages.items() if name}
    assert len(installed) > 100
    assert [name for name, one in installed.items() if not one.get("integrity", "").startswith("sha512-")] == []


@pytest.mark.parametrize("folder", NPM, ids=lambda folder: folder.name)
def test_no_npm_package_runs_anything_when_it_is_installed(folder: Path) -> None:
    # https://docs.npmjs.com/cli/using-npm/config#ignore-scripts
    assert "ignore-scripts=true" in (folder / ".npmrc").read_text().splitlines()
