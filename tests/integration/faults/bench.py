"""The fault bench: the functions that delete and restore, as deployed, and proxies that spoil calls to Google.

Each function has its own proxy for each service, so faults are set for each pair. The tests' own clients meet no
faults.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from weakref import WeakSet

from gcp_storage_emulator.handlers.objects import _make_object_resource
from google.cloud import firestore, pubsub_v1, storage

from infra.functions import table
from infra.local import ports, resources
from infra.local.objects import VersionedStorage
from infra.local.ports import HOST
from infra.local.processes import Processes
from infra.local.servers import Server
from infra.local.stack import PORT_NAMES, Stack
from infra.local.storage import Handler, notified, server
from infra.local.users import Account, Users
from tests.faults import COMMON, Kind, Schedule, Trouble
from tests.integration.faults.firestore_proxy import Firestore, FirestoreProxy
from tests.integration.faults.grpc_proxy import serving
from tests.integration.faults.pubsub_proxy import Pubsub, PubsubProxy
from tests.integration.faults.push_proxy import pushing
from tests.storages import TroubledHandler
from tests.waiting import wait_until

BACKGROUND = ("purge_job", "process_upload", "sweep_purges", "restore_job", "erase_jobs")
FUNCTIONS = ("delete_job", "undelete_job", "delete_jobs", *BACKGROUND)
SERVICES = ("storage", "firestore", "pubsub")
PUSH = "push"
"""Pub/Sub's pushes to a function, which count as a service."""
LONGEST_RUN = 10
"""Seconds after which a purge counts as killed. A restore waits for it."""
PATIENCE = 240
"""Seconds until everything must be at rest. After a crash, Pub/Sub waits before it delivers again."""
_BETWEEN_SWEEPS = 1.0
_BETWEEN_LOOKS = 0.25
SILENCE = 1.0
"""Seconds for which a silent service does not answer."""
_WAYS = (*itertools.product(FUNCTIONS, SERVICES), *((function, PUSH) for function in BACKGROUND))
_ON_PUSH = (Kind.UNAVAILABLE, Kind.RESET, Kind.SLOW, Kind.DUPLICATE)
_ON_PUBSUB = (*COMMON, Kind.DUPLICATE, Kind.HELD_BACK)


