from __future__ import annotations

from shared.access.limiter import LONGEST_WAIT, Limiter


def test_what_an_answer_cost_more_makes_the_next_one_wait() -> None:
    users = Limiter(600, 10)
    assert users.seconds_to_wait("me", 0.0) == 0
    users.charge("me", 599, 0.0)
    assert users.seconds_to_wait("me", 0.0) == 1
    assert users.seconds_to_wait("me", 0.1) == 0
    users.charge("me", 300, 0.1)
    assert [users.seconds_to_wait("me", now) for now in (0.1, 30.0, 30.2)] == [31, 1, 0]
    assert users.seconds_to_wait("you", 0.1) == 0


def test_a_charge_counts_in_full_however_long_ago_the_last_answer_was() -> None:
    users = Limiter(600, 10)
    users.seconds_to_wait("me", 0.0)
    users.charge("me", 600, 50.0)
    assert users.seconds_to_wait("me", 50.0) == 1


def test_nobody_waits_longer_than_a_minute_whatever_was_charged() -> None:
    for users in (Limiter(600, 10), Limiter(1, 1 / 60), Limiter(11, 11 / 60)):
        for _ in range(3):
            users.charge("me", 10**9, 0.0)
        assert users.seconds_to_wait("me", 0.0) == LONGEST_WAIT == 60
        assert users.seconds_to_wait("me", 60.0) == 0
