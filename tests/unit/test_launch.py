"""The tests' browser is started again when it crashes as it starts."""

from __future__ import annotations

from typing import Any, cast

import pytest
from playwright.sync_api import Browser, BrowserType, Error

from tests.e2e.conftest import launch

_STARTED = cast(Browser, object())


class _Kind:
    """A kind of browser whose first `crashes` starts crash."""

    def __init__(self, crashes: int) -> None:
        self.crashes = crashes

    def launch(self, **_options: Any) -> Browser:
        if self.crashes:
            self.crashes -= 1
            raise Error("Target page, context or browser has been closed")
        return _STARTED


def test_a_browser_that_crashes_twice_as_it_starts_is_started_a_third_time() -> None:
    assert launch(cast(BrowserType, _Kind(crashes=2)), "/bin/chromium") is _STARTED


def test_a_browser_that_crashes_each_time_is_an_error() -> None:
    with pytest.raises(Error):
        launch(cast(BrowserType, _Kind(crashes=3)), "/bin/chromium")