class Bench:
    """What a test works with. All methods are thread-safe, except that only one restart may run at a time."""

    def __init__(
        self, stack: Stack, host_ports: dict[str, int], cleanup: ExitStack, sweep_after: int, longest_run: int
    ) -> None:
        self.stack = stack
        self.settings = stack.settings
        self.trouble = {(function, service): Trouble(SILENCE) for function, service in _WAYS}
        self.firestore = Firestore(f"{HOST}:{host_ports['firestore']}", stack.settings.project)
        self.pubsub = Pubsub(f"{HOST}:{host_ports['pubsub']}")
        self._ports = host_ports
        self._limits = {"SWEEP_AFTER": str(sweep_after), "LONGEST_RUN": str(longest_run)}
        self._cleanup = cleanup
        topic = f"projects/{self.settings.project}/topics/{self.settings.object_finalized_topic}"
        # Cloud Storage's notifications meet no faults, but wait while Pub/Sub restarts.
        notifications_way = cleanup.enter_context(serving(PubsubProxy(self.pubsub, None)))
        self.objects, self.notifications = notified(topic, notifications_way)
        self._storages: list[_Storage] = []
        stack.environment.update(self._ways(None))
        self.environment = {function: self._ways(function) for function in FUNCTIONS}
        """The variables that point each function at its own proxies."""
        self.users = Users(stack.auth_url, stack.settings.project)
        with pointed_at(stack.environment):
            self.database = firestore.Client(project=self.settings.project)
            self.buckets = storage.Client(project=self.settings.project)
            self.publisher = pubsub_v1.PublisherClient()
            resources.make_buckets(self.settings)
        self._pushed = {
            function: cleanup.enter_context(
                pushing(host_ports[function], self.trouble[function, PUSH], self.pubsub.delivered)
            )
            for function in BACKGROUND
        }
        self._make_topics()
        for close in (self.buckets.close, self.publisher.stop, self.notifications.close, self.heal):
            cleanup.callback(close)

    def start_functions(self) -> None:
        for function in FUNCTIONS:
            self.start_function(function)
        for function in FUNCTIONS:
            self.stack.processes.wait_for(function, partial(ports.answers, self.port(function)))

    def start_function(self, name: str) -> None:
        settings: dict[str, Any] = {**self.environment[name], **self._limits}
        self.stack.start_variant(name, name, self.port(name), **settings)

    def port(self, function: str) -> int:
        return self._ports[function]

    def url(self, function: str) -> str:
        return self.stack.function_url(function)

    def publish(self, topic: str, data: bytes, **attributes: str) -> None:
        """Publish without faults. `topic` is the topic's short name."""
        name = f"projects/{self.settings.project}/topics/{topic}"
        self.publisher.publish(name, data, **attributes).result(timeout=30)

    def sweep(self) -> None:
        self.publish(table().every_minute_topic, b"{}")

    def sweep_until(self, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Sweep once a second until `condition` returns something true. Fail the test if that takes too long."""
        due = 0.0

        def is_met() -> bool:
            nonlocal due
            if condition():
                return True
            if time.monotonic() >= due:
                self.sweep()
                due = time.monotonic() + _BETWEEN_SWEEPS
            return False

        wait_until(is_met, seconds, every=_BETWEEN_LOOKS)

    def upload(self, bucket: str, name: str, content: bytes) -> None:
        self.buckets.bucket(bucket).blob(name).upload_from_string(content)

    def put_long_ago(self, bucket: str, name: str, content: bytes) -> None:
        """Store an object without a notification, as if it had been handled long ago."""
        resource = _make_object_resource(self.stack.storage_url, bucket, name, "text/plain", len(content))
        with Handler.lock, patch.object(self.objects, "_finalized"):
            self.objects.create_file(bucket, name, content, resource)

    def contents(self, prefix: str) -> dict[tuple[str, str], tuple[int, bytes | None]]:
        """For each object, by bucket and name: the number of generations, and the content of the live one."""
        found: dict[tuple[str, str], tuple[int, bytes | None]] = {}
        with Handler.lock:
            for bucket in self.settings.buckets:
                query = {"prefix": prefix, "versions": "true"}
                names = [str(one["name"]) for one in self.objects.listing(bucket, query)["items"]]
                for name, generations in Counter(names).items():
                    is_live = self.objects.generation(bucket, name) != "0"
                    content = bytes(self.objects.get_file(bucket, name)) if is_live else None
                    found[bucket, name] = (generations, content)
        return found

    def fail(self, seed: int, rate: float, kinds: Mapping[str, Sequence[Kind]] | None = None) -> None:
        """From now on, make a share `rate` of calls fail, in the ways given for each service, or in all ways."""
        seeds = random.Random(seed)
        for (_, service), trouble in self.trouble.items():
            by_default = {PUSH: _ON_PUSH, "pubsub": _ON_PUBSUB}.get(service, COMMON)
            chosen = by_default if kinds is None else kinds.get(service, ())
            number = seeds.getrandbits(32)
            trouble.schedule = Schedule(number, rate, chosen) if chosen else None

    def heal(self) -> None:
        """Stop all faults. Calls that were delayed and messages that were held back continue."""
        for trouble in self.trouble.values():
            trouble.heal()
        self.pubsub.let_go()

    def kill(self, function: str) -> None:
        """Kill the function's instance; functions-framework starts another at once, as Cloud Run would."""
        listing = subprocess.run(
            ["pgrep", "-P", str(self.stack.processes.pid(function))], capture_output=True, text=True, check=False
        )
        for worker in listing.stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(worker), signal.SIGKILL)

    def kill_at(self, function: str, number: int, of: str = "") -> threading.Event:
        """Kill the function's instance at its call number `number` among those with `of` in their names.

        The call itself is carried out. The returned event is set once the instance was killed.
        """
        killed = threading.Event()
        numbers = itertools.count(1)

        def on_call(call: str) -> None:
            if not killed.is_set() and of in call and next(numbers) == number:
                self.kill(function)
                killed.set()

        before = self.trouble[function, SERVICES[0]].on_call

        def all_of_them(call: str) -> None:
            if before is not None:
                before(call)
            on_call(call)

        for service in SERVICES:
            self.trouble[function, service].on_call = all_of_them
        return killed

    def restart_firestore(self) -> None:
        """Kill Firestore and start it again. No acknowledged write is lost."""
        with self.firestore.gone() as fill:
            fill(self._restarted("firestore"))

    def restart_pubsub(self) -> None:
        """Kill Pub/Sub and start it again. Undelivered messages are delivered, some of them perhaps twice."""
        self.pubsub.part()
        self.pubsub.meet(self._restarted("pubsub"))
        self._make_topics()
        self.pubsub.present.set()
        self.pubsub.publish_again()

    def restart_storage(self) -> None:
        """Stop Cloud Storage in the middle of its requests, and start it again with the same objects."""
        for one in self._storages:
            one.stop()
        for one in self._storages:
            one.start()

    def restart_auth(self, user_id: str, email: str, password: str) -> Account:
        """Kill Firebase Auth and start it again. Adds the user again and signs in again."""
        self.stack.processes.kill("auth")
        self.stack.start_emulators(["auth"])
        return self.users.add(user_id, email, password)

    def _make_topics(self) -> None:
        with pointed_at(self.stack.environment):
            resources.make_topics(self.settings, self._pushed)

    def _ways(self, function: str | None) -> dict[str, str]:
        """The variables that point at new proxies with that function's faults; with None, without faults."""
        trouble = {service: self.trouble[function, service] if function else None for service in SERVICES}
        enter = self._cleanup.enter_context
        return {
            "STORAGE_EMULATOR_HOST": self._storage(trouble["storage"] or Trouble()),
            "FIRESTORE_EMULATOR_HOST": enter(serving(FirestoreProxy(self.firestore, trouble["firestore"]))),
            "PUBSUB_EMULATOR_HOST": enter(serving(PubsubProxy(self.pubsub, trouble["pubsub"]))),
        }

    def _storage(self, trouble: Trouble) -> str:
        """Start a server of Cloud Storage with these faults, and return its address."""
        storage_server = _Storage(self.objects, trouble)
        storage_server.start()
        self._cleanup.callback(storage_server.stop)
        self._storages.append(storage_server)
        return f"http://{HOST}:{storage_server.port}"

    def _restarted(self, name: str) -> str:
        # On another port, so that no earlier call can reach it.
        self.stack.processes.kill(name)
        self._ports[name] = ports.any_free([name])[name]
        self.stack.start_emulators([name])
        return f"{HOST}:{self._ports[name]}"


