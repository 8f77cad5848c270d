"""The query of a request's address, which may hold any bytes."""

from __future__ import annotations

from urllib.parse import parse_qs

from shared.errors import BadRequest


class Query:
    def __init__(self, raw: bytes) -> None:
        text = raw.decode(errors="surrogateescape")
        self._values = parse_qs(text, keep_blank_values=True, errors="surrogateescape")
        self.names = frozenset(self._values)

    def getlist(self, key: str) -> list[str]:
        """The parameter's values. Raises BadRequest, naming it, if one is not UTF-8."""
        values = self._values.get(key, [])
        try:
            "".join(values).encode()
        except UnicodeEncodeError:
            raise BadRequest(f"{key} is not UTF-8.") from None
        return values
