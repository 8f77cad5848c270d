"""How a tool for operators ends when something goes wrong."""

from __future__ import annotations

import subprocess

import pytest
from google.api_core.exceptions import Forbidden

from infra.tool import Misused, ended_in_words, printable, services, shell_word
from shared.errors import TooManyRequests, Unavailable
from shared.settings import SettingsError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Misused("there is no such bucket"), "look: there is no such bucket"),
        (SettingsError("IMAGES_BUCKET is empty"), "look: IMAGES_BUCKET is empty"),
        (Forbidden("You may not."), "look: You may not. Run it again."),
        (Forbidden("no object a\x1b[2J"), "look: no object a\\x1b[2J Run it again."),
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


ODD = ["a\x1b[2Jb", "a\nb\tc\x7f", "a\u202eb\u2028\x85", "it's \\x41 \r", "", "plain/é 'name' \\n"]


@pytest.mark.parametrize("text", ODD)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text: str) -> None:
    assert printable(text).isprintable()
    assert (printable(text) == text) == text.isprintable()


@pytest.mark.parametrize("text", ODD)
def test_a_word_for_the_shell_is_printable_and_read_as_it_was(text: str) -> None:
    word = shell_word(text)
    assert word.isprintable()
    said = subprocess.run(["bash", "-c", f"printf %s {word}"], check=True, capture_output=True)
    assert said.stdout.decode() == text
