"""`make dev`: runs the product on this machine until it is told to stop."""

from __future__ import annotations

import os
import re
import sys
import time
from collections import deque

from infra.local import demo_data, ports, stack
from infra.local.emulators import EmulatorsMissing
from infra.local.processes import ProcessEnded
from infra.local.users import Users

_FIRST_PORT = "8000"


def main() -> None:
    stack.stop_on_signals()
    try:
        _run()
    except KeyboardInterrupt:
        print("\ndev: everything has ended", flush=True)
    except (ports.PortTaken, EmulatorsMissing, ProcessEnded, TimeoutError) as error:
        sys.exit(f"dev: {error}")


def _run() -> None:
    chosen = os.environ.get("PORT") or _FIRST_PORT
    try:
        first = int(chosen)
    except ValueError:
        raise ports.PortTaken(f"PORT is {chosen!r}, which is no number") from None
    taken = ports.consecutive(stack.PORT_NAMES, first)
    output = _Output()
    try:
        with stack.running(taken, output=output.show, progress=_progress) as local:
            _progress("filling in demo data")
            users = Users(local.auth_url, stack.PROJECT)
            demo = demo_data.fill(local.settings, users)
            local.start_scheduler()
            local.start_worker(demo.owner.user_id)
            _say(_greeting(local, demo, users.sign_in_url))
            while True:
                local.processes.check()
                time.sleep(0.5)
    except Exception:
        _say("\n".join(output.held_back))
        raise


class _Output:
    """Shows what the functions log. The emulators' chatter is only of interest once something has gone wrong."""

    def __init__(self) -> None:
        self.held_back: deque[str] = deque(maxlen=50)

    def show(self, line: str) -> None:
        if line.startswith(("firestore ", "pubsub ")) and not re.search("SEVERE|ERROR", line):
            self.held_back.append(line)
        else:
            _say(line)


def _greeting(local: stack.Stack, demo: demo_data.Demo, sign_in: str) -> str:
    job, doomed = demo.completed()[0].id, demo.completed()[-1].id
    curl = 'curl -sS -H "Authorization: Bearer $TOKEN"'
    body = f'{{"email":"{demo.owner.email}","password":"{demo_data.PASSWORD}","returnSecureToken":true}}'
    emulators = " ".join(f"{name}={value}" for name, value in local.environment.items())
    return f"""
NuuMee Jobs is running at {local.url}

Open {local.page_url} and sign in:
  {demo.owner.email} ({len(demo.jobs)} jobs) or {demo.newcomer.email} (none), password {demo_data.PASSWORD}

What a share link opens, for anybody:
  {local.url}/v/{job[:8]}

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
    _say(f"dev: {text}")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