@contextmanager
def running(
    output: Callable[[str], None], *, sweep_after: int = 1, longest_run: int = LONGEST_RUN
) -> Iterator[Bench]:
    """A bench without faults."""
    folder = Path(tempfile.mkdtemp(prefix="nuumee-"))
    host_ports = ports.any_free(PORT_NAMES)
    with Processes(output, folder) as processes, ExitStack() as cleanup:
        stack = Stack(host_ports, processes, folder)
        stack.start_emulators(("auth", "firestore", "pubsub"))
        bench = Bench(stack, host_ports, cleanup, sweep_after, longest_run)
        bench.start_functions()
        yield bench


class _Storage:
    """A server of Cloud Storage that can be stopped, with all its connections, and started again."""

    def __init__(self, objects: VersionedStorage, trouble: Trouble) -> None:
        self.port = 0
        self._objects = objects
        self._trouble = trouble
        self._connections: WeakSet[socket.socket] = WeakSet()

    def start(self) -> None:
        self._httpd = self._bound()
        self.port = self._httpd.server_address[1]
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.05,))
        self._thread.start()

    def _bound(self) -> Server:
        for _ in range(50):
            with suppress(OSError):  # another connection may have taken the port meanwhile
                return server(self.port, self._objects, handler=self._handle)
            time.sleep(0.1)
        return server(self.port, self._objects, handler=self._handle)

    def _handle(
        self, objects: VersionedStorage, keys: Mapping[str, str], connection: socket.socket, *args: Any
    ) -> TroubledHandler:
        self._connections.add(connection)
        return TroubledHandler(self._trouble, objects, keys, connection, *args)

    def stop(self) -> None:
        self._httpd.shutdown()
        self._thread.join()
        self._httpd.server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def pointed_at(environment: Mapping[str, str]) -> Iterator[None]:
    """Google clients created within use this environment. They read it when they are created."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
