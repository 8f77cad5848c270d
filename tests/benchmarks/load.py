"""Measures a server under load: responses per second with `wrk`, CPU and memory from /proc."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median

CLIENTS = 16
_HOW_TO_INSTALL = "bench: wrk is missing; install it with: apt-get install wrk (macOS: brew install wrk)"
_TICKS = os.sysconf("SC_CLK_TCK")
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Load:
    rate: float
    """Responses per second."""
    p50: float
    """Milliseconds, like p99."""
    p99: float
    answers: float


def middle(loads: list[Load]) -> Load:
    """The median of each figure."""
    return Load(*(median(getattr(load, field.name) for load in loads) for field in fields(Load)))


def check_tools() -> None:
    if shutil.which("wrk") is None:
        sys.exit(_HOW_TO_INSTALL)


def put_under_load(url: str, headers: Mapping[str, str], seconds: int, *, method: str = "GET") -> Load:
    """Let CLIENTS request `url` as fast as it responds. Raises ValueError if a request fails."""
    script = Path(__file__).with_name("wrk.lua")
    command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "--timeout=60s", "--latency", f"-s{script}", url]
    ended = subprocess.run(
        [*command, "--", method, *(f"{name}: {value}" for name, value in headers.items())],
        capture_output=True,
        text=True,
        check=True,
    )
    said = ended.stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise ValueError(f"{url} failed under load:\n{said}")
    answers = int(_found(r"(\d+) requests in", said))
    rate = float(_found(r"Requests/sec:\s*([\d.]+)", said))
    return Load(rate, _latency("50%", said), _latency("99%", said), answers)


def cpu_seconds(group: int) -> float:
    """User and system time that a process group has used so far, including processes that have ended."""
    times = (stat.rpartition(")")[2].split()[11:15] for stat in _stats(group))
    return sum(int(ticks) for four in times for ticks in four) / _TICKS


def memory_mib(group: int) -> float:
    """Proportional set size of a process group, as if no other process on the machine mapped the same files."""
    anonymous, files = 0, 0
    for process in _processes(group):
        try:
            told = Path(f"/proc/{process}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        sizes = dict(re.findall(r"(\w+): +(\d+) kB", told))
        anonymous += int(sizes["Pss_Anon"]) + int(sizes["Pss_Shmem"])
        files = max(files, int(sizes["Rss"]) - int(sizes["Anonymous"]))
    return (anonymous + files) / 1024


def _latency(share: str, said: str) -> float:
    number, unit = re.search(rf"{share}\s+([\d.]+)(us|ms|s|m)", said).groups()  # type: ignore[union-attr]
    return float(number) * _MILLISECONDS[unit]


def _found(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    assert found, said
    return found[1]


def _processes(group: int) -> Iterator[str]:
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getpgid(int(process)) == group:
                yield process
        except ProcessLookupError:
            continue


def _stats(group: int) -> Iterator[str]:
    for process in _processes(group):
        yield Path(f"/proc/{process}/stat").read_text()
