"""`make bench`: speed and memory beside the approach that this replaces, as ratios of one run on one machine."""

from __future__ import annotations

import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import requests
from google.auth import crypt
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore, storage
from google.oauth2 import service_account

from infra.functions import table
from infra.local import ports
from infra.local.stack import PORT_NAMES, PROJECT, Stack, running
from shared.jobs.job import JobPrefix
from shared.jobs.pagination import ListQuery
from shared.jobs.repository import JobRepository
from shared.settings import Bucket
from shared.storage.objects import ObjectStore
from shared.storage.signing import Target, UrlSigner
from tests.jobs import document, put_all
from tests.tokens import pem, private_key, unsigned_token

JOBS = (20, 200, 2000)


def seconds(call: Callable[[], object], rounds: int = 15) -> float:
    """Median time of a call, once it is warm."""
    call()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return median(times)


def peak_kib(call: Callable[[], object]) -> float:
    call()
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1024


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def list_jobs() -> None:
    """A page of 20: every job of the user read and then sliced, against the page and two counts."""
    say("list of 20 jobs            read all   page     ratio   memory ratio")
    for jobs in JOBS:
        client = firestore.Client(project=f"demo-bench-{jobs}")
        put_all(client, [document("me") for _ in range(jobs)])
        repository = JobRepository(client, ThreadPoolExecutor(4))

        def read_all(client: firestore.Client = client) -> list[Any]:
            mine = client.collection("jobs").where(filter=firestore.FieldFilter("user_id", "==", "me"))
            everything = [snapshot.to_dict() for snapshot in mine.stream()]
            live = [job for job in everything if job and not job.get("deleted_at")]
            return sorted(live, key=lambda job: job["created_at"], reverse=True)[:20]

        def page(repository: JobRepository = repository) -> object:
            return repository.page(ListQuery(user_id="me"))

        old, new = seconds(read_all, 5 if jobs > 200 else 15), seconds(page)
        memory = peak_kib(read_all) / peak_kib(page)
        say(
            f"  of {jobs:5}                {1e3 * old:7.1f} ms {1e3 * new:6.1f} ms {old / new:6.1f} {memory:10.1f}"
        )


def served(local: Stack) -> None:
    """The staged function and the approach it replaces, each in one process, with 8 clients at a time."""
    media = ("reference_image", "motion_video", "output_video")
    database = firestore.Client(project=PROJECT)
    for user in ("known", "unknown"):
        posters = {"posters": dict.fromkeys(media, f"{user}/job/poster.webp")} if user == "known" else {}
        jobs = [
            {f"{medium}_path": f"{user}/job/{medium}-{number}" for medium in media} | posters
            for number in range(200)
        ]
        put_all(database, [document(user, **fields) for fields in jobs])
    port = ports.any_free(["replaced"])["replaced"]
    local.processes.start(
        "replaced",
        [str(Path(sys.executable).with_name("functions-framework")), "--target=list_jobs", f"--port={port}"],
        environment={**os.environ, "THREADS": str(table().functions["list_jobs"].threads), "HOST": ports.HOST},
        folder=Path(__file__).parent / "replaced",
    )
    local.processes.wait_for("replaced", lambda: ports.answers(port))
    local.processes.stop(["list_jobs"])  # one user is to be answered as fast as it goes
    local.start_function("list_jobs", REQUESTS_PER_MINUTE="1000000")
    local.processes.wait_for("list_jobs", lambda: ports.answers(local.ports["list_jobs"]))
    old, new = f"http://{ports.HOST}:{port}", local.function_url("list_jobs")
    for query, user in (
        ("page_size=20", "known"),
        ("page_size=20&include=media", "known"),
        # Where the documents name no posters, each is looked for.
        ("page_size=20&include=media", "unknown"),
    ):
        slow, fast = (rate(f"{base}/jobs?{query}", user) for base in (old, new))
        say(
            f"20 of 200, {query:<26} posters {user:<8} replaced {slow:5.1f} a second, ours {fast:5.1f}"
            f" ({fast / slow:.1f} times)"
        )


