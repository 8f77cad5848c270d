"""Cold starts of HTTP functions, compared with peers that make the same imports and calls; and unused imports."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from infra.local.stack import PROJECT
from tests.benchmarks.asked import Asked, Asking
from tests.benchmarks.rows import Row
from tests.benchmarks.servers import Server, Servers, running

LISTINGS = Path("build") / "imports"
_ROUNDS = 5
_WATCHED = (
    "av",
    "PIL",
    "firebase_admin",
    "google.cloud.firestore",
    "google.cloud.pubsub_v1",
    "google.cloud.storage",
)
"""Modules that are slow to import. No function needs all of them."""
_USED = {
    "list_jobs": {"firebase_admin", "google.cloud.firestore"},
    "get_thumbnails": {"firebase_admin", "google.cloud.firestore"},
    "get_output": {"firebase_admin", "google.cloud.firestore"},
    "delete_job": {"firebase_admin", "google.cloud.firestore", "google.cloud.pubsub_v1"},
    "share_job": {"firebase_admin", "google.cloud.firestore"},
    "share_video": {"google.cloud.firestore", "google.cloud.pubsub_v1"},
}
_ANSWER_ONE = """
import sys
from functions_framework import create_app
function, method, path, *headers = sys.argv[1:]
app = create_app(function, "main.py", "http")
answer = app.test_client().open(path, method=method, headers=[h.split(": ", 1) for h in headers])
sys.exit(None if answer.status_code < 400 else f"{answer.status} {answer.text}")
"""


def rows(servers: Servers, asking: Asking) -> Iterator[Row]:
    for function in asking.functions():
        ours, stub = _starts(servers, asking, function)
        name = f"cold start of {function}, ms to the first answer"
        yield Row(name=name, ours=1000 * ours, peer=1000 * stub, limit=1.15)
    for function in asking.functions():
        imported = {*_WATCHED} & _imports(servers, asking.new(function))
        name = f"libraries that {function} imports but does not use"
        unused = sorted(imported - _USED[function])
        yield Row(name=f"{name}{': ' if unused else ''}{', '.join(unused)}", ours=len(unused), limit=0)


def _starts(servers: Servers, asking: Asking, function: str) -> tuple[float, float]:
    peer = "plainest" if function == "list_jobs" else "cold"
    servers.staged(function)
    times = []
    for _ in range(1 + _ROUNDS):
        ours = _seconds(lambda: servers.ours(function), asking.new(function))
        times.append((ours, _seconds(lambda: servers.peer(peer, function), asking.new(function))))
    mine, theirs = zip(*times[1:], strict=True)  # the first start compiles
    return median(mine), median(theirs)


def _seconds(start: Callable[[], Server], asked: Asked) -> float:
    path = asked.path.replace("&include=media", "")
    began = time.perf_counter()
    with running(start()) as (server,):
        server.ask(path, asked.headers, asked.method)
        return time.perf_counter() - began


def _imports(servers: Servers, asked: Asked) -> set[str]:
    """Modules imported until the first response. Writes their times into LISTINGS, the slowest last."""
    headers = [f"{name}: {value}" for name, value in asked.headers.items()]
    listing = [servers.python, "-X", "importtime", "-c", _ANSWER_ONE]
    ended = subprocess.run(
        [*listing, asked.function, asked.method, asked.path, *headers],
        cwd=servers.staged(asked.function),
        env=servers.environment(PROJECT),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    lines = re.findall(r"^import time: +(\d+) \| +(\d+) \| +(\S+)$", ended.stderr, re.MULTILINE)
    slowest_last = sorted(lines, key=lambda line: int(line[1]))
    LISTINGS.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{own:>9} {total:>9} {module}\n" for own, total, module in slowest_last)
    (LISTINGS / f"{asked.function}.txt").write_text(f"own and total microseconds, module\n{text}")
    return {module for _, _, module in lines}
