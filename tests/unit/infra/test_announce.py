"""How a broken-off announcement says where to go on."""

from __future__ import annotations

from typing import Any

import pytest

from infra import announce


def test_a_strangers_name_tells_the_operators_terminal_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(_: object, progress: Any, __: object) -> None:
        progress.at = "images/me/a/reference.\x1b]0;x\a"
        raise KeyboardInterrupt

    monkeypatch.setattr(announce, "services", lambda: None)
    monkeypatch.setattr(announce, "_announce", broken_off)
    monkeypatch.setattr("sys.argv", ["announce"])
    with pytest.raises(SystemExit) as ended:
        announce.main()
    assert str(ended.value.code).endswith(r"To go on: --start=$'images/me/a/reference.\x1b]0;x\x07'")
