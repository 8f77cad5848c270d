"""`python -m tests.benchmarks.cost`: counts what each user action costs locally; writes docs/cost.md."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import requests
from google.cloud import firestore, pubsub_v1, storage

from infra.local import ports
from infra.local.ports import HOST
from infra.local.stack import PROJECT, Stack
from infra.local.users import Users
from infra.stage import ROOT
from tests.benchmarks.metered import Meters, Operations, running
from tests.benchmarks.polling import unchanged
from tests.benchmarks.signing import PAGE
from tests.jobs import document, new_id, put_all
from tests.visits import CHROME

HERE = Path(__file__).parent
DOCUMENT = ROOT / "docs" / "cost.md"
MEDIA = ROOT / "infra" / "local" / "media"
JOBS = 200
USERS = (1_000, 100_000, 10_000_000)
DAYS = 30
_TIMES = 20
_LOOKS = 3
"""Looks at the mark of a finished job: FINAL_WATCHED_FOR in shared/deletion/entry.py."""
_SIGNATURES = 60_000
"""Most that IAM makes in a minute for a project."""
_GROUPS = {
    "Firestore": ("read", "write", "delete"),
    "Storage": ("class_a", "class_b"),
    "Pub/Sub": ("pubsub_kilobyte",),
    "functions": ("request", "second"),
    "bytes out": ("megabyte_out",),
}
_COLUMNS = {
    "reads": "read",
    "writes": "write",
    "deletes": "delete",
    "class A": "class_a",
    "class B": "class_b",
    "Pub/Sub kB": "pubsub_kilobyte",
    "requests": "request",
    "CPU ms": "second",
    "kB out": "megabyte_out",
}
Costs = Mapping[str, Operations]


@dataclass(frozen=True)
class Person:
    """A signed-in user and their jobs. The documents that it writes are not counted; its uploads are."""

    user_id: str
    headers: Mapping[str, str]
    database: firestore.Client
    buckets: storage.Client
    stack: Stack

    def job(self, **changes: Any) -> str:
        job_id = new_id()
        self.database.document(f"jobs/{job_id}").set({**self.document(job_id), **changes})
        return job_id

    def document(self, job_id: str) -> dict[str, Any]:
        prefix = f"{self.user_id}/{job_id}"
        return document(
            self.user_id,
            reference_image_path=f"{prefix}/reference.jpg",
            motion_video_path=f"{prefix}/motion.mp4",
            output_video_path=f"{prefix}/output.mp4",
        )

    def upload(self, job_id: str) -> None:
        """Upload the three files of a job, as the page and the worker do."""
        files = {
            "nuumee-images": ("reference-nova.jpg", "reference.jpg"),
            "nuumee-videos": ("motion-wave.mp4", "motion.mp4"),
            "nuumee-outputs": ("output-nova-wave.mp4", "output.mp4"),
        }
        for bucket, (file, name) in files.items():
            blob = self.buckets.bucket(bucket).blob(f"{self.user_id}/{job_id}/{name}")
            blob.upload_from_filename(MEDIA / file)

    def shared(self) -> str:
        """Create a job with an output and a share link. Returns the short id."""
        short_id = new_id()[:16]
        job_id = self.job(short_id=short_id)
        self.database.document(f"short_links/{short_id}").set({"job_id": job_id})
        return short_id


def main() -> None:
    lines: list[str] = []
    with running(lines.append) as meters:
        person = _person(meters.stack)
        ours = dict(_ours(meters, person))
        naive = dict(_naive(meters, person))
    DOCUMENT.write_text(text(ours, naive))
    sys.stdout.write(f"cost: {DOCUMENT.relative_to(ROOT)} is written\n")


def _person(stack: Stack) -> Person:
    account = Users(stack.auth_url, PROJECT).add("me", "me@nuumee.test", "password")
    headers = {"Authorization": f"Bearer {account.token}"}
    return Person("me", headers, firestore.Client(project=PROJECT), storage.Client(project=PROJECT), stack)


def _ours(meters: Meters, person: Person) -> Iterator[tuple[str, Operations]]:
    get = partial(_get, meters, person)

    made = [person.job(status="processing", output_video_path=None) for _ in range(5)]
    yield "a job made", meters.measured(len(made), lambda: _each(person.upload, made))

    pictures = person.database.document(f"jobs/{made[0]}").get().to_dict() or {}
    known = {name: pictures[name] for name in ("posters", "previews")}
    put_all(person.database, [{**person.document(made[0]), **known} for _ in range(JOBS)])
    first = get("list_jobs", "/jobs?page_size=20&include=media,counts").json()

    def view_page() -> None:
        page = get("list_jobs", "/jobs?page_size=20&include=media,counts").json()
        posters = [url for job in page["jobs"] for name, url in job["media"].items() if url and "_poster_" in name]
        for url in posters:
            meters.fetched(requests.get(url, timeout=60))

    yield "a page view", meters.measured(_TIMES, lambda: _repeat(view_page))

    watched = "/jobs?include=media&ids=" + ",".join(job["id"] for job in first["jobs"][:3])
    tag = get("list_jobs", watched).headers["ETag"]

    def poll() -> None:
        nonlocal tag  # it changes with the URLs, every quarter of an hour
        tag = unchanged(lambda held: get("list_jobs", watched, {"If-None-Match": held}), tag)

    yield "a poll", meters.measured(_TIMES, lambda: _repeat(poll))

    yield "a look", meters.measured(_TIMES, lambda: _repeat(lambda: get("list_jobs", "/jobs?page_size=1")))

    minute = partial(_minute, person.stack)
    meters.measured(1, minute)  # the first of all writes where the next go on
    idle = meters.measured(1, minute)
    yield "a delete", _delete(meters, person, idle)

    finished = made[1]
    yield "a download", meters.measured(_TIMES, lambda: _repeat(lambda: _download(meters, person, finished)))

    short_id = person.shared()
    visits = meters.measured(_TIMES, lambda: _repeat(lambda: _visit(meters, person, short_id)))
    counted = meters.measured(_TIMES, minute)
    yield "a share view", visits + counted + idle * (-1 / _TIMES)
    yield "an idle minute", idle


def _delete(meters: Meters, person: Person, idle: Operations) -> Operations:
    """A delete with its purge, and the looks at its mark that sweeps make, which are due at once here."""
    gone = [person.job() for _ in range(_TIMES)]
    for job_id in gone:
        person.upload(job_id)
    url = meters.stack.function_url("delete_job")

    def delete(job_id: str) -> None:
        meters.sent(requests.delete(f"{url}/jobs/{job_id}", headers=person.headers, timeout=60))

    def look() -> None:
        for job_id in gone:
            person.database.document(f"deletions/{job_id}").update({"sweep_at": datetime.now(UTC)})
        _minute(person.stack)

    deleted = meters.measured(_TIMES, lambda: _each(delete, gone))
    for _ in range(_LOOKS):
        deleted = deleted + meters.measured(_TIMES, look) + idle * (-1 / _TIMES)
    return deleted


def _naive(meters: Meters, person: Person) -> Iterator[tuple[str, Operations]]:
    stack = meters.stack
    stack.processes.stop([*stack.functions, "gateway"])
    port = ports.any_free(["backend"])["backend"]
    command = [sys.executable, "-m", "uvicorn", "tests.benchmarks.peers.backend:app", f"--port={port}"]
    environment = stack.function_environment("list_jobs", PYTHONPATH=str(ROOT))
    stack.processes.start("backend", command, environment=environment, folder=ROOT)
    stack.processes.wait_for("backend", lambda: ports.answers(port))
    meters.groups = [stack.processes.pid("backend")]
    url = f"http://{HOST}:{port}"

    def ask(method: str, path: str) -> None:
        meters.sent(requests.request(method, url + path, headers=person.headers, timeout=60))

    page = partial(ask, "GET", "/jobs?include=media")
    page()
    yield "a page view", meters.measured(_TIMES, lambda: _repeat(page))
    yield "a poll", meters.measured(_TIMES, lambda: _repeat(page))
    short_id = person.shared()
    view = partial(ask, "GET", f"/public/video/{short_id}")
    yield "a share view", meters.measured(_TIMES, lambda: _repeat(view))
    gone = [person.job() for _ in range(_TIMES)]
    for job_id in gone:
        person.upload(job_id)
    yield "a delete", meters.measured(_TIMES, lambda: _each(lambda job_id: ask("DELETE", f"/jobs/{job_id}"), gone))


def _each(action: Callable[[str], None], job_ids: list[str]) -> None:
    for job_id in job_ids:
        action(job_id)


def _repeat(action: Callable[[], object]) -> None:
    for _ in range(_TIMES):
        action()


def _get(
    meters: Meters, person: Person, function: str, path: str, headers: Mapping[str, str] | None = None
) -> requests.Response:
    url = meters.stack.function_url(function) + path
    return meters.sent(requests.get(url, headers={**person.headers, **(headers or {})}, timeout=60))


def _download(meters: Meters, person: Person, job_id: str) -> None:
    """Request only the URL. How much is downloaded with it is an assumption."""
    _get(meters, person, "get_output", f"/jobs/{job_id}/output")


def _visit(meters: Meters, person: Person, short_id: str) -> None:
    """A new visitor opens the page of a link, is redirected to the video and stays for more than two seconds."""
    visitor = {
        "User-Agent": CHROME,
        "X-Forwarded-For": f"2001:db8:{new_id()[:4]}::1",
        "Sec-Fetch-Site": "same-origin",
    }
    url = meters.stack.function_url("share_video")
    for path in (f"/v/{short_id}", f"/v/{short_id}/video.mp4", f"/v/{short_id}/seen"):
        meters.sent(requests.get(url + path, headers=visitor, timeout=60, allow_redirects=False))


def _minute(stack: Stack) -> None:
    with pubsub_v1.PublisherClient() as publisher:
        publisher.publish(f"projects/{stack.settings.project}/topics/every-minute", b"{}").result(timeout=60)


def text(ours: Costs, naive: Costs) -> str:
    """The page, from what each action takes and what it takes with the plainest backend."""
    prices = tomllib.loads((HERE / "prices.toml").read_text())
    behaviour = tomllib.loads((HERE / "behaviour.toml").read_text())
    template = (HERE / "cost_template.md").read_text()
    videos: Mapping[str, float] = behaviour["megabytes"]
    whole = {name: _with_video(one, videos.get(name, 0)) for name, one in ours.items()}
    # Actions that the plainest backend would not do differently, such as making a job, cost what ours do.
    of_backend = {name: _with_video(one, videos.get(name, 0)) for name, one in naive.items()}
    theirs = {**whole, **of_backend}
    tables = {
        "prices": price_rows(prices),
        "behaviour": "\n".join(f"| {name} | {number} |" for name, number in behaviour["a_month"].items()),
        "megabytes": " and ".join(f"{number} MB for {name}" for name, number in videos.items()),
        "operations": _operations(whole, of_backend),
        "thousand": _thousand(prices, whole, theirs),
        "month": _months(prices, behaviour["a_month"], whole, theirs),
        "loads": _loads(behaviour["a_month"], whole),
        "signatures": _SIGNATURES,
        "urls": len(PAGE),
        "pages": _SIGNATURES // len(PAGE),
    }
    return template.format(**tables)


def price_rows(prices: Mapping[str, Any]) -> str:
    return "\n".join(
        f"| {price['what']} | ${price['dollars']:g} / {price['per']:,.10g} | {price['source']} |"
        for price in prices.values()
    )


def _operations(ours: Costs, naive: Costs) -> str:
    lines = [f"| | {' | '.join(_COLUMNS)} |", f"| --- |{' --- |' * len(_COLUMNS)}"]
    for whose, costs in (("", ours), (", plainest backend", naive)):
        for action, one in costs.items():
            numbers = asdict(one)
            cells = [
                numbers[name] * (1000 if name in ("second", "megabyte_out") else 1) for name in _COLUMNS.values()
            ]
            lines.append(f"| {action}{whose} | {' | '.join(map(_number, cells))} |")
    return "\n".join(lines)


def _thousand(prices: Mapping[str, Any], ours: Costs, naive: Costs) -> str:
    lines = [f"| a thousand times | {' | '.join(_GROUPS)} | together | plainest backend |"]
    lines.append(f"| --- |{' --- |' * (len(_GROUPS) + 2)}")
    for action, one in ours.items():
        parts = _dollars(prices, one * 1000)
        theirs = sum(_dollars(prices, naive[action] * 1000).values()) if action in naive else None
        cells = [*parts.values(), sum(parts.values()), theirs]
        lines.append(f"| {action} | {' | '.join(map(_money, cells))} |")
    return "\n".join(lines)


def _months(prices: Mapping[str, Any], a_month: Mapping[str, float], ours: Costs, naive: Costs) -> str:
    lines = [f"| users | {' | '.join(_GROUPS)} | together | plainest backend |"]
    lines.append(f"| --- |{' --- |' * (len(_GROUPS) + 2)}")
    for users in USERS:
        mine = _sum(ours, a_month) * users + ours["an idle minute"] * (DAYS * 24 * 60)
        parts = _dollars(prices, mine)
        theirs = sum(_dollars(prices, _sum(naive, a_month) * users).values())
        lines.append(f"| {users:,} | {' | '.join(map(_money, [*parts.values(), sum(parts.values()), theirs]))} |")
    return "\n".join(lines)


def _loads(a_month: Mapping[str, float], ours: Costs) -> str:
    """The mean load per second on what has limits, for each number of users."""
    seconds = DAYS * 24 * 3600
    columns = ("page views / s", "polls / s", "jobs made / s", "Firestore writes / s", "busy vCPUs", "purges / s")
    lines = [f"| users | {' | '.join(columns)} |", f"| --- |{' --- |' * len(columns)}"]
    for users in USERS:
        each = users / seconds
        month = _sum(ours, a_month)
        cells = [a_month["a page view"], a_month["a poll"], a_month["a job made"], month.write, month.second]
        numbers = [*(number * each for number in cells), a_month["a delete"] * each]
        lines.append(f"| {users:,} | {' | '.join(map(_number, numbers))} |")
    return "\n".join(lines)


def _with_video(one: Operations, megabytes: float) -> Operations:
    """The action's cost, plus the download of a video of this size from Storage if there is one."""
    return replace(one, class_b=one.class_b + (megabytes > 0), megabyte_out=one.megabyte_out + megabytes)


def _sum(costs: Costs, a_month: Mapping[str, float]) -> Operations:
    total = costs["a poll"] * 0
    for action, times in a_month.items():
        total = total + costs[action] * times
    return total


def _dollars(prices: Mapping[str, Any], one: Operations) -> dict[str, float]:
    numbers = asdict(one)
    each = {name: number * prices[name]["dollars"] / prices[name]["per"] for name, number in numbers.items()}
    return {group: sum(each[name] for name in names) for group, names in _GROUPS.items()}


def _number(number: float) -> str:
    return "0" if abs(number) < 0.0001 else f"{number:,.0f}" if number >= 100 else f"{number:.2g}"


def _money(dollars: float | None) -> str:
    if dollars is None:
        return ""
    if 0 < dollars < 0.001:
        return "< 0.001"
    return f"{dollars:,.0f}" if dollars >= 100 else f"{dollars:.2g}" if dollars < 0.1 else f"{dollars:.2f}"


if __name__ == "__main__":
    main()
