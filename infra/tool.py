"""What the tools for operators share: the services they work with, and how they end when something goes wrong."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from google.api_core.exceptions import GoogleAPICallError

from shared.errors import TooManyRequests, Unavailable
from shared.services import Services
from shared.settings import Settings, SettingsError


class Misused(ValueError):
    """A tool's options or files make no sense. The message says why."""


def services() -> Services:
    """Those of the project that the environment names. Raises SettingsError."""
    # No browser calls a tool, so the origin is a placeholder.
    return Services(Settings.from_environment({"ALLOWED_ORIGINS": "http://localhost", **os.environ}))


def printable(text: str) -> str:
    """`text`, with an escape such as `\\x1b` in place of whatever a terminal would obey or hide.

    Strangers choose names of objects. Line ends and marks that turn the direction of writing are escaped, too.
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def shell_word(text: str) -> str:
    """A word that is printable and that bash reads as `text`."""
    if text.isprintable():
        return shlex.quote(text)
    quoted = text.replace("\\", r"\\").replace("'", r"\'")
    return "$'" + "".join(one if one.isprintable() else _as_bytes(one) for one in quoted) + "'"


def _as_bytes(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


@contextmanager
def ended_in_words(tool: str, then: Callable[[], str]) -> Iterator[None]:
    """Raises SystemExit with a sentence for what an operator can mend, an outage, a refusal or an interruption.

    After the last three, `then` says how the work goes on.
    """
    try:
        yield
    except (Misused, SettingsError) as error:
        sys.exit(f"{tool}: {error}")
    except GoogleAPICallError as error:
        sys.exit(f"{tool}: {printable(str(error.message))} {then()}")
    except (TooManyRequests, Unavailable) as error:
        sys.exit(f"{tool}: {error} {then()}")
    except KeyboardInterrupt:
        sys.exit(f"\n{tool}: broken off. {then()}")
