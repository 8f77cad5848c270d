"""A poll for jobs that have not changed."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import requests


def unchanged(ask: Callable[[str], requests.Response], tag: str) -> str:
    """Poll with the tag, and return the tag that is answered with 304.

    New URLs change the tag every quarter of an hour, so a full response is followed by one more poll. Raises
    AssertionError if that also gets a full response, which would be measured as a 304.
    """
    for _ in range(2):
        answer = ask(tag)
        if answer.status_code == HTTPStatus.NOT_MODIFIED:
            return tag
        tag = answer.headers["ETag"]
    raise AssertionError("a poll for jobs that have not changed was answered in full, twice")
