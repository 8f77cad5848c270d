"""Keeps the emulators' data from one run to the next: `make dev KEEP=1`.

Pub/Sub messages are not kept. The sweeps make up for lost ones, as in the cloud.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from infra.local.stack import FIRESTORE_EXPORT, PROJECT, STORAGE_EXPORT, Stack
from infra.local.storage import EXPORT
from infra.local.users import Users

EVERY = 30.0
"""Seconds between saves, and so the most that is lost if a run is killed."""
_FORMAT = "1"
"""Change this when runs can no longer read what earlier ones saved."""
_FOLDER = Path(".local") / "data"
_LAST, _FORMAT_FILE, _ACCOUNTS = "last", "format", "accounts.json"
_SECONDS = 300
FORGET = "forget it with rm -r .local (make clean does so too), or leave KEEP=1 out"


class NotKept(Exception):
    """The saved data cannot be used, or nothing can be saved. The message says why and what to do."""


@contextmanager
def opened() -> Iterator[Kept]:
    """The saved data in the current folder, locked for this run. Raises NotKept."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotKept(f"another run keeps its data in {_FOLDER}; end that one, or leave KEEP=1 out") from None
        yield Kept(_FOLDER)


class Kept:
    """The saved data in `folder`: one folder per save. The link `last` points to the most recent one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def last(self) -> Path | None:
        """The folder of the last save, if any. Raises NotKept if this version cannot read it."""
        last = self._folder / _LAST
        if not last.is_symlink():
            return None
        form = last / _FORMAT_FILE
        if not form.is_file() or form.read_text() != _FORMAT:
            raise NotKept(f"{self._folder} is of another version of the local cloud: {FORGET}")
        return last.resolve()

    def save(self, stack: Stack) -> None:
        """Save everything anew, then delete the previous save. Raises NotKept."""
        try:
            self._replace(stack)
        except (OSError, requests.RequestException) as error:
            raise NotKept(f"what is new could not be kept: {error}") from error

    def load_accounts(self, users: Users) -> None:
        """Recreate the accounts. The emulators load everything else at start."""
        if self.last:
            users.load(json.loads((self.last / _ACCOUNTS).read_text()))

    def _replace(self, stack: Stack) -> None:
        before = [path for path in self._folder.iterdir() if path.name.isdecimal()]
        new = self._folder / str(1 + max((int(path.name) for path in before), default=0))
        new.mkdir()
        self._export(stack, new)
        link = self._folder / "next"
        link.unlink(missing_ok=True)
        link.symlink_to(new.name)
        link.replace(self._folder / _LAST)
        for older in before:
            shutil.rmtree(older)

    def _export(self, stack: Stack, folder: Path) -> None:
        firestore = stack.environment["FIRESTORE_EMULATOR_HOST"]
        name = FIRESTORE_EXPORT.parts[0]
        wanted = {
            "database": f"projects/{PROJECT}/databases/(default)",
            "export_directory": str(folder.resolve()),
            "export_name": name,
        }
        # The same request as firebase-tools sends.
        url = f"http://{firestore}/emulator/v1/projects/{PROJECT}:export"
        requests.post(url, json=wanted, timeout=_SECONDS).raise_for_status()
        requests.post(stack.storage_url + EXPORT, timeout=_SECONDS).raise_for_status()
        shutil.move(stack.folder / STORAGE_EXPORT, folder / STORAGE_EXPORT)
        accounts = Users(stack.auth_url, PROJECT).export()
        (folder / _ACCOUNTS).write_text(json.dumps(accounts))
        (folder / _FORMAT_FILE).write_text(_FORMAT)
