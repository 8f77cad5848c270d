"""A saved file is live: what `make dev` does after a save, on a copy of the sources. Needs no emulator."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
import requests

from infra.local import ports
from infra.local.live import LiveStack
from infra.local.stack import PORT_NAMES, empty
from infra.stage import FUNCTIONS, PACKAGES, ROOT

RUNNING = ("list_jobs", "share_video", "count_views")
ERRORS = "shared/errors.py"
"""A file that all of them import. The tests change the title that it gives a 401."""
TITLE = "Not signed in"
SECONDS = 60


class Sources:
    """A copy of the sources, and the local cloud that runs them."""

    def __init__(self, stack: LiveStack, log: list[str]) -> None:
        self.stack = stack
        self.log = log
        self._numbers = count()

    def file(self, name: str) -> Path:
        return self.stack.root / name

    def new_title(self) -> str:
        return f"Title {next(self._numbers)}"

    def titled(self, title: str) -> str:
        """The content of ERRORS with another title."""
        return (ROOT / ERRORS).read_text().replace(TITLE, title)

    def answer(self) -> str:
        """The title of list_jobs's answer to a request without a token."""
        answer = requests.get(f"{self.stack.function_url('list_jobs')}/jobs", timeout=SECONDS)
        title: str = answer.json()["title"]
        return title

    def pids(self) -> dict[str, int]:
        return {name: self.stack.processes.pid(name) for name in RUNNING}

    def until(self, condition: Callable[[], bool]) -> None:
        """Do what `make dev` does, until the condition holds."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, "\n".join(self.log[-40:])
            self.stack.processes.check()
            self.stack.reload()
            time.sleep(0.05)

    def settle(self) -> None:
        """Wait until every save was noticed and its restarts are finished."""
        self.file("functions/marker.txt").write_text(self.new_title())
        said = len(self.log)
        self.until(lambda: any("saved: functions/marker.txt" in line for line in self.log[said:]))
        self.until(lambda: self.stack.is_up_to_date)

    def said_since(self, mark: int) -> str:
        return "\n".join(self.log[mark:])


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sources]:
    root = tmp_path_factory.mktemp("sources")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.txt", root)

    class Copied(LiveStack):
        pass

    Copied.root = root
    log: list[str] = []
    without = set(FUNCTIONS) - set(RUNNING)
    with empty(Copied, ports.any_free(PORT_NAMES), output=log.append, without=without) as stack:
        stack.say = log.append
        stack.start_functions()
        yield Sources(stack, log)


@pytest.fixture
def sources(started: Sources) -> Sources:
    """The sources, with all restarts of earlier tests finished."""
    started.settle()
    return started


def test_a_save_restarts_every_function_that_imports_the_file(sources: Sources) -> None:
    before, title = sources.pids(), sources.new_title()
    sources.file(ERRORS).write_text(sources.titled(title))
    sources.until(lambda: sources.answer() == title)
    sources.until(lambda: not before.items() & sources.pids().items())


def test_a_save_leaves_the_functions_alone_that_do_not_import_the_file(sources: Sources) -> None:
    before, file = sources.pids(), sources.file("shared/web/html_page.py")
    file.write_text(f"{file.read_text()}\nLIVE = True\n")
    sources.until(lambda: sources.pids()["share_video"] != before["share_video"])
    sources.settle()
    assert {name for name, pid in sources.pids().items() if pid != before[name]} == {"share_video"}


def test_a_module_that_is_imported_when_it_is_needed_is_new_then(sources: Sources) -> None:
    """No view was counted yet, so no process has imported the module that counts them, and none has to restart."""
    before, name = sources.pids(), "shared/sharing/views.py"

    def staged(name: str) -> list[Path]:
        return list(sources.stack.folder.glob(f"*/{name}"))

    file = sources.file(name)
    file.write_text(f"{file.read_text()}\nLIVE = True\n")
    sources.until(lambda: [copy.read_bytes() for copy in staged(name)] == len(RUNNING) * [file.read_bytes()])
    assert sources.pids() == before


def test_a_saved_template_shows_in_the_next_page(sources: Sources) -> None:
    html = {"Accept": "text/html"}

    def page() -> str:
        return requests.get(
            f"{sources.stack.function_url('share_video')}/v/nothing!", headers=html, timeout=SECONDS
        ).text

    title = sources.new_title()
    assert title not in page()
    template = sources.file("shared/web/templates/frame.html")
    template.write_text(f"{template.read_text()}<!-- {title} -->")
    sources.until(lambda: title in page())


def test_a_save_of_many_steps_restarts_a_function_once(sources: Sources) -> None:
    """Save like an editor: a lock, a temporary file beside it, a backup, a rename, and then the file's time."""
    mark, title = len(sources.log), sources.new_title()
    file = sources.file(ERRORS)
    file.with_name(".#errors.py").symlink_to("nobody@nowhere")
    file.with_name("4913").touch()
    file.with_name("4913").unlink()
    file.rename(file.with_name("errors.py~"))
    file.write_text("")
    file.with_name("errors.py.tmp").write_text(sources.titled(title))
    file.with_name("errors.py.tmp").rename(file)
    os.utime(file)
    file.with_name("errors.py~").unlink()
    file.with_name(".#errors.py").unlink()
    sources.until(lambda: sources.answer() == title)
    sources.settle()
    assert sources.said_since(mark).count("up to date after") == 1, sources.said_since(mark)


