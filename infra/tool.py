"""What the tools for operators share: the services they work with, and how they end when something goes wrong."""

from __future__ import annotations

import os
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
        sys.exit(f"{tool}: {error.message} {then()}")
    except (TooManyRequests, Unavailable) as error:
        sys.exit(f"{tool}: {error} {then()}")
    except KeyboardInterrupt:
        sys.exit(f"\n{tool}: broken off. {then()}")
