from __future__ import annotations

import threading
import time
from collections import Counter

from tests.faults import COMMON, Fault, Kind, Schedule, Trouble


def faults(schedule: Schedule, calls: int = 2000) -> list[Fault | None]:
    return [schedule("call") for _ in range(calls)]


def test_the_same_seed_gives_the_same_faults_and_another_gives_others() -> None:
    assert faults(Schedule(7, 0.2)) == faults(Schedule(7, 0.2))
    assert faults(Schedule(7, 0.2)) != faults(Schedule(8, 0.2))


def test_as_many_calls_fail_as_the_rate_says_in_every_way_that_there_is() -> None:
    kinds = Counter(fault.kind for fault in faults(Schedule(7, 0.2)) if fault)
    assert 350 < kinds.total() < 450
    assert kinds.keys() == set(COMMON)
    assert faults(Schedule(7, 0)) == [None] * 2000


def test_an_operation_can_be_carried_out_although_its_answer_fails_unless_there_were_too_many() -> None:
    found = {(fault.kind, fault.carried_out) for fault in faults(Schedule(7, 1)) if fault}
    assert {(Kind.ERROR, True), (Kind.ERROR, False), (Kind.RESET, True), (Kind.RESET, False)} <= found
    assert (Kind.TOO_MANY, True) not in found


def test_whoever_is_told_of_the_calls_decides_before_the_schedule_does() -> None:
    trouble, heard = Trouble(), []
    chosen = Fault(Kind.ERROR)

    def on_call(call: str) -> Fault | None:
        heard.append(call)
        return chosen if call == "second" else None

    trouble.on_call = on_call
    assert [trouble.meet(call) for call in ("first", "second")] == [None, chosen]
    assert heard == ["first", "second"]
    trouble.schedule = Schedule(7, 1, [Kind.RESET])
    assert [fault and fault.kind for fault in map(trouble.meet, ("first", "second"))] == [Kind.RESET, Kind.ERROR]
    assert (trouble.calls, trouble.faults) == (4, 3)
    trouble.heal()
    assert trouble.meet("second") is None


def test_a_silence_ends_when_all_is_healed() -> None:
    trouble = Trouble(silence=60)
    trouble.schedule = Schedule(7, 1, [Kind.SILENCE])
    held_up = threading.Thread(target=trouble.hold_up, args=(Kind.SILENCE,))
    began = time.monotonic()
    held_up.start()
    held_up.join(0.2)
    assert held_up.is_alive()
    trouble.heal()
    held_up.join(10)
    assert time.monotonic() - began < 10


def test_a_silence_ends_when_its_time_is_over_or_nobody_waits() -> None:
    trouble = Trouble(silence=0.1)
    trouble.schedule = Schedule(7, 1)
    began = time.monotonic()
    trouble.hold_up(Kind.SILENCE)
    assert 0.1 <= time.monotonic() - began < 5
    Trouble(silence=60).hold_up(Kind.SILENCE, is_waited_for=lambda: False)
