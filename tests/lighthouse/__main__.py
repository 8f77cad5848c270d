"""`make lighthouse`: Lighthouse's scores of the page with twenty jobs and of a share page, on a throttled phone.

Also how busy the jobs page keeps its main thread while three jobs are in progress and nobody touches it, and how
much memory saving many videos takes.

Of each page the report with the middle score of three counts. Lighthouse computes from a visit without throttling
how long things would take on that phone and its network, so run it on a quiet machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.cloud import firestore, storage

from infra.local import ports
from infra.local.stack import IN_THE_BACKGROUND, PORT_NAMES, Stack, running
from infra.local.users import Account, Users
from tests.benchmarks.rows import Row
from tests.e2e.shelf import OUTPUT, Shelf, padded
from tests.jobs import new_id
from tests.lighthouse.browser import CATEGORIES, main_thread, memory_of_saving, report
from tests.lighthouse.hosting import hosted

JOBS = 20
RUNS = 3
IDLE = 8
"""Seconds."""
VIDEOS = 8
VIDEO = 100_000_000
"""Bytes."""
PASSWORD = "lighthouse"
LOG = Path("build") / "lighthouse.log"
"""The servers' output."""
_MEDIA = ("reference_image", "motion_video", "output_video")


def main() -> None:
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("w") as log:
        output = partial(print, file=log)
        with running(
            ports.any_free(PORT_NAMES), output=output, progress=output, without=IN_THE_BACKGROUND
        ) as local:
            measured = []
            for row in _rows(local):
                measured.append(row)
                sys.stdout.write(f"{row}\n")
                sys.stdout.flush()
    short = sum(not row.ok for row in measured)
    sys.stdout.write(f"lighthouse: {len(measured)} bars, {short} short\n")
    sys.exit(min(short, 1))


def _rows(local: Stack) -> Iterator[Row]:
    account = Users(local.auth_url, local.settings.project).add("lighthouse", "lighthouse@nuumee.test", PASSWORD)
    shown = _fill(local, account)
    with hosted(local) as local.url:
        jobs = _typical(f"{local.url}/jobs/", "jobs", local, account)
        for category, bar in zip(CATEGORIES, (90.0, 100.0, 100.0), strict=True):
            yield _score(jobs, category, "jobs page", bar)
        for audit, unit, bar in (
            ("largest-contentful-paint", "ms", 2500.0),
            ("cumulative-layout-shift", "", 0.05),
            ("total-blocking-time", "ms", 200.0),
        ):
            name = f"jobs page, {audit.replace('-', ' ')}{unit and f', {unit}'}"
            yield Row(name=name, ours=float(jobs["audits"][audit]["numericValue"]), limit=bar)
        shared = _typical(f"{local.url}/v/{shown}", "share", local, account)
        for category in CATEGORIES:
            yield _score(shared, category, "share page", 97)
        yield _idle(local)
        if sys.platform == "linux":
            yield from _saving(local)


def _idle(local: Stack) -> Row:
    account = Users(local.auth_url, local.settings.project).add("waiting", "waiting@nuumee.test", PASSWORD)
    shelf = _shelf(local, account)
    for status in ("pending", "queued", "processing"):
        shelf.add(status)
    busy = main_thread(f"{local.url}/jobs/", IDLE, local, account, PASSWORD)
    name = f"jobs page, main thread in {IDLE} s idle with three active cards, ms"
    return Row(name=name, ours=busy, limit=500.0)


def _saving(local: Stack) -> Iterator[Row]:
    account = Users(local.auth_url, local.settings.project).add("saving", "saving@nuumee.test", PASSWORD)
    shelf = _shelf(local, account)
    with TemporaryDirectory() as folder:
        large = padded(Path(folder) / OUTPUT.name, OUTPUT, VIDEO)
        for _ in range(VIDEOS):
            shelf.add(instead={OUTPUT: large})
    for way, is_zip in (("into a folder", False), ("as a zip file", True)):
        taken = memory_of_saving(f"{local.url}/jobs/", VIDEOS, is_zip, local, account, PASSWORD)
        name = f"memory of saving {VIDEOS} videos of {VIDEO // 1_000_000} MB {way}, MB"
        yield Row(name=name, ours=taken, limit=200.0)


def _typical(url: str, name: str, local: Stack, account: Account) -> dict[str, Any]:
    """The report with the middle score."""
    reports = [report(url, f"{name}-{run}", local, account, PASSWORD) for run in range(1, RUNS + 1)]
    return sorted(reports, key=lambda one: float(one["categories"]["performance"]["score"]))[RUNS // 2]


def _score(found: dict[str, Any], category: str, page: str, bar: float) -> Row:
    score = found["categories"][category]["score"]
    return Row(name=f"{page}, {category.replace('-', ' ')}", ours=100 * score, limit=bar, at_least=True)


def _fill(local: Stack, account: Account) -> str:
    """Add jobs with all of their media and posters. Returns the short id of a completed one."""
    shelf = _shelf(local, account)
    for number in range(JOBS):
        job_id = new_id()
        status = {JOBS - 1: "processing", JOBS - 2: "failed"}.get(number, "completed")
        posters = dict.fromkeys(_MEDIA, f"{account.user_id}/{job_id}/poster.webp")
        previews = dict.fromkeys(_MEDIA[1:], f"{account.user_id}/{job_id}/preview.mp4")
        shelf.add(status, id=job_id, posters=posters, previews=previews)
        shelf.add_posters(job_id)
        if status == "completed":
            short_id = job_id[:8]
    return short_id


def _shelf(local: Stack, account: Account) -> Shelf:
    project = local.settings.project
    return Shelf(local.settings, firestore.Client(project), storage.Client(project), account.user_id)


if __name__ == "__main__":
    main()
