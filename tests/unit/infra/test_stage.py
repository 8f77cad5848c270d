from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.stage import FUNCTIONS, ROOT, stage

LEAST = {
    "GOOGLE_CLOUD_PROJECT": "nuumee",
    "ALLOWED_ORIGINS": "https://nuumee.ai",
    "SIGNING_KEY": "GOOG1EKEY:hushhush",
}


def run(code: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow  # starts Python twelve times
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_staged_function_imports_with_nothing_but_its_folder(tmp_path: Path, function: str) -> None:
    folder = stage(function, tmp_path / function)
    assert (folder / "main.py").read_text().count("\n") == 1
    assert (folder / "requirements.txt").read_bytes() == (ROOT / "requirements.txt").read_bytes()
    ended = run(f"import main; assert callable(main.{function})", folder, LEAST)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("missing", LEAST)
def test_a_missing_setting_is_named_when_the_function_starts(tmp_path: Path, missing: str) -> None:
    folder = stage("list_jobs", tmp_path / "list_jobs")
    ended = run("import main", folder, {name: value for name, value in LEAST.items() if name != missing})
    assert ended.returncode != 0
    assert f"{missing} is not set" in ended.stderr
    assert "hushhush" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("first", ["import main", "import main, shared.services as s; s.of_this_process().media"])
def test_neither_the_start_nor_signing_imports_a_client_library(tmp_path: Path, first: str) -> None:
    folder = stage("list_jobs", tmp_path / "list_jobs")
    heavy = ["google.cloud.firestore", "google.cloud.storage", "google.cloud.pubsub_v1"]
    ended = run(f"{first}; import sys; print([name for name in {heavy} if name in sys.modules])", folder, LEAST)
    assert ended.stdout.strip() == "[]", ended.stderr


def test_staging_again_leaves_nothing_of_before(tmp_path: Path) -> None:
    folder = stage("list_jobs", tmp_path / "one")
    (folder / "leftover.py").touch()
    stage("purge_job", folder)
    assert not (folder / "leftover.py").exists()
    assert "purge_job" in (folder / "main.py").read_text()
    assert not list(folder.rglob("__pycache__"))


@pytest.mark.parametrize("name", ["", "list-jobs", "../list_jobs", "shared"])
def test_what_is_no_function_is_refused_before_anything_is_touched(tmp_path: Path, name: str) -> None:
    (tmp_path / "kept").touch()
    with pytest.raises(ValueError, match="list_jobs, get_thumbnails"):
        stage(name, tmp_path)
    assert (tmp_path / "kept").exists()


def test_every_file_in_functions_is_a_function_and_the_other_way_round() -> None:
    files = {path.stem for path in (ROOT / "functions").glob("*.py")} - {"__init__"}
    assert files == set(FUNCTIONS)
