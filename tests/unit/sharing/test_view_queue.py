from __future__ import annotations

import threading

from shared.sharing.view_queue import ViewQueue


def test_views_beyond_the_limit_are_refused_and_not_kept_waiting() -> None:
    queue, ended = ViewQueue(threads=1, most=3), threading.Event()
    begun = [queue.begin(ended.wait) for _ in range(4)]  # type: ignore[arg-type]
    assert [one is not None for one in begun] == [True, True, True, False]
    ended.set()
    for one in begun[:3]:
        assert one is not None
        one.result(timeout=10)
    again = queue.begin(print)
    assert again is not None
    again.result(timeout=10)


def test_a_view_that_failed_makes_room() -> None:
    def fail() -> None:
        raise ValueError

    queue = ViewQueue(threads=1, most=1)
    for _ in range(3):
        begun = queue.begin(fail)
        assert begun is not None
        assert isinstance(begun.exception(timeout=10), ValueError)
