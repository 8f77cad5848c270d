"""What `make dev` does once everything runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from infra.local import dev
from infra.local.processes import ProcessEnded, Processes


class Running:
    """Stands for the local cloud. A function dies after it has been looked at once."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        self.processes = processes
        self._folder = folder

    def reload(self) -> None:
        if not self.processes.has("get_output"):
            dies = [sys.executable, "-S", "-c", "raise SystemExit(3)"]
            self.processes.start("get_output", dies, environment={}, folder=self._folder)


def test_a_function_that_dies_while_all_run_ends_make_dev_and_is_named(tmp_path: Path) -> None:
    with Processes(print, tmp_path / "run") as processes:
        running: Any = Running(processes, tmp_path)
        with pytest.raises(ProcessEnded, match="get_output has ended with exit code 3"):
            dev._serve(running, None)
