"""`make soak`: deletes 2,000 jobs and restores a third of them, and another user erases everything, while a fifth
of all calls fail and a purge, a restore or the erasure is killed every few seconds.
"""

from __future__ import annotations

import random
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import NoReturn

import requests
from tqdm import tqdm

from infra.local import stack
from infra.local.users import Account
from shared.messaging.events import JobDeleted
from tests.integration.faults import bench as benches
from tests.integration.faults.bench import Bench
from tests.integration.faults.erasing import erase, erasures, is_erased, new_account
from tests.jobs import NOW, document

JOBS = 2_000
RESTORES = JOBS // 3
ERASED = 300
"""Jobs of the user who erases everything: more than an erasure deletes at a time."""
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
LONGEST_RUN = 60
"""Seconds after which a purge counts as killed: longer than one takes with so many faults."""
UNTIL_RESTORE = (0.0, 5.0)
"""Seconds from a delete until its restore."""
AT_ONCE = 40
"""The maximum number of purges in progress or waiting. The emulator pushes two at a time."""
PATIENCE = 3_600.0


def main() -> None:
    stack.stop_on_signals()
    began = time.monotonic()
    print(f"soak: seed={SEED}, takes about a quarter of an hour", flush=True)
    lines: list[str] = []
    try:
        with benches.running(lines.append, sweep_after=SWEEP_AFTER, longest_run=LONGEST_RUN) as bench:
            soak = _Soak(bench)
            soak.run()
            left_over, wrongly_removed, not_restored, attempts = soak.found()
            faults = sum(trouble.faults for trouble in bench.trouble.values())
            calls = sum(trouble.calls for trouble in bench.trouble.values())
    except KeyboardInterrupt:
        sys.exit("soak: stopped")
    except Exception:
        print(*lines[-40:], sep="\n", file=sys.stderr)
        raise
    seconds = time.monotonic() - began
    objects = (JOBS + ERASED) * len(FILES)
    print(f"soak: calls={calls} faults={faults} kills={soak.kills}", flush=True)
    print(f"soak: erased={ERASED} objects={objects} attempts={attempts} seconds={seconds:.0f}", flush=True)
    print(
        f"soak: deletes={JOBS} restores={RESTORES} left_over={left_over} wrongly_removed={wrongly_removed} "
        f"not_restored={not_restored}",
        flush=True,
    )
    is_wrong = left_over or wrongly_removed or not_restored
    sys.exit(1 if is_wrong or not (faults and soak.kills) else 0)


