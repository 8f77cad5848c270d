"""`make dev` and `make demo` as a developer uses them: they start, report problems, and leave nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore, storage

from infra.local import demo_data, ports
from infra.local import stack as stack_module
from infra.local.client import Client
from infra.local.demo import main as demo
from infra.local.dev import main
from infra.local.keeping import Kept
from infra.local.stack import EMULATORS, PORT_NAMES, PROJECT, Stack
from infra.local.users import Account, Users
from infra.stage import ROOT
from tests.conftest import PASSWORD
from tests.integration.programs import run_main, run_module
from tests.jobs import document, put_all
from tests.waiting import wait_until

SECONDS = 240
"""The longest that anything here may take on a busy machine."""
FEW = 6
"""Jobs of the demo data: two pages of five, with three in progress, one failed and two completed."""


@pytest.fixture(scope="module")
def first() -> int:
    """The first port of every run in this module. All of them use the same ports, one run after the other."""
    return first_of_free_ports()


def first_of_free_ports() -> int:
    # Each test process searches its own range, below the ports that the system hands out.
    for first in range(20000 + os.getpid() % 900 * 12, 32000, len(PORT_NAMES)):
        try:
            ports.consecutive(PORT_NAMES, first)
        except ports.PortTaken:
            continue
        return first
    raise AssertionError("there are no free ports")


@contextmanager
def dev(
    first: int, output: Path, until: bytes = b"is running at", **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `make dev` in the folder of `output`. Yields once it has printed `until` or has ended."""
    few = {"DEMO_JOBS": str(FEW)}
    environment = {"PORT": str(first), "TMPDIR": str(output.parent), "PYTHONPATH": str(ROOT), **few, **settings}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.dev"],
            cwd=output.parent,
            env={**os.environ, **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(lambda: until in output.read_bytes() or process.poll() is not None, SECONDS)
            yield process
        finally:
            process.kill()
            process.wait()
            wait_until(lambda: not leftovers(first), SECONDS)  # the next run uses the same ports


def port_of(first: int, name: str) -> int:
    return first + PORT_NAMES.index(name)


def leftovers(first: int) -> list[int]:
    """The run's ports on which a process still listens."""
    return [first + offset for offset in range(len(PORT_NAMES)) if ports.answers(first + offset)]


def outputs(port: int) -> storage.Bucket:
    """The bucket of outputs, in the emulator that listens on this port."""
    options = {"api_endpoint": f"http://{ports.HOST}:{port}"}
    return storage.Client(PROJECT, AnonymousCredentials(), client_options=options).bucket("nuumee-outputs")


def upload(port: int, name: str, content: bytes) -> None:
    outputs(port).blob(name).upload_from_string(content)


def test_make_dev_goes_on_with_kept_data_prints_working_commands_and_keeps_what_is_new(
    stack: Stack,
    database: firestore.Client,
    account: Account,
    tmp_path: Path,
    first: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tmp_path / ".local" / "data"
    data.mkdir(parents=True)
    url, auth = f"http://{ports.HOST}:{first}", f"http://{ports.HOST}:{port_of(first, 'auth')}"
    users = Users(auth, PROJECT)
    (earlier,) = put_all(database, [document(account.user_id)])
    upload(stack.ports["storage"], "kept/job/output.mp4", b"kept")
    Kept(data).save(stack)
    kept = (data / "last").resolve()

    def jobs(email: str, password: str) -> set[str]:
        client = Client(url, users.sign_in(email, password).token)
        return {job["id"] for page in client.pages(page_size=5) for job in page["jobs"]}

    output = tmp_path / "output"
    with dev(first, output, KEEP="1") as process:
        assert process.poll() is None, output.read_text()
        text = output.read_text()
        assert f"Open {url}/jobs/ and sign in:\n  demo@nuumee.test ({FEW} jobs at first)" in text
        lookup = f"{auth}/identitytoolkit.googleapis.com/v1/accounts:lookup?key=local"
        # The previous run's session is still valid.
        assert requests.post(lookup, json={"idToken": account.token}, timeout=10).status_code == 200
        assert jobs(account.email, PASSWORD) == {earlier}
        filled = jobs("demo@nuumee.test", demo_data.PASSWORD)
        assert len(filled) >= FEW  # the worker adds more
        wait_until(lambda: (data / "last").resolve() != kept, SECONDS)
        users.add("added", "added@nuumee.test", PASSWORD)
        deleted = run_what_it_says(text)
        upload(port_of(first, "storage"), "added/job/output.mp4", b"added")
        wait_until(lambda: {"list_jobs", "get_thumbnails", "get_output", "delete_job"} <= logging(output), SECONDS)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=SECONDS) == 0
    assert leftovers(first) == []
    assert not list(tmp_path.glob("nuumee-*"))
    accounts = json.loads((data / "last" / "accounts.json").read_text())
    assert {account.email, "added@nuumee.test"} <= {one["email"] for one in accounts}

    output = tmp_path / "killed"
    with dev(first, output, until=b"starting the functions", KEEP="1") as process:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"{ports.HOST}:{port_of(first, 'firestore')}")
        documents = {job.id: job.to_dict() or {} for job in firestore.Client(PROJECT).collection("jobs").get()}
        assert documents.keys() >= {earlier, *filled}
        assert [job_id for job_id, job in documents.items() if job.get("deleted_at")] == [deleted]
        for name, content in (("kept", b"kept"), ("added", b"added")):
            assert outputs(port_of(first, "storage")).blob(f"{name}/job/output.mp4").download_as_bytes() == content
        assert list(tmp_path.glob("nuumee-*"))
        wait_until(lambda: ports.answers(first), SECONDS)  # the gateway is started last
        process.kill()
        process.wait()
        wait_until(lambda: not leftovers(first), SECONDS)
        wait_until(lambda: not list(tmp_path.glob("nuumee-*")), SECONDS)
    assert Kept(data).last is not None


