"""What a decoding process can and cannot do, even if a file has taken it over."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import av
import pytest

from infra.stage import ROOT
from shared.errors import DecoderFailed, DecoderUnfiltered
from shared.posters import posters
from shared.posters.posters import (
    FAILED,
    LARGEST,
    LARGEST_POSTER,
    NO_FILTER,
    UNFILTERED,
    UNFILTERED_TOO,
    Posters,
    exit_code,
    make_posters,
)
from shared.posters.unpicturable import Reason, Unpicturable
from tests.hostile_pictures import write_picture
from tests.waiting import wait_until

OUTPUTS = ("poster", "preview", "view", "storyboard", "share_picture")
pytestmark = pytest.mark.slow  # each starts a process


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture that could get a poster. Temporary files are created in `temporary` beside it."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return write_picture("photo.jpg", tmp_path)


@pytest.fixture
def possessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Run a shell script in place of the decoder. The script's fifth argument is the poster's descriptor."""

    def possess(script: str) -> None:
        program = tmp_path / "possessed"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(program))

    return possess


def refused(path: Path) -> Unpicturable:
    with pytest.raises(Unpicturable) as caught, path.open("rb") as file:
        make_posters(file, is_for_video=False, is_output=False, unfiltered_too=False)
    assert list((path.parent / "temporary").iterdir()) == []
    return caught.value


