"""`make soak`: deletes 2,000 jobs while a fifth of all calls fail and the purge is killed every few seconds."""

from __future__ import annotations

import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import NoReturn

import requests
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from tqdm import tqdm

from infra.local import stack
from shared.messaging.events import JobDeleted
from tests.integration.faults import bench as benches
from tests.integration.faults.bench import Bench
from tests.jobs import NOW, document

JOBS = 2_000
LIVE = 200
"""Jobs that are never deleted and must keep their files."""
RATE = 0.2
SEED = 2026
FILES = ("reference.png", "motion.mp4", "output.mp4")
BETWEEN_KILLS = (2.0, 6.0)
"""Seconds."""
BETWEEN_SWEEPS = 10.0
SWEEP_AFTER = 30
"""Seconds. Much less than in a deployment, but enough for an event to be handled first."""
AT_ONCE = 40
"""The maximum number of purges in progress or waiting. The emulator pushes two at a time."""
PATIENCE = 3_600.0


def main() -> None:
    stack.stop_on_signals()
    began = time.monotonic()
    print(f"soak: seed={SEED}, takes about a quarter of an hour", flush=True)
    lines: list[str] = []
    try:
        with benches.running(lines.append, sweep_after=SWEEP_AFTER) as bench:
            soak = _Soak(bench)
            left_over, wrongly_removed, attempts = soak.run()
            faults = sum(trouble.faults for trouble in bench.trouble.values())
            calls = sum(trouble.calls for trouble in bench.trouble.values())
    except KeyboardInterrupt:
        sys.exit("soak: stopped")
    except Exception:
        print(*lines[-40:], sep="\n", file=sys.stderr)
        raise
    seconds = time.monotonic() - began
    print(f"soak: calls={calls} faults={faults} kills={soak.kills}", flush=True)
    print(
        f"soak: deletes={JOBS} objects={JOBS * len(FILES)} attempts={attempts} seconds={seconds:.0f} "
        f"left_over={left_over} wrongly_removed={wrongly_removed}",
        flush=True,
    )
    sys.exit(1 if left_over or wrongly_removed or not (faults and soak.kills) else 0)


class _Soak:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._account = bench.users.add("soak", "soak@nuumee.test", "test-password")
        self._jobs = bench.database.collection("jobs")
        self._ledger = bench.database.collection("deletions")
        self.kills = 0
        self._dice = random.Random(SEED)
        self._doomed = [uuid.UUID(int=self._dice.getrandbits(128)).hex for _ in range(JOBS)]
        self._live = [uuid.UUID(int=self._dice.getrandbits(128)).hex for _ in range(LIVE)]

    def run(self) -> tuple[int, int, int]:
        """Returns how many objects deleted jobs left behind, how many live jobs lost, and how often purges ran."""
        with ThreadPoolExecutor(8) as threads:
            for _ in tqdm(threads.map(self._make, self._doomed + self._live), "making", JOBS + LIVE, disable=None):
                pass
        self._bench.fail(SEED, RATE)
        killing = _every(lambda: self._dice.uniform(*BETWEEN_KILLS), self._kill)
        with killing, _every(lambda: BETWEEN_SWEEPS, self._bench.sweep):
            for job_id in self._live:
                self._forge(job_id)
            with tqdm(desc="deleting", total=JOBS, disable=None) as bar, ThreadPoolExecutor(8) as threads:
                for first in range(0, JOBS, AT_ONCE // 2):
                    part = self._doomed[first : first + AT_ONCE // 2]
                    list(threads.map(self._delete, part))
                    self._wait_until_purged(first + len(part) - AT_ONCE // 2, bar)
                self._wait_until_purged(JOBS, bar)
        self._bench.heal()
        left_over = sum(self._objects(job_id) for job_id in self._doomed)
        there = sum(self._objects(job_id) for job_id in self._live)
        attempts = sum(snapshot.get("attempts") for snapshot in self._deleted().stream(timeout=60))
        return left_over, LIVE * len(FILES) - there, attempts

    def _kill(self) -> None:
        self._bench.kill("purge_job")
        self.kills += 1

    def _forge(self, job_id: str) -> None:
        """A bug elsewhere publishes a deletion of a live job."""
        data, attributes = JobDeleted(job_id, self._account.user_id, NOW).encode()
        self._bench.publish(self._bench.settings.job_deleted_topic, data, **attributes)

    def _make(self, job_id: str) -> None:
        self._jobs.document(job_id).set(document(self._account.user_id))
        for bucket, name in zip(self._bench.settings.buckets, FILES, strict=True):
            blob = self._bench.buckets.bucket(bucket).blob(f"{self._account.user_id}/{job_id}/{name}")
            blob.upload_from_string(name.encode())

    def _delete(self, job_id: str) -> None:
        """Delete as the page does: retry until it is accepted."""
        headers = {"Authorization": f"Bearer {self._account.token}"}
        url = f"{self._bench.url('delete_job')}/jobs/{job_id}"
        for _ in range(100):
            try:
                if requests.delete(url, headers=headers, timeout=30).status_code == 202:
                    return
            except requests.RequestException:
                continue
        raise TimeoutError(f"{job_id} could not be deleted")

    def _wait_until_purged(self, count: int, bar: tqdm[NoReturn]) -> None:
        deadline = time.monotonic() + PATIENCE
        while (done := len(self._deleted().select([]).get(timeout=60))) < count:
            bar.update(done - bar.n)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count - done} jobs are not purged")
            time.sleep(1)
        bar.update(done - bar.n)

    def _deleted(self) -> firestore.Query:
        return self._ledger.where(filter=FieldFilter("state", "==", "done"))

    def _objects(self, job_id: str) -> int:
        found = self._bench.contents(f"{self._account.user_id}/{job_id}/")
        return sum(generations for generations, _ in found.values())


@contextmanager
def _every(seconds: Callable[[], float], act: Callable[[], None]) -> Iterator[None]:
    """Within, call `act` repeatedly, after `seconds()` each time."""
    ended = Event()

    def repeat() -> None:
        while not ended.wait(seconds()):
            act()

    with ThreadPoolExecutor(1) as thread:
        repeating = thread.submit(repeat)
        try:
            yield
        finally:
            ended.set()
        repeating.result()


if __name__ == "__main__":
    main()
