"""Which jobs a caller asks for: filters, a search, page numbers, and the cursor between two pages."""

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
"""Statuses that can be filtered by and are counted."""
_INCLUDED = {"media", "counts"}
_LONGEST_CURSOR = 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class QueryParameters(Protocol):
    """Query parameters of a request, such as Flask's `request.args`."""

    def getlist(self, key: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Position:
    """The position just after one job in the list's order.

    `created_at` is None if the document's value is not a time; the document itself then gives the position. A
    search is ordered by id and needs only the id.
    """

    job_id: str
    created_at: datetime | None
    page: int
    """Number of the page that begins here, counted from 1."""
    shown: int
    """Number of jobs on the earlier pages."""
    total: int | None = None
    """Number of jobs in the list when its first page was read. None in cursors from before they carried it."""


@dataclass(frozen=True, slots=True)
class JobPage:
    jobs: list[Job]
    total: int
    number: int
    next: Position | None
    counts: Mapping[str, int] | None = None
    """Counts of the user's live jobs: `all`, each status and `other`; None if not requested."""
    versions: tuple[str, ...] | None = None
    """For jobs chosen by id, what is different as soon as one of them is. None for other pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A validated `GET /jobs`."""

    user_id: str
    page_size: int = DEFAULT_PAGE_SIZE
    page: int = 1
    statuses: tuple[str, ...] = ()
    """Only jobs of these statuses. OTHER stands for anything that is not a JobStatus."""
    ids: tuple[str, ...] | None = None
    id_prefix: str | None = None
    """Only jobs whose id begins with this, ordered by id."""
    with_media: bool = False
    with_counts: bool = False
    deleted: bool = False
    """The deleted jobs that can be restored, the last deleted first, instead of the live ones."""
    after: Position | None = None

    @classmethod
    def parse(cls, parameters: QueryParameters, user_id: str) -> ListQuery:
        """Parse the parameters. Raises BadRequest, naming the parameter, for an invalid value."""
        statuses = _statuses(_joined(parameters, "status"))
        ids = _ids(_joined(parameters, "ids"))
        id_prefix = _id_prefix(_single(parameters, "id_prefix"))
        if id_prefix is not None and (ids is not None or statuses):
            raise BadRequest("id_prefix searches all jobs: it goes with neither ids nor status.")
        included = _include(_joined(parameters, "include"))
        deleted = _flag(parameters, "deleted")
        if deleted and (ids is not None or statuses or id_prefix is not None or included):
            raise BadRequest(
                "deleted=true lists all jobs in the trash: it goes with page_size, page and cursor alone."
            )
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
            deleted=deleted,
            after=None if cursor is None else decode_cursor(cursor, user_id, statuses, id_prefix, deleted=deleted),
        )

    def takes(self, status: object) -> bool:
        """Whether the filter accepts a job of this status."""
        return not self.statuses or status_group(status) in self.statuses


def encode_cursor(
    position: Position,
    user_id: str,
    statuses: Iterable[str],
    id_prefix: str | None = None,
    *,
    deleted: bool = False,
) -> str:
    """Encode `position` as text that only the same user can use, with the same filter, search or trash.

    It needs no secret key: a forged cursor reaches only the jobs of the user in the caller's own token.
    """
    time = None if position.created_at is None else (position.created_at - _EPOCH) // _MICROSECOND
    place: list[object] = [position.job_id, time, position.page, position.shown]
    if position.total is not None:
        place.append(position.total)
    payload = json.dumps(place, separators=(",", ":"))
    raw = _seal(payload.encode(), user_id, statuses, id_prefix, deleted) + payload.encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(
    cursor: str, user_id: str, statuses: Iterable[str], id_prefix: str | None = None, *, deleted: bool = False
) -> Position:
    """Decode a cursor. Raises BadRequest unless `encode_cursor` made it for this user and filter or search."""
    statuses = tuple(statuses)
    try:
        if len(cursor) > _LONGEST_CURSOR:
            raise ValueError("too long")
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        seal, payload = raw[:_SEAL], raw[_SEAL:]
        if seal != _seal(payload, user_id, statuses, id_prefix, deleted):
            raise ValueError("made for another user or filter, or altered")
        job_id, time, *numbers = json.loads(payload)
        page, shown, *rest = numbers
        (total,) = rest or [None]
        if not is_job_id(job_id) or any(type(number) is not int for number in numbers):
            raise ValueError("not a position")
        if not job_id.startswith(id_prefix or ""):
            raise ValueError("outside the search")
        created_at = None if time is None else _EPOCH + int(time) * _MICROSECOND
        position = Position(job_id, created_at, page, shown, total)
        if encode_cursor(position, user_id, statuses, id_prefix, deleted=deleted) != cursor:
            raise ValueError("not as it was made")
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise BadRequest("cursor is not one that this list gave for this user and filter.") from None
    return position


_SEAL = 12


def _seal(payload: bytes, user_id: str, statuses: Iterable[str], id_prefix: str | None, deleted: bool) -> bytes:
    bound_to: list[object] = [user_id, sorted(statuses)]
    if id_prefix is not None:
        bound_to.append(id_prefix)
    if deleted:
        bound_to.append({"deleted": True})
    return hashlib.sha256(json.dumps(bound_to).encode() + b"\0" + payload).digest()[:_SEAL]


def _single(parameters: QueryParameters, name: str) -> str | None:
    values = parameters.getlist(name)
    if len(values) > 1:
        raise BadRequest(f"{name} is given more than once.")
    return values[0] if values else None


def _joined(parameters: QueryParameters, name: str) -> str | None:
    """A list given with commas, by repeating the parameter, or both."""
    values = parameters.getlist(name)
    return ",".join(values) if values else None


def _number(parameters: QueryParameters, name: str, default: int, largest: int) -> int:
    text = _single(parameters, name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,12}", text) or not 1 <= int(text) <= largest:
        raise BadRequest(f"{name} must be a whole number from 1 to {largest}.")
    return int(text)


def _flag(parameters: QueryParameters, name: str) -> bool:
    text = _single(parameters, name)
    if text not in (None, "true", "false"):
        raise BadRequest(f"{name} must be true or false.")
    return text == "true"


def _statuses(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    asked = set(text.split(","))
    if not asked <= set(STATUS_GROUPS):
        raise BadRequest(f"status must be one or more of {', '.join(STATUS_GROUPS)}, separated by commas.")
    return tuple(group for group in STATUS_GROUPS if group in asked)


def _ids(text: str | None) -> tuple[str, ...] | None:
    """The requested ids. Impossible ids are left out, like ids that do not exist."""
    if text is None:
        return None
    asked = text.split(",")
    if text == "" or len(asked) > MOST_IDS:
        raise BadRequest(f"ids must be 1 to {MOST_IDS} job ids, separated by commas.")
    return tuple(dict.fromkeys(job_id for job_id in asked if is_job_id(job_id)))


def _id_prefix(text: str | None) -> str | None:
    """The searched prefix, which may be a whole id. Impossible ids are refused, as Firestore would refuse them."""
    if text is not None and not is_id_prefix(text):
        raise BadRequest("id_prefix must be 1 to 128 letters, digits, _ or -, and not of the form __...__.")
    return text


def _include(text: str | None) -> set[str]:
    included = set() if text is None else set(text.split(","))
    if not included <= _INCLUDED:
        raise BadRequest("include must be media, counts, or both, separated by a comma.")
    return included