def rate(url: str, user: str, clients: int = 8, seconds: float = 5) -> float:
    """Answers a second."""
    headers = {"Authorization": f"Bearer {unsigned_token(user)}"}
    until = time.monotonic() + seconds + 1
    counted: list[int] = []

    def ask() -> None:
        with requests.Session() as session:
            session.get(url, headers=headers, timeout=30).raise_for_status()
            while (now := time.monotonic()) < until:
                session.get(url, headers=headers, timeout=30).raise_for_status()
                if now > until - seconds:
                    counted.append(1)

    with ThreadPoolExecutor(clients) as threads:
        for done in [threads.submit(ask) for _ in range(clients)]:
            done.result()
    return len(counted) / seconds


def signing() -> None:
    """URLs by an RSA key on the machine: a client each, a kept signer, and a URL that was signed before."""
    key = pem(private_key())
    signer = crypt.RSASigner.from_string(key)
    credentials = service_account.Credentials(signer, "bench@nuumee.test", "https://token.test")
    now = datetime.now(UTC)
    many = [Target("nuumee-images", f"me/{number}/reference.png") for number in range(300)]

    def client_each() -> None:
        for target in many:
            client = storage.Client(project="bench", credentials=AnonymousCredentials())
            blob = client.bucket(target.bucket).blob(target.path)
            blob.generate_signed_url(timedelta(hours=1), version="v4", credentials=credentials)

    def kept_signer() -> UrlSigner:
        urls = UrlSigner(credentials, "https://storage.googleapis.com", lifetime=3600, window=900, pool=None)
        urls.sign(many, urls.validity(now))
        return urls

    warm = kept_signer()
    each, kept = seconds(client_each, 3), seconds(kept_signer, 3)
    again = seconds(lambda: warm.sign(many, warm.validity(now)), 3)
    say(
        f"signing, URLs a second     a client each {len(many) / each:,.0f}, one signer {len(many) / kept:,.0f} "
        f"({each / kept:.1f} times), signed before {len(many) / again:,.0f} ({each / again:,.0f} times)"
    )


class SlowBucket:
    """Storage at 25 ms a call, which is what it takes in the cloud, not on a loopback."""

    def __init__(self, names: list[str]) -> None:
        self._names = set(names)

    def list_blobs(self, _: str, prefix: str, **__: Any) -> list[Any]:
        time.sleep(0.025)
        return [SlowBlob(self._names, name) for name in sorted(self._names) if name.startswith(prefix)]


class SlowBlob:
    size = 1

    def __init__(self, names: set[str], name: str) -> None:
        self._names = names
        self._name = name

    def delete(self, **_: Any) -> None:
        time.sleep(0.025)
        self._names.discard(self._name)


def purge() -> None:
    """100 objects in each of three buckets: one after the other, against the buckets and objects side by side."""
    names = [f"me/job/{number}" for number in range(100)]

    def one_by_one() -> None:
        for _ in range(3):
            bucket = SlowBucket(names)
            for blob in bucket.list_blobs("", "me/job/"):
                blob.delete()

    def ours() -> None:
        clients = {bucket.value: SlowBucket(names) for bucket in Bucket}
        ObjectStore(_Buckets(clients), list(clients)).purge(JobPrefix("me", "job"))

    serial, parallel = seconds(one_by_one, 1), seconds(ours, 3)
    say(
        f"purge of 300 objects       one by one {serial:.2f} s, side by side {parallel:.2f} s "
        f"({serial / parallel:.1f} times), with the proof that nothing is left"
    )


class _Buckets:
    def __init__(self, buckets: dict[str, SlowBucket]) -> None:
        self._buckets = buckets

    def list_blobs(self, name: str, **options: Any) -> list[Any]:
        return self._buckets[name].list_blobs(name, **options)


def main() -> None:
    lines: list[str] = []
    with running(ports.any_free(PORT_NAMES), output=lines.append, progress=lines.append) as local:
        list_jobs()
        served(local)
    signing()
    purge()


if __name__ == "__main__":
    main()
