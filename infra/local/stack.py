"""The whole local cloud: Google's emulators, the staged functions, and the gateway and the page in front."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import FrameType

from infra.local import emulators, gateway, resources
from infra.local.ports import HOST, answers
from infra.local.processes import Processes
from infra.stage import FUNCTIONS, ROOT, stage
from shared.settings import Settings

PROJECT = "demo-nuumee"
PAGES = ROOT / "frontend" / "out"
"""Where `make dev` builds the page to. The gateway shows what is there when it starts."""
EMULATORS = ("auth", "storage", "firestore", "pubsub")
PORT_NAMES = ("gateway", *EMULATORS, *FUNCTIONS)
THREADS = 16
"""As many requests at a time as deploy.sh lets one instance of a function have."""


IN_THE_BACKGROUND = ("make_posters",)
"""What lets everything else go first. The system's `nice` sees to that."""


class Stack:
    def __init__(
        self,
        ports: Mapping[str, int],
        processes: Processes,
        folder: Path,
        without: Collection[str] = (),
        patience: float = 1,
    ) -> None:
        """`without` are functions that do not run and whose events nobody waits for.

        `patience` is how many times as long as in the cloud the others wait for anything.
        """
        self._patience = patience
        self.functions = tuple(name for name in FUNCTIONS if name not in without)
        self.ports = ports
        self.processes = processes
        self._folder = folder
        self.url = f"http://{HOST}:{ports['gateway']}"
        self.page_url = f"{self.url}/jobs/"
        self.storage_url = f"http://{HOST}:{ports['storage']}"
        self.auth_url = f"http://{HOST}:{ports['auth']}"
        self.settings = Settings(
            project=PROJECT,
            allowed_origins=(self.url, f"http://localhost:{ports['gateway']}", "http://localhost:3000"),
            storage_emulator=self.storage_url,
            share_origin=self.url,
        )
        self.environment = {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "FIRESTORE_EMULATOR_HOST": f"{HOST}:{ports['firestore']}",
            "PUBSUB_EMULATOR_HOST": f"{HOST}:{ports['pubsub']}",
            "FIREBASE_AUTH_EMULATOR_HOST": f"{HOST}:{ports['auth']}",
            "STORAGE_EMULATOR_HOST": self.storage_url,
            # Off Google Cloud, google-auth would look for a metadata server.
            "NO_GCE_CHECK": "true",
        }

    def start_emulators(self, names: Sequence[str] = EMULATORS) -> None:
        for name in names:
            self.start_emulator(name)
        for name in names:
            self._wait(name)

    def start_emulator(self, name: str) -> None:
        port = self.ports[name]
        match name:
            case "firestore":
                command = emulators.firestore_command(self._jars, port)
            case "pubsub":
                command = emulators.pubsub_command(self._jars, port)
            case "auth":
                command = emulators.auth_command(PROJECT, port)
            case _:
                topic = f"projects/{PROJECT}/topics/{self.settings.object_finalized_topic}"
                command = emulators.storage_command(port, topic)
        self.processes.start(name, command, environment=dict(os.environ), folder=ROOT)

    def make_resources(self) -> None:
        triggered = [name for name in self.functions if name in resources.topics_by_function(self.settings)]
        resources.make(self.settings, {name: self.function_url(name) for name in triggered})

    def start_functions(self) -> None:
        for function in self.functions:
            self.start_function(function)
        self.processes.start("gateway", self._gateway_command(), environment=dict(os.environ), folder=ROOT)
        for name in (*self.functions, "gateway"):
            self._wait(name)

    def start_scheduler(self) -> None:
        """Let the sweeps run, which a test starts itself when it wants one."""
        command = [sys.executable, "-m", "infra.local.scheduler"]
        topic = f"--topic=projects/{PROJECT}/topics/{resources.SWEEP_TOPIC}"
        self.processes.start("scheduler", [*command, topic], environment=dict(os.environ), folder=ROOT)

    def start_worker(self, user_id: str) -> None:
        """Let that user's jobs go on."""
        command = [sys.executable, "-m", "infra.local.worker", f"--project={PROJECT}", f"--user={user_id}"]
        self.processes.start("worker", command, environment=dict(os.environ), folder=ROOT)

    def start_function(
        self, name: str, *, port: int | None = None, label: str | None = None, **changes: str | None
    ) -> None:
        """Run a function as Cloud Functions does: from its staged folder, which is all that it can import.

        `changes` are settings that differ from the stack's; None takes one away.
        """
        folder = stage(name, self._folder / (label or name))
        environment: dict[str, str | None] = {
            # Nothing of this process's environment but what starting a program takes.
            **{key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ},
            **self.environment,
            "ALLOWED_ORIGINS": ",".join(self.settings.allowed_origins),
            "SHARE_ORIGIN": self.settings.share_origin,
            "THREADS": str(THREADS),
            "PATIENCE": str(self._patience),
            "PYTHONUNBUFFERED": "1",
            **changes,
        }
        first = ("nice",) if name in IN_THE_BACKGROUND else ()
        self.processes.start(
            label or name,
            [
                *first,
                str(Path(sys.executable).with_name("functions-framework")),
                *(f"--target={name}", f"--host={HOST}", f"--port={port or self.ports[name]}"),
            ],
            environment={key: value for key, value in environment.items() if value is not None},
            folder=folder,
        )

    @cached_property
    def _jars(self) -> emulators.Jars:
        return emulators.find_or_download()

    def function_url(self, name: str) -> str:
        return f"http://{HOST}:{self.ports[name]}"

    def _gateway_command(self) -> list[str]:
        upstreams = [f"{name}={self.ports[name]}" for name in (gateway.AUTH, *FUNCTIONS)]
        options = [f"--port={self.ports['gateway']}", f"--pages={PAGES}"]
        return [sys.executable, "-m", "infra.local.gateway", *options, *upstreams]

    def _wait(self, name: str) -> None:
        self.processes.wait_for(name, lambda: answers(self.ports[name]))


@contextmanager
def running(
    ports: Mapping[str, int],
    *,
    output: Callable[[str], None],
    progress: Callable[[str], None],
    without: Collection[str] = (),
    patience: float = 1,
) -> Iterator[Stack]:
    """A stack with nothing in it yet. The process's own Google clients are pointed at it too."""
    folder = Path(tempfile.mkdtemp(prefix="nuumee-"))
    before = dict(os.environ)
    try:
        with Processes(output, folder) as processes:
            stack = Stack(ports, processes, folder, without, patience)
            os.environ.update(stack.environment)
            progress("starting the emulators")
            stack.start_emulators()
            progress("creating buckets, topics and subscriptions")
            stack.make_resources()
            progress("staging and starting the functions")
            stack.start_functions()
            yield stack
    finally:
        os.environ.clear()
        os.environ.update(before)


def stop_on_signals() -> None:
    """Let whichever signal asks for the end raise KeyboardInterrupt, once: what follows is clean-up."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(number: int, frame: FrameType | None) -> None:
        for other in signals:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in signals:
        signal.signal(number, stop)
