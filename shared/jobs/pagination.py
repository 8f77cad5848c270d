"""Which jobs a caller asks for: filters, a search, page numbers, and the cursor that stands between two pages."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.errors import BadRequest
from shared.jobs.job import OTHER, Job, JobStatus, is_id_prefix, is_job_id, status_group

DEFAULT_PAGE_SIZE = 20
LARGEST_PAGE_SIZE = 100
MOST_IDS = 100
STATUS_GROUPS = (*(status.value for status in JobStatus), OTHER)
"""What can be filtered by, and is counted."""
_INCLUDED = {"media", "counts"}
_LONGEST_CURSOR = 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class QueryParameters(Protocol):
    """Query parameters of a request, such as Flask's `request.args`."""

    def getlist(self, key: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Position:
    """Just after one job in the order of the list.

    `created_at` is None where the document's is no time; then the document itself tells the place. In a search,
    whose order is by id, the id alone does.
    """

    job_id: str
    created_at: datetime | None
    page: int
    """Number of the page that begins here, counted from 1."""
    shown: int
    """How many jobs the pages before it had."""


@dataclass(frozen=True, slots=True)
class JobPage:
    jobs: list[Job]
    total: int
    number: int
    next: Position | None
    counts: Mapping[str, int] | None = None
    """The user's live jobs: `all`, and those of each status and of `other` ones; None where nobody asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A validated `GET /jobs`."""

    user_id: str
    page_size: int = DEFAULT_PAGE_SIZE
    page: int = 1
    statuses: tuple[str, ...] = ()
    """Only jobs of these; OTHER among them stands for whatever is no JobStatus."""
    ids: tuple[str, ...] | None = None
    id_prefix: str | None = None
    """Only jobs whose id begins so, in the order of their ids."""
    with_media: bool = False
    with_counts: bool = False
    after: Position | None = None

    @classmethod
    def parse(cls, parameters: QueryParameters, user_id: str) -> ListQuery:
        """Raise BadRequest, which names the parameter, for a value that makes no sense."""
        statuses = _statuses(_joined(parameters, "status"))
        ids = _ids(_joined(parameters, "ids"))
        id_prefix = _id_prefix(_single(parameters, "id_prefix"))
        if id_prefix is not None and (ids is not None or statuses):
            raise BadRequest("id_prefix searches all jobs: it goes with neither ids nor status.")
        included = _include(_joined(parameters, "include"))
        cursor = _single(parameters, "cursor")
        if cursor is not None and ids is not None:
            raise BadRequest("cursor was not made for a list of ids.")
        return cls(
            user_id=user_id,
            page_size=_number(parameters, "page_size", DEFAULT_PAGE_SIZE, LARGEST_PAGE_SIZE),
            page=_number(parameters, "page", 1, 10**9),
            statuses=statuses,
            ids=ids,
            id_prefix=id_prefix,
            with_media="media" in included,
            with_counts="counts" in included,
            after=None if cursor is None else decode_cursor(cursor, user_id, statuses, id_prefix),
        )

    def takes(self, status: object) -> bool:
        """Whether the filter lets a job of this status through."""
        return not self.statuses or status_group(status) in self.statuses


def encode_cursor(position: Position, user_id: str, statuses: Iterable[str], id_prefix: str | None = None) -> str:
    """Write `position` as text that only the same user can use, with the same filter or search.

    It needs no key: whoever forges one reaches only jobs of the user in their own token.
    """
    time = None if position.created_at is None else (position.created_at - _EPOCH) // _MICROSECOND
    payload = json.dumps([position.job_id, time, position.page, position.shown], separators=(",", ":"))
    raw = _seal(payload.encode(), user_id, statuses, id_prefix) + payload.encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(cursor: str, user_id: str, statuses: Iterable[str], id_prefix: str | None = None) -> Position:
    """Raise BadRequest for anything that `encode_cursor` did not make for this user and filter or search."""
    statuses = tuple(statuses)
    try:
        if len(cursor) > _LONGEST_CURSOR:
            raise ValueError("too long")
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        seal, payload = raw[:_SEAL], raw[_SEAL:]
        if seal != _seal(payload, user_id, statuses, id_prefix):
            raise ValueError("made for another user or filter, or altered")
        job_id, time, page, shown = json.loads(payload)
        if not is_job_id(job_id) or type(page) is not int or type(shown) is not int:
            raise ValueError("not a position")
        if not job_id.startswith(id_prefix or ""):
            raise ValueError("outside the search")
        created_at = None if time is None else _EPOCH + int(time) * _MICROSECOND
        position = Position(job_id, created_at, page, shown)
        if encode_cursor(position, user_id, statuses, id_prefix) != cursor:
            raise ValueError("not as it was made")
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise BadRequest("cursor is not one that this list gave for this user and filter.") from None
    return position


_SEAL = 12


def _seal(payload: bytes, user_id: str, statuses: Iterable[str], id_prefix: str | None) -> bytes:
    bound_to = [user_id, sorted(statuses)]
    if id_prefix is not None:
        bound_to.append(id_prefix)
    return hashlib.sha256(json.dumps(bound_to).encode() + b"\0" + payload).digest()[:_SEAL]


def _single(parameters: QueryParameters, name: str) -> str | None:
    values = parameters.getlist(name)
    if len(values) > 1:
        raise BadRequest(f"{name} is given more than once.")
    return values[0] if values else None


def _joined(parameters: QueryParameters, name: str) -> str | None:
    """A list, which may be given with commas, in several parameters of one name, or both."""
    values = parameters.getlist(name)
    return ",".join(values) if values else None


def _number(parameters: QueryParameters, name: str, default: int, largest: int) -> int:
    text = _single(parameters, name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,12}", text) or not 1 <= int(text) <= largest:
        raise BadRequest(f"{name} must be a whole number from 1 to {largest}.")
    return int(text)


def _statuses(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    asked = set(text.split(","))
    if not asked <= set(STATUS_GROUPS):
        raise BadRequest(f"status must be one or more of {', '.join(STATUS_GROUPS)}, separated by commas.")
    return tuple(group for group in STATUS_GROUPS if group in asked)


def _ids(text: str | None) -> tuple[str, ...] | None:
    """What could be no id is left out, as an id that does not exist is."""
    if text is None:
        return None
    asked = text.split(",")
    if text == "" or len(asked) > MOST_IDS:
        raise BadRequest(f"ids must be 1 to {MOST_IDS} job ids, separated by commas.")
    return tuple(dict.fromkeys(job_id for job_id in asked if is_job_id(job_id)))


def _id_prefix(text: str | None) -> str | None:
    """An id is a prefix of itself; what could be no id is refused, since Firestore would refuse it too."""
    if text is not None and not is_id_prefix(text):
        raise BadRequest("id_prefix must be 1 to 128 letters, digits, _ or -, and not of the form __...__.")
    return text


def _include(text: str | None) -> set[str]:
    included = set() if text is None else set(text.split(","))
    if not included <= _INCLUDED:
        raise BadRequest("include must be media, counts, or both, separated by a comma.")
    return included
