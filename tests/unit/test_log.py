"""The lines of the log, as Cloud Logging gets them."""

from __future__ import annotations

import io
import json
import logging

import pytest

from shared import log


@pytest.mark.parametrize("release", ["b65171f0a1b2 2026-11-26T10:00:00Z", ""])
def test_every_line_says_of_which_release_it_is(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("nuumee"), "handlers", [])
    stream = io.StringIO()
    log.start(release, stream)
    log.info("one", field=1)
    line = json.loads(stream.getvalue())
    assert line == {"severity": "INFO", "message": "one", "field": 1, **({"release": release} if release else {})}
