from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.access import limiter
from shared.access.visitors import BURST, VIEW_WINDOW, Visitor, Visitors, client_address

ANN = Visitor("203.0.113.1", "Mozilla/5.0")


def test_of_many_views_at_once_one_is_the_first() -> None:
    visitors = Visitors()
    with ThreadPoolExecutor(8) as threads:
        firsts = list(threads.map(lambda _: visitors.is_new(ANN, "25ca1d0f", 0.0), range(200)))
    assert firsts.count(True) == 1


def test_another_video_is_another_view() -> None:
    visitors = Visitors()
    assert [visitors.is_new(ANN, short_id, 0.0) for short_id in ("a", "b", "a")] == [True, True, False]


def test_reloading_does_not_make_the_window_longer() -> None:
    visitors = Visitors()
    assert visitors.is_new(ANN, "a", 0.0)
    assert not visitors.is_new(ANN, "a", VIEW_WINDOW - 1)
    assert visitors.is_new(ANN, "a", VIEW_WINDOW)


def test_both_memories_forget_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "MOST_REMEMBERED", 3)
    visitors = Visitors()
    for number in range(10):
        assert visitors.is_new(ANN, str(number), 0.0)
        visitors.seconds_to_wait(str(number), 0.0)
    assert [visitors.is_new(ANN, str(number), 0.0) for number in (9, 8, 7)] == [False] * 3
    assert len(visitors._seen.values) == len(visitors._clients._spent.values) == 3


def test_an_agent_that_is_made_to_take_long_takes_no_time() -> None:
    crafted = Visitor("203.0.113.1", f"Mozilla/5.0 ({150 * 'X11'}){80 * 'Gecko/'}")
    began = time.process_time()
    assert not any(crafted.looks_like_browser for _ in range(2_000))
    assert time.process_time() - began < 0.5


def test_no_address_is_kept() -> None:
    visitors = Visitors()
    visitors.is_new(ANN, "a", 0.0)
    visitors.seconds_to_wait(ANN.address, 0.0)
    assert ANN.address.encode() not in b" ".join([*visitors._seen.values, *visitors._clients._spent.values])


def test_a_client_that_has_used_up_its_requests_gets_one_a_second() -> None:
    visitors = Visitors()
    assert [visitors.seconds_to_wait("1.2.3.4", 0.0) for _ in range(BURST)] == [0] * BURST
    assert visitors.seconds_to_wait("1.2.3.4", 0.0) == 1
    assert visitors.seconds_to_wait("1.2.3.5", 0.0) == 0
    assert visitors.seconds_to_wait("1.2.3.4", 0.5) == 1
    assert [visitors.seconds_to_wait("1.2.3.4", 2.0) for _ in range(3)] == [0, 0, 1]
    assert visitors.seconds_to_wait("1.2.3.4", 1000.0) == 0


def test_a_clock_that_goes_back_locks_nobody_out() -> None:
    visitors = Visitors()
    assert visitors.seconds_to_wait("1.2.3.4", 1000.0) == 0
    assert visitors.seconds_to_wait("1.2.3.4", 0.0) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.5", False),
        ("nonsense", "other nonsense", False),
    ],
)
def test_a_network_of_ipv6_is_one_client(one: str, other: str, same: bool) -> None:
    visitors = Visitors()
    for _ in range(BURST):
        visitors.seconds_to_wait(one, 0.0)
    assert (visitors.seconds_to_wait(other, 0.0) > 0) is same
    visitors.is_new(Visitor(one, "Mozilla/5.0"), "a", 0.0)
    assert visitors.is_new(Visitor(other, "Mozilla/5.0"), "a", 0.0) is not same


def test_all_networks_of_an_ipv6_site_together_have_ten_times_the_limit_of_one() -> None:
    visitors = Visitors()
    waits = [visitors.seconds_to_wait(f"2001:db8:0:{number:x}::1", 0.0) for number in range(10 * BURST + 1)]
    assert waits == [0] * 10 * BURST + [1]
    assert visitors.seconds_to_wait("2001:db8:1::1", 0.0) == 0
    assert [visitors.seconds_to_wait(f"2001:db8:0:{number:x}::2", 1.0) for number in range(11)] == [0] * 10 + [1]


def test_addresses_of_ipv4_are_no_site() -> None:
    visitors = Visitors()
    for prefix in ("", "::ffff:"):
        addresses = [f"{prefix}1.2.{number // 250}.{number % 250}" for number in range(11 * BURST)]
        assert not any(visitors.seconds_to_wait(address, 0.0) for address in addresses)


@pytest.mark.parametrize(
    ("forwarded_for", "hops", "address"),
    [
        ("", 1, "peer"),
        ("203.0.113.1", 1, "203.0.113.1"),
        ("6.6.6.6, 203.0.113.1", 1, "203.0.113.1"),
        ("6.6.6.6, 203.0.113.1, 34.1.1.1", 2, "203.0.113.1"),
        ("203.0.113.1", 2, "peer"),
        (" , ,", 1, "peer"),
    ],
)
def test_a_client_cannot_choose_its_address(forwarded_for: str, hops: int, address: str) -> None:
    assert client_address(forwarded_for, "peer", hops) == address
