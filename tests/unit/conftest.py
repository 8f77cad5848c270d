"""Unit tests do not see the local stack that other tests may have started."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared import log
from shared.settings import EMULATOR_VARIABLES


@pytest.fixture(autouse=True)
def no_emulators(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in EMULATOR_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def logged() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines that have been logged so far, as Cloud Logging gets them."""
    stream = io.StringIO()
    logger = logging.getLogger("nuumee")
    before = logger.handlers, logger.propagate, logger.level
    logger.handlers = []
    log.start(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.handlers, logger.propagate, level = before
    logger.setLevel(level)
