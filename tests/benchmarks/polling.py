"""A poll that nothing has changed for."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import requests


def unchanged(ask: Callable[[str], requests.Response], tag: str) -> str:
    """Poll with the tag, and return the one that holds.

    It may have changed with the window of the URLs, so the poll is then made once more. An answer in full to that
    one too is an AssertionError, because it would be measured as a 304.
    """
    for _ in range(2):
        answer = ask(tag)
        if answer.status_code == HTTPStatus.NOT_MODIFIED:
            return tag
        tag = answer.headers["ETag"]
    raise AssertionError("a poll for jobs that have not changed was answered in full, twice")
