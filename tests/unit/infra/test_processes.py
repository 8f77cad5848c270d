from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import processes as module
from infra.local import reaper
from infra.local.processes import ProcessEnded, Processes
from tests.waiting import wait_until

FOR_EVER = "import time; time.sleep(3600)"


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def processes(lines: list[str], tmp_path: Path) -> Iterator[Processes]:
    with Processes(lines.append, tmp_path / "folder") as running:
        yield running


def start(processes: Processes, name: str, code: str, *, may_end: bool = False) -> None:
    command = [sys.executable, "-S", "-c", code]
    processes.start(name, command, environment=dict(os.environ), folder=Path(), may_end=may_end)


def test_waiting_goes_on_as_long_as_the_process_lives_and_is_said_again_and_again(
    processes: Processes, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NEWS_EVERY", 0.1)
    start(processes, "auth", FOR_EVER)
    processes.wait_for("auth", lambda: len(lines) == 3)
    assert set(lines) == {"waiting         | for auth, 0 s so far"}


def test_waiting_for_a_process_that_has_ended_says_so(processes: Processes) -> None:
    start(processes, "auth", "raise SystemExit(3)")
    with pytest.raises(ProcessEnded, match="auth has ended with exit code 3"):
        processes.wait_for("auth", lambda: False)


def test_waiting_for_work_that_may_never_be_done_has_an_end(processes: Processes) -> None:
    with pytest.raises(TimeoutError, match="the purge was not ready within 0 s"):
        processes.wait_for("the purge", lambda: False, 0.01)


def test_a_process_that_may_end_ends_alone(processes: Processes) -> None:
    start(processes, "build", "raise SystemExit(1)", may_end=True)
    wait_until(lambda: processes.exit_code("build") == 1)
    processes.check()
    processes.stop(["build"])
    start(processes, "build", "raise SystemExit(1)")
    with pytest.raises(ProcessEnded, match="build"):
        wait_until(processes.check)


def test_one_that_has_been_replaced_finishes_its_work(
    processes: Processes, lines: list[str], tmp_path: Path
) -> None:
    held, done, ended = tmp_path / "held", tmp_path / "done", tmp_path / "ended"
    held.touch()
    working = f"""
import os, pathlib, signal, sys, time
def finish(*_):
    while pathlib.Path({str(held)!r}).exists(): time.sleep(0.01)
    pathlib.Path({str(done)!r}).touch()
    sys.exit()
signal.signal(signal.SIGTERM, finish)
print("working", flush=True)
{FOR_EVER}
"""
    start(processes, "old", working)
    start(processes, "new", FOR_EVER, may_end=True)
    new = processes.pid("new")
    wait_until(lambda: lines)
    processes.replace("old", "new", ended.touch)
    assert processes.pid("old") == new
    assert not processes.has("new")
    processes.check()
    assert not ended.exists()
    held.unlink()
    wait_until(ended.exists)
    assert done.exists()


def test_what_does_not_finish_ends_with_the_run(
    lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaper, "PATIENCE", 0.1)
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"
    with Processes(lines.append, tmp_path / "folder") as processes:
        start(processes, "old", f"{stubborn}; {FOR_EVER}")
        start(processes, "new", FOR_EVER, may_end=True)
        wait_until(lambda: lines)
        old = processes.pid("old")
        processes.replace("old", "new", lambda: None)
    with pytest.raises(ProcessLookupError):
        os.killpg(old, 0)


def test_paths_of_a_functions_sources_are_short_also_where_they_are_staged_once_for_all(
    processes: Processes, lines: list[str], tmp_path: Path
) -> None:
    staged, own = tmp_path / "staged", tmp_path / "function"
    for folder in (staged, own):
        folder.mkdir()
    (staged / "main.py").touch()
    (own / "main.py").symlink_to(staged / "main.py")
    code = "import os; print('in', os.path.realpath('main.py'))"
    command = [sys.executable, "-S", "-c", code]
    processes.start("function", command, environment=dict(os.environ), folder=own, may_end=True)
    wait_until(lambda: lines)
    assert lines == ["function        | in main.py"]
