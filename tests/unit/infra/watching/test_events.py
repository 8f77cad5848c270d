"""Whatever the functions log as an error is found, however it is written."""

from __future__ import annotations

import pytest

from tests.unit.infra.watching.events import Logged, all_logged, logged

NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('log.error("a", job_id=1, **about)', [Logged("a", "error", frozenset({"job_id"}))]),
        ('try:\n    f()\nexcept E:\n    log.exception("a")', [Logged("a", "exception", NONE)]),
        (
            'def f():\n    tell = log.warning if passing else log.error\n    tell("a")',
            [Logged("a", "warning", NONE), Logged("a", "error", NONE)],
        ),
        ('log.info("a" if b else "c")', [Logged("a", "info", NONE), Logged("c", "info", NONE)]),
        ('other.error("a")', []),
    ],
)
def test_an_event_is_found(source: str, found: list[Logged]) -> None:
    assert list(logged(source)) == found


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("log.error(event)", "line 1: the event is not spelled out"),
        ('log.error(f"a_{kind}")', "line 1: the event is not spelled out"),
        ("tell = log.error", "line 1: nothing calls this"),
        ("run(log.error)", "line 1: nothing calls this"),
        ("from shared.log import error", "another way"),
        ("import logging", "another way"),
    ],
)
def test_a_line_whose_event_cannot_be_told_is_refused(source: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(logged(source))


def test_every_line_of_the_functions_names_its_event() -> None:
    assert {"request", "purged", "media_incomplete", "sweep_incomplete"} <= {one.event for one in all_logged()}
