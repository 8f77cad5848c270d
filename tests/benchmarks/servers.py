"""Starts our functions and their peers on equal terms: one worker, the same number of threads, compiled, warm."""

from __future__ import annotations

import compileall
import http.client
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from infra.local import ports
from infra.local.ports import HOST
from infra.local.stack import PROJECT, Stack
from infra.stage import ROOT, stage
from shared.settings import MOST_REQUESTS_PER_MINUTE
from tests.benchmarks.load import CLIENTS, Load, cpu_seconds, memory_mib, put_under_load
from tests.deployed import deployed_python

PEERS = Path(__file__).parent / "peers"
_numbers = itertools.count(1)
Start = Callable[[], "Server"]


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    group: int
    stack: Stack

    def load(self, path: str, headers: Mapping[str, str], seconds: int, method: str = "GET") -> Load:
        return put_under_load(f"http://{HOST}:{self.port}{path}", headers, seconds, method=method)

    def cpu(self, path: str, headers: Mapping[str, str], requests: int) -> float:
        """Milliseconds of user and system time per request, over all its processes, with CLIENTS at once."""

        def ask_several(_: int) -> None:
            connection = http.client.HTTPConnection(HOST, self.port, timeout=120)
            for _ in range(requests // CLIENTS):
                self._answer(connection, "GET", path, headers)
            connection.close()

        before = cpu_seconds(self.group)
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(ask_several, range(CLIENTS)))
        return 1000 * (cpu_seconds(self.group) - before) / (requests // CLIENTS * CLIENTS)

    def memory_mib(self) -> float:
        return memory_mib(self.group)

    def ask(self, path: str, headers: Mapping[str, str], method: str = "GET") -> http.client.HTTPResponse:
        """The response, read to its end. Raises AssertionError if its status is not 200 to 399."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        try:
            return self._answer(connection, method, path, headers)
        finally:
            connection.close()

    def _answer(
        self, connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str]
    ) -> http.client.HTTPResponse:
        connection.request(method, path, headers=dict(headers))
        answer = connection.getresponse()
        said = answer.read()
        assert 200 <= answer.status < 400, f"{self.name} answers {answer.status}: {said[:500]!r}"
        return answer

    def wait(self) -> None:
        until = time.monotonic() + 60
        while not ports.answers(self.port):
            self.stack.processes.check()
            assert time.monotonic() < until, f"{self.name} does not start"
            time.sleep(0.002)

    def stop(self) -> None:
        self.stack.processes.stop([self.name])


class Servers:
    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._staged: dict[str, Path] = {}

    @cached_property
    def python(self) -> str:
        """The Python of our functions and of the peers that run like them."""
        python = deployed_python(self.stack.folder / "python")
        compileall.compile_dir(python.parents[1] / "lib", quiet=2)
        return str(python)

    def ours(self, function: str, project: str = PROJECT) -> Server:
        return self._started(function, self._serving(function), self.staged(function), project)

    def peer(self, module: str, function: str = "list_jobs", project: str = PROJECT) -> Server:
        return self._started(module, self._serving(function, f"--source={PEERS / module}.py"), ROOT, project)

    def backend(self, project: str) -> Server:
        uvicorn = [sys.executable, "-m", "uvicorn", "tests.benchmarks.peers.backend:app", "--log-level=warning"]
        return self._started("backend", lambda port: [*uvicorn, f"--port={port}"], ROOT, project)

    def staged(self, function: str) -> Path:
        """The function's folder, compiled as the buildpack would do it."""
        if function not in self._staged:
            folder = stage(self.stack.folder / f"bench-{function}")
            compileall.compile_dir(folder, quiet=1)
            self._staged[function] = folder
        return self._staged[function]

    def environment(self, project: str) -> dict[str, str]:
        changes = {
            "GOOGLE_CLOUD_PROJECT": project,
            "REQUESTS_PER_MINUTE": str(MOST_REQUESTS_PER_MINUTE),
            "PYTHONPATH": str(ROOT),
        }
        return self.stack.function_environment("list_jobs", **changes)

    def _serving(self, function: str, *options: str) -> Callable[[int], list[str]]:
        """The command that serves the function at a port, in the Python of a deployed one."""
        framework = str(Path(self.python).with_name("functions-framework"))
        command = [self.python, framework, f"--target={function}", f"--host={HOST}", *options]
        return lambda port: [*command, f"--port={port}"]

    def _started(self, name: str, command: Callable[[int], list[str]], folder: Path, project: str) -> Server:
        name = f"{name}-{next(_numbers)}"
        port = ports.any_free([name])[name]
        self.stack.processes.start(name, command(port), environment=self.environment(project), folder=folder)
        return Server(name, port, self.stack.processes.pid(name), self.stack)


@contextmanager
def running(*servers: Server) -> Iterator[tuple[Server, ...]]:
    """The servers, ready for requests. They are stopped afterwards."""
    for server in servers:
        server.wait()
    try:
        yield servers
    finally:
        for server in servers:
            server.stop()