def logging(output: Path) -> set[str]:
    """Names of the processes that have logged something."""
    return {line.split(" | ")[0].strip() for line in output.read_text().splitlines() if " | {" in line}


def run_what_it_says(text: str) -> str:
    """Run each command that `make dev` printed. Returns the id of the job that one of them deletes."""
    token = re.search(r"^  TOKEN=(ey\S+)$", text, re.MULTILINE)
    assert token, text
    commands = re.findall(r"^  (curl .*)$", text, re.MULTILINE)
    assert len(commands) == 6
    for command in commands:
        ended = subprocess.run(
            ["bash", "-c", f"{command} --fail --retry 5"],
            env={**os.environ, "TOKEN": token[1]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stderr}"
        assert "job" in ended.stdout
    again = re.search(r"^  TOKEN=\$\((.*?)\)$", text, re.MULTILINE | re.DOTALL)
    assert again, text
    renewed = subprocess.run(["bash", "-c", again[1]], capture_output=True, text=True, check=True)
    assert renewed.stdout.startswith("ey")
    (deleting,) = [command for command in commands if "-X DELETE" in command]
    return str(deleting).rstrip("'").rpartition("/")[2]


def test_make_dev_ends_and_names_the_process_that_died_during_start(tmp_path: Path, first: int) -> None:
    output = tmp_path / "output"
    with dev(first, output, until=b"starting the emulators") as process:
        wait_until(lambda: _listeners_of(port_of(first, "firestore")), SECONDS)
        os.kill(_listeners_of(port_of(first, "firestore"))[0], signal.SIGKILL)
        assert process.wait(timeout=SECONDS) == 1
        assert "firestore has ended" in output.read_text()
    assert leftovers(first) == []


def test_make_dev_stops_everything_on_sigterm_during_start(tmp_path: Path, first: int) -> None:
    output = tmp_path / "output"
    with dev(first, output, until=b"starting the emulators") as process:
        emulators = [port_of(first, name) for name in EMULATORS]
        wait_until(lambda: all(map(_listeners_of, emulators)) and leftovers(first), SECONDS)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SECONDS) == 0
    assert not any(map(_listeners_of, emulators))
    assert leftovers(first) == []
    assert list(tmp_path.iterdir()) == [output]


