"""Random histories under faults: the rules of the data hold whatever fails.

`make soak` plays five hundred of them, with a new seed each time.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from infra.local.users import Account
from tests.integration.faults.bench import Bench
from tests.integration.faults.erasing import new_account
from tests.integration.faults.histories import Player, Step, play_all
from tests.jobs import new_id

SEED = int(os.environ.get("FAULTS_SEED", "2026"))
AT_ONCE = 25
EXAMPLES = int(os.environ.get("FAULTS_BATCHES", "2"))
"""Batches of histories for each kind of trouble. Hypothesis begins with the simplest one, which only deletes."""
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


@pytest.fixture(scope="module")
def account(running_bench: Bench) -> Account:
    return new_account(running_bench, new_id())


@pytest.mark.timeout(900)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_random_histories_lose_no_delete_leave_no_file_and_touch_no_other_job(
    bench: Bench, account: Account, trouble: str
) -> None:
    rate, kinds = TROUBLES[trouble]
    steps = st.builds(Step, st.sampled_from(kinds), st.integers(1, 14))
    histories = st.lists(st.lists(steps, min_size=STEPS, max_size=STEPS), min_size=AT_ONCE, max_size=AT_ONCE)
    # With crashes, one of the emulators is killed too.
    restarts = st.integers(0, 1) if "crash" in kinds else st.none()
    played: Counter[str] = Counter()
    one_at_a_time = threading.Lock()
    faults = sum(one.faults for one in bench.trouble.values())

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        derandomize=False,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # a failure tells the histories that it is about
    )
    @given(histories, restarts, st.integers(0, 2**32))
    def play(all_steps: list[list[Step]], restart: int | None, fault_seed: int) -> None:
        if restart is not None:
            all_steps = [[*all_steps[0][:3], Step("restart", restart), *all_steps[0][3:]], *all_steps[1:]]
        # An erasure is of all jobs, so it has a user of its own.
        users = [
            new_account(bench, new_id()) if any(step.kind == "erase" for step in one) else account
            for one in all_steps
        ]
        players = [Player(bench, *one, one_at_a_time) for one in zip(users, all_steps, strict=True)]
        play_all(bench, players, seed=fault_seed, rate=rate)
        played.update(histories=len(players), restarts=restart is not None)
        played.update(deletes=sum(player.deletes > 0 for player in players))
        played.update(restores=sum(player.restores for player in players))
        played.update(erasures=sum(player.erasures for player in players))
        played.update(late=sum(player.late for player in players))
        played.update(kills=sum(kill.is_set() for player in players for kill in player.kills))

    print(f"FAULTS_SEED={SEED}")  # noqa: T201 - shown with a failure
    play()
    played.update(faults=sum(one.faults for one in bench.trouble.values()) - faults)
    ARTIFACTS.mkdir(exist_ok=True)
    with (ARTIFACTS / "histories.txt").open("a") as file:
        file.write(f"{trouble}: {dict(played)} FAULTS_SEED={SEED}\n")
    assert played["histories"] >= EXAMPLES * AT_ONCE
    assert played["deletes"] > played["histories"] / 3
    random_ones = EXAMPLES - 1
    assert played["late"] > 5 * random_ones
    assert played["restores"] > 5 * random_ones
    assert played["erasures"] > 5 * random_ones
    assert (played["faults"] > 12 * random_ones) == bool(rate)
    assert (played["kills"] > 2 * random_ones) == (played["restarts"] > 0) == ("crash" in kinds)
