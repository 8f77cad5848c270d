"""Lists: answers a second, CPU and latency beside the peers, a database each for 20, 200 and 2,000 jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from google.cloud import firestore

from tests.benchmarks.load import Load, middle
from tests.benchmarks.rows import Row
from tests.benchmarks.servers import Server, Servers, running
from tests.jobs import deleted, document, put_all
from tests.tokens import unsigned_token

USER = "me"
_PAGE = "/jobs?page_size=20"
_MEDIA = "/jobs?page_size=20&include=media"
_ROUNDS = 3
_SECONDS = 3
_SLOW_SECONDS = 9
"""For a server that takes seconds for an answer."""
_MEDIA_FIELDS = ("reference_image", "motion_video", "output_video")


@dataclass(frozen=True)
class Work:
    server: Server
    path: str = _PAGE
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: int = _SECONDS


def rows(servers: Servers) -> Iterator[Row]:
    few, many = _beside_plainest(servers, 20), _beside_plainest(servers, 2000)
    project = filled(200)
    with running(
        servers.ours("list_jobs", project),
        servers.peer("plainest", project=project),
        servers.peer("bare", project=project),
        servers.backend(project),
    ) as (ours, plainest, bare, backend):
        ids, tag = _poll(ours, project)
        page, media, poll, plain, stub, old = _measured(
            project,
            Work(ours),
            Work(ours, _MEDIA),
            Work(ours, ids, {"If-None-Match": tag}),
            Work(plainest),
            Work(bare),
            Work(backend, seconds=_SLOW_SECONDS),
        )
    clean, littered = _with_deleted(servers)

    name = "list of 20 of 200 jobs with total, requests/s, against"
    yield Row(name=f"{name} the plainest", ours=page.rate, peer=plain.rate, limit=2.2, at_least=True)
    yield Row(name=f"{name} the backend", ours=page.rate, peer=old.rate, limit=12, at_least=True)
    yield Row(name=f"{name} the bare stub", ours=page.rate, peer=stub.rate, limit=0.6, at_least=True)
    pages = {20: few, 200: (page, plain), 2000: many}
    for jobs, (mine, theirs) in pages.items():
        yield Row(name=f"list of 20 of {jobs:,} jobs, CPU ms", ours=mine.cpu, peer=theirs.cpu, limit=9 / 19)
    used = [mine.cpu for mine, _ in pages.values()]
    yield Row(name="list of 20, CPU ms, most against least of these", ours=max(used), peer=min(used), limit=1.1)
    yield Row(name="with include=media, CPU ms, against without", ours=media.cpu, peer=page.cpu, limit=1.15)
    name = "ids of 3, nothing changed (304)"
    yield Row(name=f"{name}, CPU ms, against a page", ours=poll.cpu, peer=page.cpu, limit=0.35)
    yield Row(name=f"{name}, ms, against a page", ours=1000 / poll.rate, peer=1000 / page.rate, limit=0.35)
    name = "20 live and 100 deleted jobs"
    yield Row(name=f"{name}, CPU ms, against 20 live", ours=littered.cpu, peer=clean.cpu, limit=1.6)
    yield Row(name=f"{name}, ms, against 20 live", ours=1000 / littered.rate, peer=1000 / clean.rate, limit=1.6)
    yield Row(name="list of 20 of 200 jobs, p99 ms against p50", ours=page.p99, peer=page.p50, limit=5)


def filled(jobs: int) -> str:
    """A project whose only user has so many jobs: the emulator scans all documents, whoever's they are."""
    project = f"demo-bench-{jobs}"
    put_all(firestore.Client(project=project), [job() for _ in range(jobs)])
    return project


def job(**changes: Any) -> dict[str, Any]:
    """A completed job that has all media and pictures."""
    paths = {f"{medium}_path": f"{USER}/job/{medium}.mp4" for medium in _MEDIA_FIELDS}
    pictures = {
        "posters": dict.fromkeys(_MEDIA_FIELDS, f"{USER}/job/poster.webp"),
        "previews": dict.fromkeys(_MEDIA_FIELDS[1:], f"{USER}/job/preview.mp4"),
    }
    return document(USER, **{**paths, **pictures, **changes})


def headers(project: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {unsigned_token(USER, project)}"}


def _beside_plainest(servers: Servers, jobs: int) -> tuple[Load, Load]:
    project = filled(jobs)
    with running(servers.ours("list_jobs", project), servers.peer("plainest", project=project)) as both:
        ours, plainest = _measured(project, *map(Work, both))
    return ours, plainest


def _with_deleted(servers: Servers) -> tuple[Load, Load]:
    """A page of 20 live jobs alone, and with five deleted ones before each."""
    project = "demo-bench-deleted"
    of_deletion = {key: value for key, value in deleted(USER).items() if key not in document(USER)}
    jobs = [job(**(of_deletion if number % 6 else {})) for number in range(1, 121)]
    put_all(firestore.Client(project=project), jobs)
    clean = "demo-bench-20"
    with running(servers.ours("list_jobs", clean), servers.ours("list_jobs", project)) as (without, among):
        loads = _measured(None, Work(without, headers=headers(clean)), Work(among, headers=headers(project)))
    return loads[0], loads[1]


def _poll(server: Server, project: str) -> tuple[str, str]:
    """The path of a poll for three jobs, and the tag of its answer."""
    url = f"http://127.0.0.1:{server.port}"
    page = requests.get(url + _PAGE, headers=headers(project), timeout=60).json()
    path = "/jobs?ids=" + ",".join(job["id"] for job in page["jobs"][:3])
    answer = requests.get(url + path, headers=headers(project), timeout=60)
    return path, answer.headers["ETag"]


def _measured(project: str | None, *works: Work) -> list[Load]:
    """The load of each, in turn, several times, so that noise of the machine hits all of them."""
    loads: list[list[Load]] = [[] for _ in works]
    of_user = headers(project) if project else {}
    for turn in range(1 + _ROUNDS):
        for work, measured in zip(works, loads, strict=True):
            seconds = work.seconds if turn else 1
            load = work.server.load(work.path, {**of_user, **work.headers}, seconds)
            if turn:  # the first warms up
                measured.append(load)
    return [middle(measured) for measured in loads]