def confined(code: str, folder: Path, *options: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run `code` in a confined process. It may use `file` and the path `folder`."""
    (folder / "source").write_bytes(b"source")
    program = f"""
import ctypes, os, resource, signal, socket, sys
from pathlib import Path
import shared.posters.confinement
from shared.posters.posters import Posters
shared.posters.confinement.CPU_SECONDS = 1
{before}
folder = Path({str(folder)!r})
def make(file):
    {code}
    return Posters(b"poster")
shared.posters.confinement.confined(make)
"""
    with ExitStack() as files:
        source = files.enter_context((folder / "source").open("rb"))
        outputs = [files.enter_context((folder / name).open("wb")) for name in OUTPUTS]
        descriptors = [source.fileno(), *(file.fileno() for file in outputs)]
        return subprocess.run(
            [sys.executable, "-c", program, *map(str, descriptors), *options],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            pass_fds=descriptors,
        )


def is_running(pid: str) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "\nState:\tZ" not in status


def test_a_decoder_that_takes_too_much_memory_says_so(tmp_path: Path) -> None:
    assert confined("bytes(300 * 2**20)", tmp_path).returncode == exit_code(Reason.TOO_LARGE)
    assert confined("bytes(100 * 2**20)", tmp_path).returncode == 0


def test_a_decoder_that_never_ends_is_ended(tmp_path: Path) -> None:
    ended = confined("while True: pass", tmp_path)
    assert posters.reason_of(ended.returncode) is Reason.TOO_SLOW


def test_a_decoder_reads_its_file_and_makes_its_pictures(tmp_path: Path) -> None:
    assert confined('assert file.read() == b"source"', tmp_path).returncode == 0
    assert (tmp_path / "poster").read_bytes() == b"poster"


NEEDS_FILTER = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="system calls are filtered on Linux on x86-64 alone: that a decoder reaches nothing was not checked",
)


@NEEDS_FILTER
@pytest.mark.parametrize(
    "code",
    [
        "socket.socket()",
        "file.close(); socket.socket()",
        "open('/etc/passwd')",
        "open(folder / 'new', 'w')",
        "os.pipe()",
        "os.rename(folder / 'poster', folder / 'source')",
        "os.symlink('/proc/self/environ', folder / 'link')",
        "os.unlink(folder / 'source')",
        "os.truncate(folder / 'source', 0)",
        "os.chmod(folder / 'source', 0o777)",
        "os.mkdir(folder / 'new')",
        "os.listdir(folder)",
        "os.stat('/etc/passwd')",
        "os.fork()",
        "os.execv(sys.executable, [sys.executable])",
        "os.kill(os.getppid(), signal.SIGTERM)",
        "os.setsid()",
    ],
)
def test_a_decoder_reaches_no_other_file_process_or_network(tmp_path: Path, code: str) -> None:
    ended = confined(code, tmp_path)
    assert ended.returncode == exit_code(Reason.BROKEN)
    assert "PermissionError: [Errno 1]" in ended.stderr
    assert (tmp_path / "source").read_bytes() == b"source"
    assert (tmp_path / "poster").read_bytes() == b""
    assert {path.name for path in tmp_path.iterdir()} == {"source", *OUTPUTS}


@NEEDS_FILTER
def test_a_decoder_watches_no_other_process(tmp_path: Path) -> None:
    ptrace_attach = 16
    ended = confined(f"assert ctypes.CDLL(None).ptrace({ptrace_attach}, os.getppid(), 0, 0) == -1", tmp_path)
    assert ended.returncode == 0


WITHOUT_FILTER = "shared.posters.confinement.forbid_all_but_computing = lambda: False"


def test_without_a_filter_nothing_is_decoded(tmp_path: Path) -> None:
    ended = confined("print('decoded')", tmp_path, before=WITHOUT_FILTER)
    assert (ended.returncode, ended.stdout, ended.stderr) == (NO_FILTER, "", "")
    assert (tmp_path / "poster").read_bytes() == b""


@pytest.mark.parametrize("code", ["socket.socket()", "open('/etc/passwd')", "os.pipe()"])
def test_where_it_is_decoded_without_a_filter_nothing_can_be_opened_either(tmp_path: Path, code: str) -> None:
    ended = confined(code, tmp_path, UNFILTERED_TOO, before=WITHOUT_FILTER)
    assert ended.returncode == exit_code(Reason.BROKEN)
    assert ended.stderr.startswith(UNFILTERED)
    assert "Too many open files" in ended.stderr


def test_a_decoder_that_lacks_its_filter_is_an_error_and_no_fault_of_the_file(
    picture: Path, possessed: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    possessed(f'[ "${{10}}" = {UNFILTERED_TOO} ] || exit {NO_FILTER}')
    with pytest.raises(DecoderUnfiltered), picture.open("rb") as file:
        make_posters(file, is_for_video=False, is_output=False, unfiltered_too=False)
    assert [(line.getMessage(), line.levelname) for line in caplog.records] == [("decoder_unfiltered", "ERROR")]


def test_a_decoder_that_is_allowed_to_lack_its_filter_says_so(
    picture: Path, possessed: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    possessed(f'[ "${{10}}" = {UNFILTERED_TOO} ] && printf "{UNFILTERED}" >&2 && printf poster > /dev/fd/$5')
    with picture.open("rb") as file:
        pictures = make_posters(file, is_for_video=False, is_output=False, unfiltered_too=True)
    assert pictures == Posters(b"poster")
    assert [(line.getMessage(), line.levelname) for line in caplog.records] == [("decoder_unfiltered", "WARNING")]


def test_a_file_whose_faults_quote_that_warning_raises_no_alarm(
    picture: Path, possessed: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    possessed(f'printf "no such codec: {UNFILTERED}" >&2; exit {exit_code(Reason.BROKEN)}')
    assert refused(picture).reason is Reason.BROKEN
    assert caplog.records == []


def test_a_decoder_cannot_fill_the_disk(tmp_path: Path) -> None:
    ended = confined("return Posters(bytes(20_000_000))", tmp_path)
    assert ended.returncode == FAILED
    assert "File too large" in ended.stderr
    assert (tmp_path / "poster").stat().st_size <= max(LARGEST)


def test_what_a_decoder_raises_is_told_and_is_no_crash(tmp_path: Path) -> None:
    ended = confined("raise SyntaxError('of a picture')", tmp_path)
    assert ended.returncode == exit_code(Reason.BROKEN)
    assert "of a picture" in ended.stderr


def test_a_late_import_is_a_failure_of_the_decoder(tmp_path: Path) -> None:
    ended = confined("import logging.handlers", tmp_path)
    assert ended.returncode == FAILED
    assert "No module named 'logging.handlers'" in ended.stderr


def test_a_decoder_that_has_too_little_memory_to_tell_of_it_says_so(tmp_path: Path) -> None:
    without = "shared.posters.confinement.traceback.format_exc = lambda: bytes(300 * 2**20)"
    ended = confined("raise ValueError", tmp_path, before=without)
    assert ended.returncode == exit_code(Reason.TOO_LARGE)


def test_a_decoder_that_cannot_begin_fails_with_any_file_and_says_why(
    picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posters, "program_for", lambda *_, **__: "shared.posters.not_there")
    with pytest.raises(DecoderFailed, match="No module named"), picture.open("rb") as file:
        make_posters(file, is_for_video=False, is_output=False, unfiltered_too=True)


def test_a_file_closes_as_ever_wherever_the_decoder_has_left_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode() -> None:
        with tempfile.TemporaryFile() as file:
            file.write(b"\0\0\1\xba" + bytes(100_000))
            make_posters(file, is_for_video=True, is_output=False, unfiltered_too=True)

    with pytest.raises(Unpicturable):
        decode()
    monkeypatch.setattr(posters, "program_for", lambda *_, **__: "shared.posters.not_there")
    with pytest.raises(DecoderFailed):
        decode()


@pytest.mark.parametrize("program", ["shared.posters.clips", "shared.posters.photos"])
def test_a_decoder_has_imported_all_of_pyav_that_pyav_would_import_late(program: str) -> None:
    texts = [path.read_text() for path in Path(av.__file__).parent.rglob("*.py")]
    late = {name for text in texts for name in re.findall(r"^ +from (av\.[\w.]+) import", text, re.MULTILINE)}
    assert "av.subtitles.codeccontext" in late
    asked = f"import sys, {program}; print(*{late!r} - set(sys.modules))"
    missing = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert missing.stdout.split() == []


def test_a_decoder_that_dies_is_told_from_one_that_refuses(
    picture: Path, possessed: Callable[[str], None]
) -> None:
    possessed("echo it hurts >&2; kill -SEGV $$")
    error = refused(picture)
    assert error.reason is Reason.CRASHED
    assert "it hurts" in error.detail


def test_a_decoder_that_hangs_is_ended_with_all_that_it_started(
    picture: Path, tmp_path: Path, possessed: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posters, "TIMEOUT", 0.5)
    pids = tmp_path / "pids"
    possessed(f"sleep 60 & echo $! $$ > {pids}; wait")
    assert refused(picture).reason is Reason.TOO_SLOW
    wait_until(lambda: not any(is_running(pid) for pid in pids.read_text().split()))


def test_a_decoder_that_says_too_much_is_quoted_in_brief(picture: Path, possessed: Callable[[str], None]) -> None:
    possessed(f"head -c 3000000 /dev/zero | tr '\\0' x >&2; exit {exit_code(Reason.BROKEN)}")
    assert len(refused(picture).detail) <= 1000


def test_a_poster_that_was_not_made_is_an_error(picture: Path, possessed: Callable[[str], None]) -> None:
    possessed("exit 0")
    assert refused(picture).reason is Reason.CRASHED


def test_a_poster_that_is_too_large_is_not_passed_on(picture: Path, possessed: Callable[[str], None]) -> None:
    possessed(f"head -c {LARGEST_POSTER + 1} /dev/zero > /dev/fd/$5")
    assert refused(picture).reason is Reason.CRASHED


def test_a_decoder_knows_no_settings_and_no_secrets(
    picture: Path, tmp_path: Path, possessed: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/key.json")
    monkeypatch.setenv("IMAGES_BUCKET", "images")
    possessed(f"/usr/bin/env > {tmp_path}/environment; exit {exit_code(Reason.BROKEN)}")
    refused(picture)
    names = {line.partition("=")[0] for line in (tmp_path / "environment").read_text().splitlines()}
    of_the_shell = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert names - of_the_shell <= {"PYTHONPATH", "LANG", "LD_LIBRARY_PATH"}
