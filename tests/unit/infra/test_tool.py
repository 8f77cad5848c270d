"""How a tool for operators ends when something goes wrong."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import Forbidden

from infra.tool import Misused, ended_in_words, services
from shared.errors import TooManyRequests, Unavailable
from shared.settings import SettingsError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Misused("there is no such bucket"), "look: there is no such bucket"),
        (SettingsError("IMAGES_BUCKET is empty"), "look: IMAGES_BUCKET is empty"),
        (Forbidden("You may not."), "look: You may not. Run it again."),
        (Unavailable("Firestore"), "look: Firestore cannot be reached. Run it again."),
        (TooManyRequests(60, "Please wait."), "look: Please wait. Run it again."),
        (KeyboardInterrupt(), "\nlook: broken off. Run it again."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_an_operator_can_mend_is_said_in_a_sentence(error: BaseException, said: str) -> None:
    with pytest.raises(SystemExit) as ended, ended_in_words("look", lambda: "Run it again."):
        raise error
    assert ended.value.code == said


def test_an_error_of_the_tool_itself_shows_with_its_traceback() -> None:
    with pytest.raises(ValueError, match="unexpected"), ended_in_words("look", lambda: "Run it again."):
        raise ValueError("unexpected")


def test_a_tool_needs_no_origins_and_says_which_setting_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALLOWED_ORIGINS", raising=False)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo-nuumee")
    assert services().settings.project == "demo-nuumee"
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    with pytest.raises(SettingsError, match="GOOGLE_CLOUD_PROJECT is not set"):
        services()
