"""The one folder from which every function runs, treated as the buildpack does it."""

from __future__ import annotations

import ast
import compileall
import json
import os
import re
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from datetime import date
from pathlib import Path

import pytest

from infra.cloud.build import BASE, digest_of
from infra.functions import table
from infra.local.forks import Forks
from infra.local.ports import HOST, any_free
from infra.local.processes import Processes, spawn
from infra.stage import FUNCTIONS, PACKAGES, PYTHON, ROOT, stage
from tests.deployed import deployed_python

LEAST = {
    "GOOGLE_CLOUD_PROJECT": "nuumee",
    "ALLOWED_ORIGINS": "https://nuumee.ai",
    "SIGNING_KEY": "GOOG1EKEY:hushhush",
}
ENDS = {
    "3.11": date(2028, 4, 24),
    "3.12": date(2029, 4, 17),
    "3.13": date(2030, 4, 10),
    "3.14": date(2031, 4, 10),
}
"""When Google stops building for a Python: https://cloud.google.com/functions/docs/runtime-support#python"""
BUILDERS = {"google-22": {"3.10", "3.11", "3.12", "3.13"}, "google-24": {"3.13", "3.14"}}
"""https://cloud.google.com/docs/buildpacks/builders"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stage(tmp_path_factory.mktemp("staged") / "functions")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deployed_python(tmp_path_factory.mktemp("python"))


def run(
    code: str, folder: Path, environment: dict[str, str], python: Path = Path(sys.executable)
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-c", code],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_build_gets_what_it_needs(folder: Path) -> None:
    assert (folder / "requirements.txt").read_bytes() == (ROOT / "requirements.txt").read_bytes()
    # Otherwise the buildpack would add a version of its own.
    assert re.search(r"^functions-framework==", (folder / "requirements.txt").read_text(), re.MULTILINE)
    variables = tomllib.loads((folder / "project.toml").read_text())["build"]["env"]
    assert {one["name"]: one["value"] for one in variables} == {
        "GOOGLE_PYTHON_VERSION": f"{PYTHON}.x",
        "GOOGLE_FUNCTION_TARGET": "FUNCTION_TARGET_is_not_set",
    }
    assert compileall.compile_dir(folder, quiet=1, force=True)


def test_what_a_desktop_leaves_in_a_folder_makes_no_other_image(tmp_path: Path) -> None:
    for package in PACKAGES:
        (tmp_path / "root" / package).mkdir(parents=True)
        (tmp_path / "root" / package / "__init__.py").touch()
    (tmp_path / "root/requirements.txt").touch()
    before = digest_of(stage(tmp_path / "staged", tmp_path / "root"))
    (tmp_path / "root/functions/.DS_Store").write_bytes(b"Bud1")
    assert digest_of(stage(tmp_path / "staged", tmp_path / "root")) == before
    (tmp_path / "root/functions/one.py").touch()
    assert digest_of(stage(tmp_path / "staged", tmp_path / "root")) != before


def test_the_builder_has_the_python_that_the_code_is_checked_for() -> None:
    assert PYTHON in BUILDERS[BASE]
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert tools["tool"]["mypy"]["python_version"] == PYTHON
    assert tools["project"]["requires-python"] == f">={PYTHON}"


def test_the_python_is_supported_for_another_year() -> None:
    assert (ENDS[PYTHON] - date.today()).days > 365, "move to a newer Python: infra/stage.py"


@pytest.mark.slow  # starts every function
def test_every_function_answers_from_that_folder_by_its_name_alone(
    folder: Path, python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two start as in the cloud, with nothing imported before; the others as forks, as in the local cloud.

    Nothing but the folder and what is installed there can be imported.
    """
    alone = ("delete_job", "purge_job")
    ports = any_free(FUNCTIONS)
    plain = {"PATH": os.environ["PATH"], "HOST": HOST, "XDG_RUNTIME_DIR": str(tmp_path)}
    framework = [str(python), "-I", str(python.with_name("functions-framework"))]
    with Processes(lambda _: None, tmp_path) as processes:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", str(python))
            forks = Forks(processes, tmp_path)
        for name, port in ports.items():
            environment = {**LEAST, **plain, "FUNCTION_TARGET": name, "PORT": str(port)}
            command, using = (framework, spawn) if name in alone else (["functions-framework"], forks.start)
            processes.start(name, command, environment=environment, folder=folder, using=using)
        found = {name: status(name, port) for name, port in ports.items()}
    wanted = {
        name: 200 if function.topic else 404 if function.public else 401
        for name, function in table().functions.items()
    }
    assert {name: answer for name, answer in found.items() if answer != wanted[name]} == {}


