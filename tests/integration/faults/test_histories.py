"""Random histories under faults: the rules of the data hold whatever fails.

`make soak` plays five hundred of them, over four kinds of trouble, with a new seed each time.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from infra.local.users import Account
from tests.integration.faults.bench import Bench
from tests.integration.faults.erasing import new_account
from tests.integration.faults.histories import Player, Step, play_all
from tests.jobs import new_id

SEED = int(os.environ.get("FAULTS_SEED", "2718"))
"""With the default, everything happens that can, and many files come late, in few histories."""
SOAKS = "FAULTS_BATCHES" in os.environ
AT_ONCE = 25 if SOAKS else 12
BATCHES = int(os.environ.get("FAULTS_BATCHES", "1"))
"""Batches of histories for each kind of trouble."""
STEPS = 6
ARTIFACTS = Path(__file__).parents[3] / "artifacts"
_USERS = ("delete", "put", "restore", "delete", "put", "put", "undo", "erase")
_KINDS = (*_USERS * 2, "forge", "sweep", "complete", "copy", "vanish", "fill")
TROUBLES = {
    "nothing": (0.0, _KINDS),
    "faults": (0.2, _KINDS),
    "crashes": (0.0, (*_KINDS, "crash", "crash")),
    "faults and crashes": (0.1, (*_KINDS, "crash", "crash")),
}
"""By name: the share of calls that fail, and the steps that may happen."""
PLAYED = [*TROUBLES] if SOAKS else ["faults and crashes"]
"""Each of the others has less of the same. They are for `make soak`."""


@pytest.fixture(scope="module")
def account(running_bench: Bench) -> Account:
    return new_account(running_bench, new_id())


@pytest.mark.timeout(900)
@pytest.mark.parametrize("trouble", PLAYED)
def test_random_histories_lose_no_delete_leave_no_file_and_touch_no_other_job(
    bench: Bench, account: Account, trouble: str
) -> None:
    rate, kinds = TROUBLES[trouble]
    random = Random(f"{SEED} {trouble}")
    played: Counter[str] = Counter()
    one_at_a_time = threading.Lock()
    faults = sum(one.faults for one in bench.trouble.values())

    def history() -> list[Step]:
        return [Step(random.choice(kinds), random.randint(1, 14)) for _ in range(STEPS)]

    def play() -> None:
        histories = [history() for _ in range(AT_ONCE)]
        if "crash" in kinds:  # then one of the emulators is killed too
            histories[0].insert(3, Step("restart", random.randint(0, 1)))
        # An erasure is of all jobs, so it has a user of its own.
        users = [
            new_account(bench, new_id()) if any(step.kind == "erase" for step in one) else account
            for one in histories
        ]
        players = [Player(bench, *one, one_at_a_time) for one in zip(users, histories, strict=True)]
        play_all(bench, players, seed=random.randrange(2**32), rate=rate)
        played.update(histories=len(players))
        played.update(deletes=sum(player.deletes > 0 for player in players))
        played.update(restores=sum(player.restores for player in players))
        played.update(erasures=sum(player.erasures for player in players))
        played.update(late=sum(player.late for player in players))
        played.update(kills=sum(kill.is_set() for player in players for kill in player.kills))

    print(f"FAULTS_SEED={SEED}")  # noqa: T201 - shown with a failure
    for _ in range(BATCHES):
        play()
    played.update(faults=sum(one.faults for one in bench.trouble.values()) - faults)
    ARTIFACTS.mkdir(exist_ok=True)
    with (ARTIFACTS / "histories.txt").open("a") as file:
        file.write(f"{trouble}: {dict(played)} FAULTS_SEED={SEED}\n")
    assert played["deletes"] > played["histories"] / 3
    assert played["late"] > 5 * BATCHES
    assert played["restores"] > 5 * BATCHES
    assert played["erasures"] > 5 * BATCHES
    assert (played["faults"] > 12 * BATCHES) == bool(rate)
    assert (played["kills"] > 2 * BATCHES) == ("crash" in kinds)
