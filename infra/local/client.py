"""A client of the local stack that works like the page: over HTTP, with a token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

_SECONDS = 120
"""How long a busy machine may take."""
_TRIES = 5
"""How often a request is sent again to a function that is away for now, each time after its Retry-After."""


class Client:
    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session = requests.Session()
        again = Retry(_TRIES, status_forcelist=[503], allowed_methods=None, raise_on_status=False)
        self._session.mount("http://", HTTPAdapter(max_retries=again))

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """The JSON of the response. Raises requests.HTTPError unless the status is 2xx in the end."""
        response = self._session.get(self._url + path, params=query, headers=self._headers, timeout=_SECONDS)
        return _checked(response)

    def delete(self, path: str) -> dict[str, Any]:
        return _checked(self._session.delete(self._url + path, headers=self._headers, timeout=_SECONDS))

    def status(self, path: str) -> int:
        return requests.get(self._url + path, headers=self._headers, timeout=_SECONDS).status_code

    def pages(self, **query: str | int) -> Iterator[dict[str, Any]]:
        """All pages of the list, followed by cursor."""
        page = self.get("/jobs", **query)
        yield page
        while cursor := page["next_cursor"]:
            page = self.get("/jobs", **query, cursor=cursor)
            yield page


def _checked(response: requests.Response) -> dict[str, Any]:
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer
