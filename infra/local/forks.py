"""Starts functions as forks of one process that has imported their libraries. That saves most of each start.

A fork is a process like any other, with its own group, environment and output. It runs functions-framework in its
staged folder, and can import only that folder and what is installed: the parent runs this file by its path,
isolated, and imports nothing of the project.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from infra.local.processes import Processes

LIBRARIES = (
    "functions_framework._cli",
    "functions_framework._http.gunicorn",
    "gunicorn.ctl.server",
    "gunicorn.workers.gthread",
    "firebase_admin.auth",
    "google.cloud.firestore",
    "google.cloud.pubsub_v1",
    "google.cloud.storage",
)
"""What takes long to import. None of it starts a thread, which forks would lack."""
_CONTROL = 3
"""The parent's descriptor for its orders and news. In a fork, that of its listener, as in systemd's protocol."""


class Fork:
    """A forked process, with what Processes needs of a subprocess.Popen."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout: IO[str] | None = None
        self._has_ended = threading.Event()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self) -> int | None:
        self._has_ended.wait()
        return self.returncode

    def end(self, code: int) -> None:
        self.returncode = code
        self._has_ended.set()


class Forks:
    """The parent, which is one of `processes`. It ends with all of its forks."""

    def __init__(self, processes: Processes, folder: Path) -> None:
        self._control, parents = socket.socketpair()
        self._running: dict[int, Fork] = {}
        self._started: SimpleQueue[Fork | None] = SimpleQueue()
        self._one_at_a_time = threading.Lock()
        with parents:
            processes.start(
                "parent",
                [sys.executable, "-I", "-u", __file__, str(parents.fileno())],
                # gunicorn reads this when it is imported; the forks' control sockets come to be in their folders.
                environment={"XDG_RUNTIME_DIR": "."},
                folder=folder,
                pass_fds=[parents.fileno()],
            )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        processes.cleanup.callback(self._close)

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        pass_fds: Sequence[int] = (),
        *,
        nice: int = 0,
    ) -> Fork:
        """Run functions-framework with the arguments of `command` in a new process.

        `pass_fds` is empty or the socket to listen on. Raises ChildProcessError if the parent has ended.
        """
        order = {"command": command, "environment": {**environment}, "folder": str(folder), "nice": nice}
        output, written = os.pipe()
        fork = None
        try:
            with self._one_at_a_time, suppress(OSError):
                socket.send_fds(self._control, [json.dumps(order).encode() + b"\n"], [written, *pass_fds])
                fork = self._started.get()
        finally:
            os.close(written)
        if fork is None:
            os.close(output)
            raise ChildProcessError("the parent of the functions has ended")
        fork.stdout = open(output, errors="replace")  # noqa: SIM115 - closed by whoever reads it
        return fork

    def _listen(self) -> None:
        """Take the news: the id of a fork that has started, or the id and the exit code of one that has ended."""
        with self._control.makefile() as news:
            for line in news:
                pid, *codes = map(int, line.split())
                if codes:
                    self._running.pop(pid).end(codes[0])
                else:
                    self._running[pid] = Fork(pid)
                    self._started.put(self._running[pid])
        self._started.put(None)
        for fork in self._running.values():  # the parent was killed, and nobody will ever know their exit codes
            fork.end(-signal.SIGKILL)

    def _close(self) -> None:
        self._control.shutdown(socket.SHUT_RDWR)
        self._listener.join()
        self._control.close()


class _Parent:
    def __init__(self) -> None:
        self._control = socket.socket(fileno=_CONTROL)
        self._wakes, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        self._running: set[int] = set()
        signal.set_wakeup_fd(self._wake.fileno())
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda *_: None)

    def run(self) -> None:
        """Fork for each order, and tell of each fork that ends. Once asked to end, end all forks."""
        is_asked_to_end = False
        while not is_asked_to_end:
            ready, _, _ = select.select([self._control, self._wakes], [], [])
            # The system writes the number of each signal.
            is_asked_to_end = self._wakes in ready and signal.SIGTERM in self._wakes.recv(4096)
            self._tell_ended()
            if not is_asked_to_end and self._control in ready:
                is_asked_to_end = not self._take_order()
        for pid in self._running:
            os.killpg(pid, signal.SIGTERM)
        while self._running:
            select.select([self._wakes], [], [])
            self._wakes.recv(4096)
            self._tell_ended()

    def _take_order(self) -> bool:
        """Whether there was one: there is none once the run has ended. In the fork, this does not return."""
        message, descriptors, *_ = socket.recv_fds(self._control, 2**16, 2)
        while message and not message.endswith(b"\n"):
            message += self._control.recv(2**16)
        if not message:
            return False
        # A signal must not reach the fork while it still has this process's handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        pid = os.fork()
        os.setpgid(pid, pid)  # by whoever is first of the two, so that the group exists from now on
        if pid == 0:
            self._leave()
            _become(json.loads(message), *descriptors)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        for descriptor in descriptors:
            os.close(descriptor)
        self._running.add(pid)
        self._tell(f"{pid}")
        return True

    def _leave(self) -> None:
        """In a fork: undo what only the parent needs."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        for one in (self._control, self._wakes, self._wake):
            one.close()

    def _tell_ended(self) -> None:
        with suppress(ChildProcessError):  # there are none
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._running.discard(ended[0])
                self._tell(f"{ended[0]} {os.waitstatus_to_exitcode(ended[1])}")

    def _tell(self, news: str) -> None:
        with suppress(BrokenPipeError):  # the run has ended
            self._control.sendall(f"{news}\n".encode())


def _become(order: dict[str, Any], output: int, listener: int | None = None) -> NoReturn:
    """Run functions-framework in this process."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, standard in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(ours, standard)
    os.close(nothing)
    os.close(output)
    os.environ.clear()
    os.environ.update(order["environment"])
    if listener is not None:
        os.dup2(listener, _CONTROL)
        os.environ["LISTEN_PID"] = str(os.getpid())
    os.nice(order["nice"])
    os.chdir(order["folder"])
    # The default is the folder of the import.
    sys.argv = [*order["command"], f"--source={Path('main.py').resolve()}"]
    sys.exit(import_module("functions_framework._cli")._cli())


if __name__ == "__main__":
    if (control := int(sys.argv[1])) != _CONTROL:
        os.dup2(control, _CONTROL)
        os.close(control)
    for library in LIBRARIES:
        import_module(library)
    gc.freeze()  # keeps these pages shared with the forks
    _Parent().run()