def status(name: str, port: int) -> int:
    """What the function answers to a probe, or to whoever has no token."""
    function = table().functions[name]
    address, method, body = f"http://{HOST}:{port}", "POST", None
    if function.topic:
        message = {
            "attributes": {"probe": "1"},
            "data": "",
            "messageId": "1",
            "publishTime": "2026-11-26T10:00:00Z",
        }
        address += "/projects/nuumee/topics/release-probe"
        body = json.dumps({"message": message, "subscription": "projects/nuumee/subscriptions/s"}).encode()
    else:
        method, path = function.routes[-1].method, function.routes[-1].path
        address += "/nowhere" if function.public else re.sub(r"\{\w+\}", "nobody", path)
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"}, method=method)
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            assert time.monotonic() < deadline, f"{name} does not start"
            time.sleep(0.1)


@pytest.mark.slow  # makes a Python of its own
def test_all_that_the_code_ever_imports_is_in_its_requirements(folder: Path, python: Path) -> None:
    """What is imported only at its first use as well."""
    trees = [ast.parse(file.read_text()) for file in folder.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    statements = sorted({ast.unparse(node) for node in nodes} - {"from __future__ import annotations"})
    assert "from google.cloud.storage import Client as StorageClient" in statements
    ended = run("\n".join(statements), folder, LEAST, python)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow  # makes a Python of its own
def test_what_is_installed_here_and_is_not_in_the_requirements_is_not_found(folder: Path, python: Path) -> None:
    assert "No module named 'pytest'" in run("import pytest", folder, LEAST, python).stderr


@pytest.mark.slow  # starts Python for each setting
@pytest.mark.parametrize("missing", LEAST)
def test_a_missing_setting_is_named_when_the_function_starts(folder: Path, missing: str) -> None:
    ended = run(
        "import main; main.list_jobs", folder, {name: value for name, value in LEAST.items() if name != missing}
    )
    assert ended.returncode != 0
    assert f"{missing} is not set" in ended.stderr
    assert "hushhush" not in ended.stdout + ended.stderr


@pytest.mark.slow  # starts Python for each
@pytest.mark.parametrize(
    "first",
    [
        "import main; main.list_jobs",
        "import main; main.list_jobs; import shared.services as s; s.of_this_process().media",
    ],
)
def test_neither_the_start_nor_signing_imports_a_client_library(folder: Path, first: str) -> None:
    heavy = ["google.cloud.firestore", "google.cloud.storage", "google.cloud.pubsub_v1"]
    ended = run(f"{first}; import sys; print([name for name in {heavy} if name in sys.modules])", folder, LEAST)
    assert ended.stdout.strip() == "[]", ended.stderr


@pytest.mark.slow  # starts Python
def test_only_the_function_that_is_asked_for_is_imported(folder: Path) -> None:
    code = "import main, sys; main.purge_job; print([n for n in sys.modules if n.startswith('functions.')])"
    assert run(code, folder, LEAST).stdout.strip() == "['functions.purge_job']"


@pytest.mark.slow  # starts Python for each
@pytest.mark.parametrize("name", ["shared", "_hidden", "FUNCTION_TARGET_is_not_set"])
def test_what_is_no_function_is_not_found(name: str, folder: Path) -> None:
    ended = run(f"import main; print(hasattr(main, {name!r}))", folder, LEAST)
    assert ended.stdout.strip() == "False", ended.stderr


def test_staging_again_leaves_nothing_of_before(tmp_path: Path) -> None:
    folder = stage(tmp_path / "one")
    (folder / "leftover.py").touch()
    stage(folder)
    assert not (folder / "leftover.py").exists()
    assert not list(folder.rglob("__pycache__"))


def test_every_file_in_functions_is_a_function_and_the_other_way_round() -> None:
    files = {path.stem for path in (ROOT / "functions").glob("*.py")} - {"__init__"}
    assert files == set(FUNCTIONS)