class _Soak:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._account, self._eraser = (new_account(bench, name) for name in ("soak", "eraser"))
        self._jobs = bench.database.collection("jobs")
        self._ledger = bench.database.collection("deletions")
        self.kills = 0
        self._dice = random.Random(SEED)
        self._doomed = [uuid.UUID(int=self._dice.getrandbits(128)).hex for _ in range(JOBS)]
        self._erased = [uuid.UUID(int=self._dice.getrandbits(128)).hex for _ in range(ERASED)]
        self._regretted = {*self._dice.sample(self._doomed, RESTORES)}
        self._live = [uuid.UUID(int=self._dice.getrandbits(128)).hex for _ in range(LIVE)]

    def run(self) -> None:
        """Returns once every job is as its owner wishes."""
        with ThreadPoolExecutor(8) as threads:
            made = [(self._account, one) for one in self._doomed + self._live]
            made += [(self._eraser, one) for one in self._erased]
            for _ in tqdm(threads.map(lambda one: self._make(*one), made), "making", len(made), disable=None):
                pass
        self._bench.fail(SEED, RATE)
        killing = _every(lambda: self._dice.uniform(*BETWEEN_KILLS), self._kill)
        with killing, _every(lambda: BETWEEN_SWEEPS, self._bench.sweep):
            for job_id in self._live:
                self._forge(job_id)
            with tqdm(desc="deleting", total=JOBS, disable=None) as bar, ThreadPoolExecutor(8) as threads:
                erasing = threads.submit(self._erase)
                for first in range(0, JOBS, AT_ONCE // 2):
                    part = self._doomed[first : first + AT_ONCE // 2]
                    list(threads.map(self._delete, part))
                    self._wait_until_at_rest(first + len(part) - AT_ONCE // 2, bar)
                self._wait_until_at_rest(JOBS, bar)
                erasing.result()
                self._wait_until_erased()
        self._bench.heal()

    def found(self) -> tuple[int, int, int, int]:
        """How many objects deleted jobs left behind, and how many live and restored ones lack; and how often
        purges ran.
        """
        gone = [job_id for job_id in self._doomed if job_id not in self._regretted]
        left_over = self._objects(self._account, gone) + self._objects(self._eraser, self._erased)
        there, back = (self._objects(self._account, ids) for ids in (self._live, self._regretted))
        attempts = sum(snapshot.get("attempts") for snapshot in self._ledger.stream(timeout=60))
        return left_over, LIVE * len(FILES) - there, RESTORES * len(FILES) - back, attempts

    def _kill(self) -> None:
        self._bench.kill(("purge_job", "restore_job", "erase_jobs")[self.kills % 3])
        self.kills += 1

    def _forge(self, job_id: str) -> None:
        """A bug elsewhere publishes a deletion of a live job."""
        data, attributes = JobDeleted(job_id, self._account.user_id, NOW).encode()
        self._bench.publish(self._bench.settings.job_deleted_topic, data, **attributes)

    def _make(self, account: Account, job_id: str) -> None:
        self._jobs.document(job_id).set(document(account.user_id))
        for bucket, name in zip(self._bench.settings.buckets, FILES, strict=True):
            blob = self._bench.buckets.bucket(bucket).blob(f"{account.user_id}/{job_id}/{name}")
            blob.upload_from_string(name.encode())

    def _delete(self, job_id: str) -> None:
        """Delete, and perhaps restore, as the page does."""
        self._ask("DELETE", f"{self._bench.url('delete_job')}/jobs/{job_id}")
        if job_id in self._regretted:
            time.sleep(self._dice.uniform(*UNTIL_RESTORE))
            self._ask("POST", f"{self._bench.url('undelete_job')}/jobs/{job_id}/restore")

    def _erase(self) -> None:
        """Erase everything of the other user. Retry until it is accepted."""
        accepted = erase(self._bench, self._eraser, ERASED, tries=100)
        if not (accepted or erasures(self._bench, self._eraser.user_id)):  # its answer may have been lost
            raise TimeoutError("the erasure was not accepted")

    def _wait_until_erased(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_erased(self._bench, self._eraser.user_id) or not self._all_done():
            if time.monotonic() > deadline:
                raise TimeoutError("the erasure or a purge of it is not done")
            time.sleep(1)

    def _ask(self, method: str, url: str) -> None:
        """Retry until it is accepted."""
        headers = {"Authorization": f"Bearer {self._account.token}"}
        for _ in range(100):
            try:
                if requests.request(method, url, headers=headers, timeout=30).status_code == 202:
                    return
            except requests.RequestException:
                continue
        raise TimeoutError(f"{method} {url} was not accepted")

    def _wait_until_at_rest(self, count: int, bar: tqdm[NoReturn]) -> None:
        deadline = time.monotonic() + PATIENCE
        while (done := self._at_rest()) < count:
            bar.update(done - bar.n)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count - done} jobs are not as their owner wishes")
            time.sleep(1)
        bar.update(done - bar.n)

    def _at_rest(self) -> int:
        """How many of the jobs that are deleted one by one are as their owner wishes."""
        states, wished = self._states(), {True: "restored", False: "done"}
        return sum(states.get(job_id) == wished[job_id in self._regretted] for job_id in self._doomed)

    def _all_done(self) -> bool:
        """Whether the files of all erased jobs are gone."""
        states = self._states()
        return all(states.get(job_id) == "done" for job_id in self._erased)

    def _states(self) -> dict[str, str]:
        return {entry.id: entry.get("state") for entry in self._ledger.select(["state"]).get(timeout=60)}

    def _objects(self, account: Account, job_ids: Iterable[str]) -> int:
        found = (self._bench.contents(f"{account.user_id}/{job_id}/") for job_id in job_ids)
        return sum(generations for one in found for generations, _ in one.values())


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
