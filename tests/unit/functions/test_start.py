"""A function that lacks a setting does not start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.functions import table
from shared.services import Services
from shared.settings import Settings, SettingsError
from tests.enumerated import FOUND
from tests.fakes import SETTINGS

KEYED, KEYLESS = SETTINGS, replace(SETTINGS, signing_key=None, keyless=True)
NEITHER = replace(SETTINGS, signing_key=None)
SIGNING = {name for name, function in table().functions.items() if function.signs}


def start(name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr("shared.log.start", lambda release: None)
    for module in ("web.endpoint", "messaging.subscriber"):
        monkeypatch.setattr(f"shared.{module}.of_this_process", lambda: Services(settings))
    return FOUND[name].start()


@pytest.mark.parametrize("name", sorted(SIGNING))
def test_a_function_that_signs_does_not_start_without_a_way_to_do_so(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="SIGNING_KEY is not set"):
        start(name, NEITHER, monkeypatch)
    assert start(name, KEYED, monkeypatch)
    assert start(name, KEYLESS, monkeypatch)


@pytest.mark.parametrize("name", sorted(FOUND.keys() - SIGNING))
def test_a_function_that_does_not_sign_starts_without_a_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(name, NEITHER, monkeypatch)