def _listeners_of(port: int) -> list[int]:
    """The processes with that port among their arguments, the oldest first."""
    listing = subprocess.run(
        ["ps", "-axww", "-o", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout
    return sorted(int(line.split()[0]) for line in listing.splitlines() if re.search(rf"[ =]{port}\b", line))


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("PORT", "80", "1024"),
        ("PORT", "65530", "1024"),
        ("PORT", "http", "http"),
        ("PORT", "-1", "1024"),
        ("PORT", "8000.5", "8000.5"),
        ("DEMO_JOBS", "few", "few"),
    ],
)
def test_an_invalid_setting_is_refused_and_named(
    name: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stack_module, "stop_on_signals", lambda: None)  # they are this process's
    refused = run_main(main, ["-m"], {**os.environ, name: value}, capsys)
    assert refused.returncode == 1
    assert name in refused.stderr
    assert named in refused.stderr


def test_a_taken_port_is_named_along_with_how_to_choose_another(first: int) -> None:
    with socket.create_server((ports.HOST, first + 2)):
        ended = _run(PORT=str(first))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"port {first + 2} (for storage) is taken" in ended.stderr
    assert "make dev PORT=" in ended.stderr


def _run(**environment: str) -> subprocess.CompletedProcess[str]:
    return run_module("infra.local.dev", environment={**os.environ, **environment}, timeout=SECONDS)


def test_make_demo_plays_the_main_journey_and_reports_each_step(
    stack: Stack, users: Users, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the stack of all tests. That it starts one and ends it shows the test of what broke."""

    @contextmanager
    def already(
        names: Mapping[str, int], *, output: object, progress: object, without: Collection[str]
    ) -> Iterator[Stack]:
        assert (set(names), without) == (set(PORT_NAMES), stack_module.IN_THE_BACKGROUND)
        yield stack

    monkeypatch.setattr(stack_module, "running", already)
    monkeypatch.setattr(stack_module, "stop_on_signals", lambda: None)  # they are this process's
    ended = run_main(demo, ["-m"], os.environ, capsys)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    steps = [line.split()[1] for line in ended.stdout.splitlines()]
    assert list(dict.fromkeys(steps)) == [
        "list",
        "page",
        "thumbnail",
        "download",
        "delete",
        "purge",
        "proof",
        "done",
    ]
    assert "X-Goog-Signature" not in ended.stdout
    # A second run finds the others of the thirty again, and makes none.
    assert len(demo_data.fill(stack.settings, users).jobs) == 29


def test_make_demo_says_what_it_does_and_what_broke(tmp_path: Path) -> None:
    (tmp_path / "node").write_text("#!/bin/sh\necho no emulator today; exit 3\n")
    (tmp_path / "node").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    ended = run_module("infra.local.demo", environment=environment, timeout=SECONDS)
    assert ended.returncode == 1
    assert "demo: start      starting the emulators" in ended.stdout
    assert "demo: FAILED: auth has ended with exit code 3" in ended.stderr
    assert not list(tmp_path.glob("nuumee-*"))


def test_sign_in_works_at_the_pages_origin_and_its_token_works_with_the_api(
    stack: Stack, account: Account
) -> None:
    there = Users(stack.url, stack.settings.project)
    token = there.sign_in(account.email, PASSWORD).token
    # A browser that navigates there with a token also gets the API, not the page.
    for accept in ("*/*", "text/html"):
        headers = {"Authorization": f"Bearer {token}", "Accept": accept}
        answer = requests.get(f"{stack.url}/jobs", headers=headers, timeout=10)
        assert (answer.status_code, answer.json()["jobs"]) == (200, [])


def test_token_refresh_works_at_the_pages_origin(stack: Stack, account: Account) -> None:
    sign_in = {"email": account.email, "password": PASSWORD, "returnSecureToken": True}
    signed_in = requests.post(Users(stack.url, "any").sign_in_url, json=sign_in, timeout=10).json()
    form = {"grant_type": "refresh_token", "refresh_token": signed_in["refreshToken"]}
    answer = requests.post(f"{stack.url}/securetoken.googleapis.com/v1/token?key=local", data=form, timeout=10)
    assert answer.json()["user_id"] == account.user_id
    settings = requests.get(f"{stack.url}/emulator/v1/projects/{stack.settings.project}/config", timeout=10)
    assert "signIn" in settings.json()
    wrong = requests.post(Users(stack.url, "any").sign_in_url, json={**sign_in, "password": "no"}, timeout=10)
    assert (wrong.status_code, wrong.json()["error"]["message"]) == (400, "INVALID_PASSWORD")