def test_of_many_saves_in_a_row_the_last_one_is_live(sources: Sources) -> None:
    titles = [sources.new_title() for _ in range(30)]
    for title in titles:
        sources.file(ERRORS).write_text(sources.titled(title))
        sources.stack.reload()
        time.sleep(0.02)
    sources.until(lambda: sources.answer() == titles[-1])
    sources.settle()
    assert sources.answer() == titles[-1]


def test_a_syntax_error_is_in_the_log_and_the_old_code_answers_until_it_is_mended(sources: Sources) -> None:
    old, new = sources.new_title(), sources.new_title()
    sources.file(ERRORS).write_text(sources.titled(old))
    sources.until(lambda: sources.answer() == old)
    sources.settle()
    before, mark = sources.pids(), len(sources.log)
    sources.file(ERRORS).write_text("def (:\n" + sources.titled(new))
    sources.until(lambda: "SyntaxError" in sources.said_since(mark))
    sources.settle()
    said = sources.said_since(mark)
    assert said.count("SyntaxError") == 1
    assert f'File "{sources.file(ERRORS)}", line 1' in said
    assert sources.pids() == before
    assert sources.answer() == old
    sources.file(ERRORS).write_text(sources.titled(new))
    sources.until(lambda: sources.answer() == new)


def test_an_error_at_import_is_in_the_log_and_the_old_code_answers_until_it_is_mended(sources: Sources) -> None:
    before, mark, old = sources.pids(), len(sources.log), sources.answer()
    file = sources.file("functions/list_jobs.py")
    file.write_text(f"{file.read_text()}\nimport shared.yet_to_be_written\n")
    sources.until(lambda: "list_jobs" in sources.stack.behind)
    said = sources.said_since(mark)
    assert "ModuleNotFoundError: No module named 'shared.yet_to_be_written'" in said
    assert 'File "functions/list_jobs.py", line ' in said, "not the staged copy's path"
    assert sources.pids() == before
    assert sources.answer() == old
    # The next save, of the missing file, leads to another try.
    sources.file("shared/yet_to_be_written.py").write_text("")
    sources.until(lambda: sources.pids()["list_jobs"] != before["list_jobs"])
    assert sources.stack.behind == set()


def test_code_that_never_comes_to_its_end_gives_way_to_the_next_save(sources: Sources) -> None:
    before, mark, old, title = sources.pids(), len(sources.log), sources.answer(), sources.new_title()
    sources.file(ERRORS).write_text(f"{sources.titled(title)}\nimport time; time.sleep(3600)\n")
    sources.until(lambda: "saved" in sources.said_since(mark))
    assert sources.answer() == old
    assert sources.pids() == before
    sources.file(ERRORS).write_text(sources.titled(title))
    sources.until(lambda: sources.answer() == title)


def test_what_is_being_answered_is_answered_to_its_end_by_the_code_that_began_it(
    sources: Sources, tmp_path: Path
) -> None:
    old, new = sources.new_title(), sources.new_title()
    begun, held = tmp_path / "begun", tmp_path / "held"
    held.touch()
    first = "    def problem(self) -> dict[str, object]:\n"
    # The old process may take another request before it hears that it is replaced. It waits in the first alone.
    wait = f"""        import pathlib, time
        if not pathlib.Path({str(begun)!r}).exists():
            pathlib.Path({str(begun)!r}).touch()
            while pathlib.Path({str(held)!r}).exists():
                time.sleep(0.01)
"""
    sources.file(ERRORS).write_text(sources.titled(old).replace(first, first + wait))
    before = sources.pids()
    sources.until(lambda: sources.pids()["list_jobs"] != before["list_jobs"])
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(sources.answer)
        sources.until(begun.exists)
        sources.file(ERRORS).write_text(sources.titled(new))
        sources.until(lambda: sources.answer() == new)
        assert not answer.done()
        held.unlink()
        assert answer.result() == old


def test_nobody_is_refused_while_functions_start_anew(sources: Sources) -> None:
    titles = [sources.answer(), *(sources.new_title() for _ in range(3))]
    answers: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.wait(0.03):  # without a pause, the functions would have nothing left to start with
            answers.append(sources.answer())

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask) for _ in range(4)]
        try:
            for title in titles[1:]:
                sources.file(ERRORS).write_text(sources.titled(title))
                sources.until(lambda title=title: title in answers)  # type: ignore[misc]
        finally:
            done.set()
        for one in asking:
            one.result()
    assert list(dict.fromkeys(answers)) == titles
