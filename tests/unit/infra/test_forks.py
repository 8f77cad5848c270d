from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local import ports
from infra.local.forks import Forks
from infra.local.processes import ProcessEnded, Processes
from tests.waiting import wait_until

pytestmark = pytest.mark.slow  # imports all libraries

TELLING = """
import os
from importlib.util import find_spec

print("imported by", os.getpid())

def tell(request):
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "group": os.getpgid(0),
        "nice": os.nice(0),
        "found": [name for name in ("infra", "shared", "beside") if find_spec(name)],
    }
"""


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return []


@pytest.fixture(scope="module")
def processes(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    with Processes(lines.append, tmp_path_factory.mktemp("run")) as running:
        yield running


@pytest.fixture(scope="module")
def forks(processes: Processes, tmp_path_factory: pytest.TempPathFactory) -> Forks:
    return Forks(processes, tmp_path_factory.mktemp("parent"))


@pytest.fixture
def start(processes: Processes, forks: Forks, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Start a function of this name from a folder with that source. Returns its port."""
    started: set[str] = set()

    def start(name: str, source: str, nice: int = 0, **environment: str) -> int:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "main.py").write_text(source)
        (folder / "beside.py").touch()
        port = ports.any_free([name])[name]
        command = ["functions-framework", "--target=tell", f"--host={ports.HOST}", f"--port={port}"]
        using = partial(forks.start, nice=nice)
        processes.start(name, command, environment=environment, folder=folder, using=using)
        started.add(name)
        return port

    yield start
    processes.stop([name for name in started if processes.has(name)])


def told(port: int) -> Any:
    wait_until(lambda: ports.answers(port))
    return requests.get(f"http://{ports.HOST}:{port}", timeout=60).json()


def test_a_fork_has_what_a_process_of_its_own_has(
    start: Callable[..., int], processes: Processes, lines: list[str], tmp_path: Path
) -> None:
    first, second = start("first", TELLING, ONLY="first"), start("second", TELLING, nice=3, ALSO="second")
    answers = {"first": told(first), "second": told(second)}
    for name, answer in answers.items():
        assert answer["folder"] == str(tmp_path / name)
        assert answer["group"] == processes.pid(name)
        assert answer["found"] == ["beside"]
        assert f"{name:<15} | imported by {processes.pid(name)}" in lines
    assert answers["first"]["environment"].items() >= {"ONLY": "first"}.items()
    assert not {"ALSO", "PATH", "HOME"} & answers["first"]["environment"].keys()
    assert answers["second"]["nice"] == min(19, answers["first"]["nice"] + 3)


def test_a_fork_that_ends_or_is_killed_does_so_alone(start: Callable[..., int], processes: Processes) -> None:
    stays, killed = start("stays", TELLING), start("killed", TELLING)
    assert told(killed)
    start("ends", "raise SystemExit(3)")
    with pytest.raises(ProcessEnded, match="ends has ended with exit code 3"):
        processes.wait_for("ends", lambda: False)
    processes.stop(["ends"])
    os.kill(processes.pid("killed"), signal.SIGKILL)
    wait_until(lambda: processes.exit_code("killed") == -signal.SIGKILL)
    processes.kill("killed")
    wait_until(lambda: not ports.answers(killed))
    assert told(stays)
    assert told(start("killed", TELLING))


def test_forks_end_when_they_are_asked_to(start: Callable[..., int], processes: Processes) -> None:
    port = start("asked", TELLING)
    assert told(port)
    processes.stop(["asked"])
    assert not ports.answers(port)


def test_a_fork_that_no_list_has_ends_with_its_parent_and_no_other_is_started(
    processes: Processes, forks: Forks, start: Callable[..., int], tmp_path: Path
) -> None:
    (tmp_path / "main.py").write_text(TELLING)
    port = ports.any_free(["unknown"])["unknown"]
    fork = forks.start(["", "--target=tell", f"--host={ports.HOST}", f"--port={port}"], {}, tmp_path)
    assert fork.stdout
    with fork.stdout:
        assert told(port)
        processes.stop(["parent"])
        wait_until(lambda: fork.poll() is not None)
    with pytest.raises(ChildProcessError):
        start("late", TELLING)
