"""Five hundred random histories under faults. What must always hold holds, whatever fails."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from infra.local.users import Account
from tests.integration.faults import bench as benches
from tests.integration.faults.bench import Bench
from tests.integration.faults.histories import Player, Step, play_all

SEED = int(os.environ.get("FAULTS_SEED", "2026"))
AT_ONCE = 25
EXAMPLES = 20
ARTIFACTS = Path(__file__).parents[3] / "artifacts"
_KINDS = ("complete", "put", "put", "put", "delete", "delete", "delete", "crash", "crash", "forge", "sweep")

steps = st.builds(Step, st.sampled_from(_KINDS), st.integers(1, 14))
histories = st.lists(st.lists(steps, max_size=8), min_size=AT_ONCE, max_size=AT_ONCE)
restarts = st.sampled_from([None, None, None, None, Step("restart", 0), Step("restart", 1)])


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    lines: list[str] = []
    with benches.running(lines.append, silence=1) as running:
        yield running


@pytest.fixture(scope="module")
def account(bench: Bench) -> Account:
    return bench.users.add("histories", "histories@nuumee.test", "test-password")


@pytest.mark.timeout(900)
def test_whatever_fails_nothing_is_lost_left_or_anyone_elses(bench: Bench, account: Account) -> None:
    played: list[int] = []
    one_at_a_time = threading.Lock()

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        derandomize=False,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(histories, restarts, st.integers(0, 2**32), st.sampled_from([0, 0.1, 0.1, 0.2, 0.3]))
    def play(all_steps: list[list[Step]], restart: Step | None, fault_seed: int, rate: float) -> None:
        if restart:
            middle = len(all_steps[0]) // 2
            all_steps = [[*all_steps[0][:middle], restart, *all_steps[0][middle:]], *all_steps[1:]]
        players = [Player(bench, account.user_id, account.token, one, one_at_a_time) for one in all_steps]
        played.append(len(players))
        play_all(bench, players, seed=fault_seed, rate=rate)

    print(f"FAULTS_SEED={SEED}")  # noqa: T201 - shown with a failure
    play()
    assert sum(played) >= EXAMPLES * AT_ONCE
    faults = sum(trouble.faults for trouble in bench.trouble.values())
    calls = sum(trouble.calls for trouble in bench.trouble.values())
    ARTIFACTS.mkdir(exist_ok=True)
    figures = f"histories={sum(played)} calls={calls} faults={faults} FAULTS_SEED={SEED}"
    (ARTIFACTS / "histories.txt").write_text(f"{figures}\n")
    assert faults > calls / 50
