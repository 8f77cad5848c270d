"""Parses the query parameters of `GET /jobs` one by one. Each function raises BadRequest, naming the parameter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.errors import BadRequest
from shared.jobs.job import is_id_prefix, is_job_id
from shared.jobs.names import requested_prefix

MOST_IDS = 100
_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_LATEST = datetime.max.replace(tzinfo=UTC)
_FILTERS = ("type", "created_after", "created_before", "sort")
_DOES_NOT_GO_WITH = {
    "id_prefix": ("ids", "name_prefix", "status", *_FILTERS),
    "name_prefix": ("ids", "status", *_FILTERS),
    "ids": ("cursor", *_FILTERS),
}
"""A search has an order of its own, and indexes without filters. Jobs read by id are filtered by status."""
_NOT_OF_SHARED = ("ids", "id_prefix", "name_prefix", "status", *_FILTERS)
_NOT_IN_THE_TRASH = (*_NOT_OF_SHARED, "include", "shared")


class QueryParameters(Protocol):
    """Query parameters of a request."""

    def getlist(self, key: str) -> list[str]:
        """The parameter's values. May raise BadRequest, naming it."""
        ...


def check_together(parameters: QueryParameters) -> None:
    """Refuse parameters that do not go together."""
    for name, others in _DOES_NOT_GO_WITH.items():
        for other in others:
            if parameters.getlist(name) and parameters.getlist(other):
                raise BadRequest(f"{name} does not go with {other}.")
    if flag(parameters, "shared") and any(map(parameters.getlist, _NOT_OF_SHARED)):
        raise BadRequest(
            "shared=true lists all jobs with a share link, newest first: it goes with page_size, page, cursor and "
            "include alone."
        )
    if flag(parameters, "deleted") and any(map(parameters.getlist, _NOT_IN_THE_TRASH)):
        raise BadRequest(
            "deleted=true lists all jobs in the trash: it goes with page_size, page and cursor alone."
        )


def flag(parameters: QueryParameters, name: str) -> bool:
    text = single(parameters, name)
    if text not in (None, "true", "false"):
        raise BadRequest(f"{name} must be true or false.")
    return text == "true"


def single(parameters: QueryParameters, name: str) -> str | None:
    values = parameters.getlist(name)
    if len(values) > 1:
        raise BadRequest(f"{name} is given more than once.")
    return values[0] if values else None


def number(parameters: QueryParameters, name: str, default: int, largest: int) -> int:
    given = whole_number(parameters, name)
    if given is not None and not 1 <= given <= largest:
        raise BadRequest(f"{name} must be a whole number from 1 to {largest}.")
    return default if given is None else given


def whole_number(parameters: QueryParameters, name: str) -> int | None:
    """A number of at most twelve digits, or None if the parameter is absent."""
    text = single(parameters, name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise BadRequest(f"{name} must be a whole number.")
    return int(text)


def chosen(parameters: QueryParameters, name: str, known: Sequence[str]) -> tuple[str, ...]:
    """Some of the known values, each once and in their order; none if the parameter is absent."""
    asked = _list(parameters, name)
    if asked is None:
        return ()
    if not set(asked) <= set(known):
        raise BadRequest(f"{name} must be one or more of {', '.join(known)}, separated by commas.")
    return tuple(one for one in known if one in asked)


def ids(parameters: QueryParameters) -> tuple[str, ...] | None:
    """The requested ids. Impossible ids are left out, like ids that do not exist."""
    asked = _list(parameters, "ids")
    if asked is None:
        return None
    if asked == [""] or len(asked) > MOST_IDS:
        raise BadRequest(f"ids must be 1 to {MOST_IDS} job ids, separated by commas.")
    return tuple(dict.fromkeys(job_id for job_id in asked if is_job_id(job_id)))


def id_prefix(parameters: QueryParameters) -> str | None:
    """The searched prefix, which may be a whole id. Impossible ids are refused, as Firestore would refuse them."""
    text = single(parameters, "id_prefix")
    if text is not None and not is_id_prefix(text):
        raise BadRequest("id_prefix must be 1 to 128 letters, digits, _ or -, and not of the form __...__.")
    return text


def name_prefix(parameters: QueryParameters) -> str | None:
    """The searched beginning of names, folded as they are."""
    text = single(parameters, "name_prefix")
    return None if text is None else requested_prefix(text)


def is_oldest_first(parameters: QueryParameters) -> bool:
    text = single(parameters, "sort")
    if text not in (None, "newest", "oldest"):
        raise BadRequest("sort must be newest or oldest.")
    return text == "oldest"


def created_between(parameters: QueryParameters) -> tuple[datetime | None, datetime | None]:
    """The times in UTC at or after which, and before which, jobs were created.

    Both are rounded up to the microsecond, as which Firestore keeps times. That selects the same jobs as the exact
    times: https://firebase.google.com/docs/firestore/manage-data/data-types
    """
    first, end = _time(parameters, "created_after"), _time(parameters, "created_before")
    if first and end and first >= end:
        raise BadRequest("created_after must be earlier than created_before.")
    return first and first[0], end and end[0]


def _time(parameters: QueryParameters, name: str) -> tuple[datetime, int] | None:
    """A time of RFC 3339: rounded up to the microsecond, and the nanoseconds from there to the exact time."""
    text = single(parameters, name)
    return None if text is None else time_of(text, name)


def time_of(text: str, name: str) -> tuple[datetime, int]:
    """The same of a text that is not a query parameter."""
    matched = _RFC_3339.fullmatch(text)
    try:
        if not matched:
            raise ValueError("another form")
        day, time, fraction, zone = matched.groups()
        whole = datetime.fromisoformat(f"{day}T{time}{'+00:00' if zone in 'Zz' else zone}").astimezone(UTC)
        nanoseconds = int((fraction or ".")[1:].ljust(9, "0"))
        microseconds = min(-(-nanoseconds // 1000), (_LATEST - whole) // timedelta(microseconds=1))
        return whole + timedelta(microseconds=microseconds), nanoseconds - 1000 * microseconds
    except (ValueError, OverflowError):
        raise BadRequest(
            f"{name} must be a time such as 2026-11-22T12:00:00Z, or 2026-11-22T13:00:00+01:00 with + sent as %2B."
        ) from None


def _list(parameters: QueryParameters, name: str) -> list[str] | None:
    """A list given with commas, by repeating the parameter, or both."""
    values = parameters.getlist(name)
    return ",".join(values).split(",") if values else None
