"""Unit tests do not see the local stack that other tests may have started."""

from __future__ import annotations

import pytest

from shared.settings import EMULATOR_VARIABLES


@pytest.fixture(autouse=True)
def no_emulators(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in EMULATOR_VARIABLES:
        monkeypatch.delenv(name, raising=False)
