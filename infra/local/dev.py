"""`make dev`: runs the product on this machine and picks up saved files, until stopped.

DEMO_JOBS in the environment is the number of jobs that it fills in.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import deque
from contextlib import nullcontext

from infra.local import demo_data, ports, stack
from infra.local.emulators import EmulatorsMissing
from infra.local.keeping import EVERY as KEEP_EVERY
from infra.local.keeping import FORGET, Kept, NotKept, opened
from infra.local.live import LiveStack
from infra.local.page_builds import PageBuilds
from infra.local.processes import ProcessEnded
from infra.local.users import Users
from infra.stage import ROOT

_FIRST_PORT = 8000
_BETWEEN_FILES = 15.0
"""Seconds between two files of the demo data, at the most: the worker makes a new one every twenty."""


class BadNumber(Exception):
    """A variable in the environment should be a number."""


def main() -> None:
    stack.stop_on_signals()
    try:
        _run()
    except KeyboardInterrupt:
        print("\ndev: everything has ended", flush=True)
    except (BadNumber, ports.PortTaken, EmulatorsMissing, NotKept, ProcessEnded) as error:
        sys.exit(f"dev: {error}")


def _number(name: str, default: int) -> int:
    """What the environment says. Raises BadNumber."""
    chosen = os.environ.get(name) or str(default)
    try:
        return int(chosen)
    except ValueError:
        raise BadNumber(f"{name} is {chosen!r}, which is no number") from None


def _run() -> None:
    first, jobs = _number("PORT", _FIRST_PORT), _number("DEMO_JOBS", demo_data.JOBS)
    taken = ports.consecutive(stack.PORT_NAMES, first)
    keeping = opened() if os.environ.get("KEEP", "0") not in ("", "0") else nullcontext()
    output = _Output()
    try:
        with keeping as kept, stack.empty(LiveStack, taken, output=output.show) as local:
            users = Users(local.auth_url, stack.PROJECT)
            _start(local, users, kept)
            _progress("looking for missing demo data" if local.kept else "filling in demo data")
            output.fill()
            demo = demo_data.fill(local.settings, users, jobs)
            local.start_scheduler()
            local.start_worker(demo.owner.user_id)
            _say(_greeting(local, demo, users.sign_in_url))
            _serve(local, kept)
    except Exception:
        print(*output.held_back, sep="\n", flush=True)
        raise


def _start(local: LiveStack, users: Users, kept: Kept | None) -> None:
    local.say = _progress
    local.kept = kept.last if kept else None
    try:
        local.start(_progress)
    except ProcessEnded as error:
        if local.kept and error.name in ("firestore", "storage"):
            raise NotKept(
                f"{error}, perhaps because it cannot read what is kept in {local.kept}: {FORGET}"
            ) from error
        raise
    if kept:
        kept.load_accounts(users)


def _serve(local: LiveStack, kept: Kept | None) -> None:
    """Keep the functions and the page up to date, and save the data if it is to be kept."""
    builds = PageBuilds(local.processes, ROOT, _progress)
    keep_at = 0.0
    try:
        while True:
            local.processes.check()
            local.reload()
            builds.step()
            if kept and time.monotonic() > keep_at:
                _keep(kept, local)
                keep_at = time.monotonic() + KEEP_EVERY
            time.sleep(0.1)
    finally:
        if kept:
            _progress("keeping the data")
            local.stop_changes()
            _keep(kept, local)


def _keep(kept: Kept, local: LiveStack) -> None:
    try:
        kept.save(local)
    except NotKept as error:
        _progress(str(error))


class _Output:
    """Shows the functions' logs. The emulators' output matters only after something has gone wrong."""

    def __init__(self) -> None:
        self.held_back: deque[str] = deque(maxlen=50)
        self._last_of_demo_data: float | None = None

    def show(self, line: str) -> None:
        if line.startswith(("firestore ", "pubsub ")) and not re.search("SEVERE|ERROR", line):
            self.held_back.append(line)
        elif not self._is_about_demo_data(line):
            _say(line)

    def fill(self) -> None:
        """Take what comes from now on for the demo data's."""
        self._last_of_demo_data = time.monotonic()

    def _is_about_demo_data(self, line: str) -> bool:
        """Whether the line is routine and about the files of the demo data: hundreds would push the greeting away.

        They have ended once there has been none for a while.
        """
        is_routine = line.startswith(("process_upload ", "make_posters ")) and '"severity": "INFO"' in line
        if not is_routine or self._last_of_demo_data is None:
            return False
        now = time.monotonic()
        goes_on = now - self._last_of_demo_data < _BETWEEN_FILES
        self._last_of_demo_data = now if goes_on else None
        return goes_on


def _greeting(local: stack.Stack, demo: demo_data.Demo, sign_in: str) -> str:
    completed = demo.completed()
    job, doomed = (completed[0].id, completed[-1].id) if completed else ("JOB_ID", "JOB_ID")
    links = [short_id for job in completed if (short_id := job.document.get("short_id"))]
    jobs = f"{len(demo.jobs)} jobs"
    curl = 'curl -sS -w "\\n" -H "Authorization: Bearer $TOKEN"'
    body = f'{{"email":"{demo.owner.email}","password":"{demo_data.PASSWORD}","returnSecureToken":true}}'
    emulators = " ".join(f"{name}={value}" for name, value in local.environment.items())
    return f"""
NuuMee Jobs is running at {local.url}

Open {local.page_url} and sign in:
  {demo.owner.email} ({jobs} at first) or {demo.newcomer.email} (none), password {demo_data.PASSWORD}

What a share link opens, for anybody:
  {local.url}/v/{links[0] if links else "SHORT_ID"}

For the API, a token of {demo.owner.email}, good for an hour:
  TOKEN={demo.owner.token}
Another, when it has expired:
  TOKEN=$(curl -sS '{sign_in}' -H 'Content-Type: application/json' \\
    -d '{body}' | sed -n 's/.*"idToken": *"\\([^"]*\\)".*/\\1/p')

  {curl} '{local.url}/jobs?page_size=20'
  {curl} '{local.url}/jobs?status=completed,failed&include=media'
  {curl} '{local.url}/jobs/{job}'
  {curl} '{local.url}/jobs/{job}/thumbnails'
  {curl} '{local.url}/jobs/{job}/output'
  {curl} -X DELETE '{local.url}/jobs/{doomed}'

For tools of your own, the emulators:
  {emulators}

Ctrl-C ends everything.
"""


def _progress(text: str) -> None:
    for line in text.splitlines():
        _say(f"dev: {line}")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
