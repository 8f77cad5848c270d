"""The whole local cloud: Google's emulators, the staged functions, the gateway, and the page."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from types import FrameType
from typing import TypeVar

from infra.functions import table
from infra.local import emulators, gateway, resources
from infra.local.forks import Forks
from infra.local.ports import HOST, answers
from infra.local.processes import Processes, Spawn
from infra.stage import FUNCTIONS, ROOT, stage
from shared.settings import Settings, SigningKey

PROJECT = "demo-nuumee"
PAGES = ROOT / "frontend" / "out"
"""Where `make dev` builds the page. The gateway serves it from there."""
EMULATORS = ("auth", "storage", "firestore", "pubsub")
PORT_NAMES = ("gateway", *EMULATORS, *FUNCTIONS)
FIRESTORE_EXPORT = Path("firestore", "firestore.overall_export_metadata")
STORAGE_EXPORT = Path("objects.zip")
"""Names of the emulators' exports."""
IN_THE_BACKGROUND = ("make_posters",)
"""Functions that run at low priority."""
_LOW = 10
"""What `nice` adds by default."""


class Stack:
    def __init__(
        self, ports: Mapping[str, int], processes: Processes, folder: Path, without: Collection[str] = ()
    ) -> None:
        """`without` are functions that do not run and get no events."""
        self.patience = 1
        """Multiplies the functions' time limits; 1 is as in the cloud."""
        self.functions = tuple(name for name in FUNCTIONS if name not in without)
        self.ports = ports
        self.processes = processes
        self.folder = folder
        self.kept: Path | None = None
        """Data of an earlier run, which the emulators load at start."""
        self.url = f"http://{HOST}:{ports['gateway']}"
        self.page_url = f"{self.url}/jobs/"
        self.storage_url = f"http://{HOST}:{ports['storage']}"
        self.auth_url = f"http://{HOST}:{ports['auth']}"
        self.settings = Settings(
            project=PROJECT,
            allowed_origins=(self.url, f"http://localhost:{ports['gateway']}", "http://localhost:3000"),
            storage_emulator=self.storage_url,
            share_origin=self.url,
            signing_key=SigningKey("GOOG1ELOCAL", secrets.token_urlsafe(30)),
        )
        key = self.settings.signing_key
        self._signing_key = {"SIGNING_KEY": f"{key.access_id}:{key.secret}"} if key else {}
        self.environment = {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "FIRESTORE_EMULATOR_HOST": f"{HOST}:{ports['firestore']}",
            "PUBSUB_EMULATOR_HOST": f"{HOST}:{ports['pubsub']}",
            "FIREBASE_AUTH_EMULATOR_HOST": f"{HOST}:{ports['auth']}",
            "STORAGE_EMULATOR_HOST": self.storage_url,
            # Otherwise google-auth looks for a metadata server.
            "NO_GCE_CHECK": "true",
        }

    def start(self, progress: Callable[[str], None]) -> None:
        """Start everything except the scheduler and the worker, which act on their own."""
        progress("starting the emulators")
        self.start_emulators()
        progress("creating buckets, topics and subscriptions")
        self.make_resources()
        progress("staging and starting the functions")
        self.start_functions()

    def start_emulators(self, names: Sequence[str] = EMULATORS) -> None:
        for name in names:
            self.start_emulator(name)
        for name in names:
            self._wait(name)

    def start_emulator(self, name: str) -> None:
        port = self.ports[name]
        match name:
            case "firestore":
                command = emulators.firestore_command(self._jars, port, self.kept and self.kept / FIRESTORE_EXPORT)
            case "pubsub":
                command = emulators.pubsub_command(self._jars, port)
            case "auth":
                command = emulators.auth_command(PROJECT, port)
            case _:
                topic = f"projects/{PROJECT}/topics/{self.settings.object_finalized_topic}"
                kept = self.kept and self.kept / STORAGE_EXPORT
                command = emulators.storage_command(port, topic, self.folder / STORAGE_EXPORT, kept)
        self.processes.start(name, command, environment={**os.environ, **self._signing_key}, folder=ROOT)

    def make_resources(self) -> None:
        triggered = [name for name in self.functions if name in resources.topics_by_function(self.settings)]
        resources.make(self.settings, {name: self.function_url(name) for name in triggered})

    def start_functions(self) -> None:
        for function in self.functions:
            self.start_function(function)
        self.processes.start("gateway", self._gateway_command(), environment=dict(os.environ), folder=ROOT)
        for name in (*self.functions, "gateway"):
            self._wait(name)

    def stop_changes(self) -> None:
        """End everything that could change the emulators' data."""
        running = ("gateway", "worker", "scheduler", *self.functions)
        self.processes.stop([name for name in running if self.processes.has(name)])

    def start_scheduler(self) -> None:
        """Start the sweeps. Tests trigger their own instead."""
        command = [sys.executable, "-m", "infra.local.scheduler"]
        topic = f"--topic=projects/{PROJECT}/topics/{table().every_minute_topic}"
        self.processes.start("scheduler", [*command, topic], environment=dict(os.environ), folder=ROOT)

    def start_worker(self, user_id: str) -> None:
        """Start advancing that user's jobs."""
        command = [sys.executable, "-m", "infra.local.worker", f"--project={PROJECT}", f"--user={user_id}"]
        self.processes.start("worker", command, environment=dict(os.environ), folder=ROOT)

    def start_function(self, name: str) -> None:
        self.start_variant(name, name, self.ports[name])

    def start_variant(self, name: str, label: str, port: int, **changes: str | None) -> None:
        """Run a function as Cloud Run does, from its staged folder, which is all that it can import.

        `label` names its process. `changes` are settings that differ from the stack's; None removes one.
        """
        self.processes.start(
            label,
            self.function_command(name, port),
            environment=self.function_environment(name, **changes),
            folder=self._folder_of(label),
            using=self.fork(name),
        )

    def _folder_of(self, label: str) -> Path:
        """A working directory of its own, as each container has one. The staged files are there once for all."""
        folder = self.folder / label
        if not folder.exists():
            folder.mkdir()
            (folder / "main.py").symlink_to(self._staged / "main.py")
        return folder

    @cached_property
    def _staged(self) -> Path:
        return stage(self.folder / "staged", compiled=True)

    def fork(self, name: str) -> Spawn:
        """Starts processes of that function."""
        return partial(self._forks.start, nice=_LOW if name in IN_THE_BACKGROUND else 0)

    def function_command(self, name: str, port: int) -> list[str]:
        framework = str(Path(sys.executable).with_name("functions-framework"))
        return [framework, f"--target={name}", f"--host={HOST}", f"--port={port}"]

    def function_environment(self, name: str, **changes: str | None) -> dict[str, str]:
        environment: dict[str, str | None] = {
            # Of this process's environment, pass on only what a program needs to start.
            **{key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ},
            **self.environment,
            "ALLOWED_ORIGINS": ",".join(self.settings.allowed_origins),
            "SHARE_ORIGIN": self.settings.share_origin,
            **self._signing_key,
            **table().functions[name].server,
            "PATIENCE": str(self.patience),
            # For the benchmarks, which start functions without the parent.
            "PYTHONUNBUFFERED": "1",
            "XDG_RUNTIME_DIR": ".",
            **changes,
        }
        return {key: value for key, value in environment.items() if value is not None}

    @cached_property
    def _forks(self) -> Forks:
        return Forks(self.processes, self.folder)

    @cached_property
    def _jars(self) -> emulators.Jars:
        return emulators.find_or_download()

    def function_url(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"

    def _gateway_command(self) -> list[str]:
        upstreams = [f"{name}={self.ports[name]}" for name in (gateway.AUTH, *FUNCTIONS)]
        options = [f"--port={self.ports['gateway']}", f"--pages={PAGES}"]
        return [sys.executable, "-m", "infra.local.gateway", *options, *upstreams]

    def is_ready(self, name: str) -> bool:
        return answers(self.ports[name])

    def _wait(self, name: str) -> None:
        self.processes.wait_for(name, lambda: self.is_ready(name))


S = TypeVar("S", bound=Stack)


@contextmanager
def empty(
    kind: type[S], ports: Mapping[str, int], *, output: Callable[[str], None], without: Collection[str] = ()
) -> Iterator[S]:
    """A stack with nothing running yet. This process's own Google clients are pointed at it."""
    folder = Path(tempfile.mkdtemp(prefix="nuumee-"))
    before = dict(os.environ)
    try:
        with Processes(output, folder) as processes:
            stack = kind(ports, processes, folder, without)
            os.environ.update(stack.environment)
            yield stack
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def running(
    ports: Mapping[str, int],
    *,
    output: Callable[[str], None],
    progress: Callable[[str], None],
    without: Collection[str] = (),
    patience: int = 1,
) -> Iterator[Stack]:
    """A running stack with no data."""
    with empty(Stack, ports, output=output, without=without) as stack:
        stack.patience = patience
        stack.start(progress)
        yield stack


def stop_on_signals() -> None:
    """Turn the first termination signal into KeyboardInterrupt. Later ones are ignored, so clean-up can finish."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(number: int, frame: FrameType | None) -> None:
        for other in signals:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in signals:
        signal.signal(number, stop)
