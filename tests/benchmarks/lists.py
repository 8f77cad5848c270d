"""Lists: throughput, CPU and latency compared with the peers', with a database each for 20, 200 and 2,000 jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import requests
from google.cloud import firestore

from tests.benchmarks.load import Load, middle
from tests.benchmarks.polling import unchanged
from tests.benchmarks.rows import Row
from tests.benchmarks.servers import Server, Servers, running
from tests.jobs import deleted, document, put_all
from tests.tokens import unsigned_token

USER = "me"
_PAGE = "/jobs?page_size=20"
_MEDIA = "/jobs?page_size=20&include=media"
_CPU = 0.474
"""9 ms for every 19 ms of the plainest function."""
_ROUNDS = 3
_REQUESTS = 160
_SECONDS = 3
_SLOW_SECONDS = 9
"""For a server that takes seconds to answer."""
_MEDIA_FIELDS = ("reference_image", "motion_video", "output_video")


@dataclass(frozen=True)
class Work:
    server: Server
    path: str
    headers: Mapping[str, str]
    seconds: int = _SECONDS


def rows(servers: Servers) -> Iterator[Row]:
    cpu = {20: _beside_plainest(servers, 20), 2000: _beside_plainest(servers, 2000, requests=48)}
    project = filled(200)
    with running(
        servers.ours("list_jobs", project),
        servers.peer("plainest", project=project),
        servers.peer("bare", project=project),
        servers.backend(project),
    ) as (ours, plainest, bare, backend):
        ids, tag = _poll(ours, project)
        user = headers(project)
        unchanged = Work(ours, ids, {**user, "If-None-Match": tag})
        page, poll, plain, stub, old = _loads(
            Work(ours, _PAGE, user),
            unchanged,
            Work(plainest, _PAGE, user),
            Work(bare, _PAGE, user),
            Work(backend, _PAGE, user, _SLOW_SECONDS),
        )
        cpu_page, cpu_plain, cpu_media, cpu_poll = _cpu(
            Work(ours, _PAGE, user), Work(plainest, _PAGE, user), Work(ours, _MEDIA, user), unchanged
        )
    cpu[200] = cpu_page, cpu_plain
    (clean, littered), (cpu_clean, cpu_littered) = _with_deleted(servers)

    name = "20 of 200 jobs with total, requests/s, vs"
    yield Row(name=f"{name} the plainest function", ours=page.rate, peer=plain.rate, limit=2.2, at_least=True)
    yield Row(name=f"{name} the backend", ours=page.rate, peer=old.rate, limit=12, at_least=True)
    yield Row(name=f"{name} the bare stub", ours=page.rate, peer=stub.rate, limit=0.6, at_least=True)
    for jobs, (mine, theirs) in sorted(cpu.items()):
        yield Row(
            name=f"20 of {jobs:,} jobs, CPU ms, vs the plainest function", ours=mine, peer=theirs, limit=_CPU
        )
    used = [mine for mine, _ in cpu.values()]
    yield Row(name="20 jobs, CPU ms, highest vs lowest of these three", ours=max(used), peer=min(used), limit=1.1)
    yield Row(
        name="20 of 200 jobs, CPU ms, with include=media vs without", ours=cpu_media, peer=cpu_page, limit=1.15
    )
    name = "poll of 3 ids, nothing changed (304)"
    yield Row(name=f"{name}, CPU ms, vs a page", ours=cpu_poll, peer=cpu_page, limit=0.35)
    yield Row(name=f"{name}, ms, vs a page", ours=1000 / poll.rate, peer=1000 / page.rate, limit=0.35)
    name = "20 live and 100 deleted jobs"
    yield Row(name=f"{name}, CPU ms, vs 20 live jobs alone", ours=cpu_littered, peer=cpu_clean, limit=1.6)
    yield Row(
        name=f"{name}, ms, vs 20 live jobs alone", ours=1000 / littered.rate, peer=1000 / clean.rate, limit=1.6
    )
    yield Row(name="20 of 200 jobs, ms, p99 vs p50", ours=page.p99, peer=page.p50, limit=5)


def filled(jobs: int) -> str:
    """Create a project with this many jobs of one user. There is no other user: the emulator scans everybody's."""
    project = f"demo-bench-{jobs}"
    put_all(firestore.Client(project=project), [job() for _ in range(jobs)])
    return project


def job(**changes: Any) -> dict[str, Any]:
    """A completed job with all media and pictures."""
    paths = {f"{medium}_path": f"{USER}/job/{medium}.mp4" for medium in _MEDIA_FIELDS}
    pictures = {
        "posters": dict.fromkeys(_MEDIA_FIELDS, f"{USER}/job/poster.webp"),
        "previews": dict.fromkeys(_MEDIA_FIELDS[1:], f"{USER}/job/preview.mp4"),
    }
    return document(USER, **{**paths, **pictures, **changes})


def headers(project: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {unsigned_token(USER, project)}"}


def _beside_plainest(servers: Servers, jobs: int, requests: int = _REQUESTS) -> tuple[float, float]:
    project = filled(jobs)
    with running(servers.ours("list_jobs", project), servers.peer("plainest", project=project)) as both:
        ours, plainest = _cpu(*(Work(server, _PAGE, headers(project)) for server in both), requests=requests)
    return ours, plainest


def _with_deleted(servers: Servers) -> tuple[list[Load], list[float]]:
    """Load and CPU of a page of 20 live jobs, first alone, then with five deleted jobs before each."""
    project = "demo-bench-deleted"
    of_deletion = {key: value for key, value in deleted(USER).items() if key not in document(USER)}
    jobs = [job(**(of_deletion if number % 6 else {})) for number in range(1, 121)]
    put_all(firestore.Client(project=project), jobs)
    clean = "demo-bench-20"
    with running(servers.ours("list_jobs", clean), servers.ours("list_jobs", project)) as (without, among):
        both = Work(without, _PAGE, headers(clean)), Work(among, _PAGE, headers(project))
        return _loads(*both), _cpu(*both)


def _poll(server: Server, project: str) -> tuple[str, str]:
    """The path of a poll for three jobs, and the tag with which it is answered 304."""
    url = f"http://127.0.0.1:{server.port}"
    page = requests.get(url + _PAGE, headers=headers(project), timeout=60).json()
    path = "/jobs?ids=" + ",".join(job["id"] for job in page["jobs"][:3])

    def ask(tag: str) -> requests.Response:
        return requests.get(url + path, headers={**headers(project), "If-None-Match": tag}, timeout=60)

    return path, unchanged(ask, '"none"')


def _loads(*works: Work) -> list[Load]:
    """Measure each one's load in turn, several times, so that noise on the machine affects them all alike."""
    measured = [
        [work.server.load(work.path, work.headers, work.seconds if turn else 1) for work in works]
        for turn in range(1 + _ROUNDS)
    ]
    return [middle(list(loads)) for loads in zip(*measured[1:], strict=True)]  # the first round warms up


def _cpu(*works: Work, requests: int = _REQUESTS) -> list[float]:
    """Measure each one's CPU in the same way, over a fixed number of requests."""
    measured = [[work.server.cpu(work.path, work.headers, requests) for work in works] for _ in range(1 + _ROUNDS)]
    return [median(times) for times in zip(*measured[1:], strict=True)]
