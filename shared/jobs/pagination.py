"""Which jobs a caller asks for: filters, a search, page numbers, and the cursor between two pages."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.errors import BadRequest
from shared.jobs import parameters as read
from shared.jobs.job import EPOCH, JOB_TYPES, MICROSECOND, OTHER, Job, JobStatus, is_job_id, status_group
from shared.jobs.parameters import QueryParameters

DEFAULT_PAGE_SIZE = 20
LARGEST_PAGE_SIZE = 100
STATUS_GROUPS = (*(status.value for status in JobStatus), OTHER)
"""Statuses that can be filtered by and are counted."""
_INCLUDED = ("media", "counts")
_LONGEST_CURSOR = 1024
_LARGEST = 10**9
"""Largest page number, and most jobs in a list. Firestore's offset and the numbers of a cursor go further."""


@dataclass(frozen=True, slots=True)
class Position:
    """The position just after one job in the list's order.

    `created_at` is None if the document's value is not a time; the document itself then gives the position. A
    search by id needs only the id, and a search by name only the id and the folded name.
    """

    job_id: str
    created_at: datetime | None
    page: int
    """Number of the page that begins here, counted from 1."""
    shown: int
    """Number of jobs on the earlier pages."""
    total: int | None = None
    """Number of jobs in the list when its first page was read. None in cursors from before they carried it."""
    name: str | None = None
    """The folded name, in a search by name; the short id, in the list of shared jobs, empty if it is too long for
    a cursor: then the document itself gives the position.
    """


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
    """Only these jobs, all of them on the first page: a client that polls gets each job that it asks for."""
    types: tuple[str, ...] = ()
    """Only jobs of these types."""
    created_after: datetime | None = None
    """Only jobs created at this time or later."""
    created_before: datetime | None = None
    """Only jobs created earlier."""
    oldest_first: bool = False
    id_prefix: str | None = None
    """Only jobs whose id begins with this, ordered by id."""
    name_prefix: str | None = None
    """Only jobs whose folded name begins with this, ordered by folded name."""
    with_media: bool = False
    with_counts: bool = False
    shared: bool = False
    """Only jobs with a share link."""
    deleted: bool = False
    """The deleted jobs that can be restored, the last deleted first, instead of the live ones."""
    after: Position | None = None

    @classmethod
    def parse(cls, parameters: QueryParameters, user_id: str) -> ListQuery:
        """Parse the parameters. Raises BadRequest, naming the parameter, for an invalid value."""
        read.check_together(parameters)
        created_after, created_before = read.created_between(parameters)
        included = read.chosen(parameters, "include", _INCLUDED)
        query = cls(
            user_id=user_id,
            page_size=read.number(parameters, "page_size", DEFAULT_PAGE_SIZE, LARGEST_PAGE_SIZE),
            page=read.number(parameters, "page", 1, _LARGEST),
            statuses=read.chosen(parameters, "status", STATUS_GROUPS),
            ids=read.ids(parameters),
            types=read.chosen(parameters, "type", JOB_TYPES),
            created_after=created_after,
            created_before=created_before,
            oldest_first=read.is_oldest_first(parameters),
            id_prefix=read.id_prefix(parameters),
            name_prefix=read.name_prefix(parameters),
            with_media="media" in included,
            with_counts="counts" in included,
            shared=read.flag(parameters, "shared"),
            deleted=read.flag(parameters, "deleted"),
        )
        cursor = read.single(parameters, "cursor")
        return query if cursor is None else replace(query, after=decode_cursor(cursor, query))

    def takes(self, status: object) -> bool:
        """Whether the filter accepts a job of this status."""
        return not self.statuses or status_group(status) in self.statuses

    def reaches(self, position: Position) -> bool:
        """Whether a job at this position can be among the jobs that the query is about."""
        if not position.job_id.startswith(self.id_prefix or ""):
            return False
        if self.shared:
            return position.name is not None
        if self.name_prefix is None and position.name is not None:
            return False
        if self.name_prefix is not None:
            return position.name is not None and position.name.startswith(self.name_prefix)
        if position.created_at is None:
            return not self.deleted and self.created_after is None and self.created_before is None
        first, end = self.created_after or position.created_at, self.created_before
        return first <= position.created_at and (end is None or position.created_at < end)


def encode_cursor(position: Position, query: ListQuery) -> str:
    """Encode `position` as text that only the same user can use, with the same filter, order or search.

    It needs no secret key: a forged cursor reaches only the jobs of the user in the caller's own token.
    """
    time = None if position.created_at is None else (position.created_at - EPOCH) // MICROSECOND
    place: list[object] = [
        *(position.job_id, time if query.shared or position.name is None else position.name),
        *(position.page, position.shown),
        *([] if position.total is None else [position.total]),
        *([position.name] if query.shared else []),
    ]
    payload = json.dumps(place, separators=(",", ":"), ensure_ascii=False).encode()
    cursor = base64.urlsafe_b64encode(_seal(payload, query) + payload).rstrip(b"=").decode()
    is_too_long = len(cursor) > _LONGEST_CURSOR and query.shared and position.name
    return encode_cursor(replace(position, name=""), query) if is_too_long else cursor


def decode_cursor(cursor: str, query: ListQuery) -> Position:
    """Decode a cursor. Raises BadRequest unless `encode_cursor` made it for a query for the same jobs."""
    try:
        if len(cursor) > _LONGEST_CURSOR:
            raise ValueError("too long")
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        seal, payload = raw[:_SEAL], raw[_SEAL:]
        if seal != _seal(payload, query):
            raise ValueError("made for another user or filter, or altered")
        job_id, place, *numbers = json.loads(payload)
        short_id = numbers.pop() if query.shared and numbers else None
        if query.shared and not isinstance(short_id, str):
            raise ValueError("not a position")
        page, shown, *rest = numbers
        (total,) = rest or [None]
        if not is_job_id(job_id) or any(type(number) is not int for number in numbers):
            raise ValueError("not a position")
        if not (1 <= page <= _LARGEST and all(0 <= number <= _LARGEST for number in (shown, *rest))):
            raise ValueError("no list has that many jobs")
        name = place if isinstance(place, str) else short_id
        created_at = None if place is None or isinstance(place, str) else EPOCH + int(place) * MICROSECOND
        position = Position(job_id, created_at, page, shown, total, name)
        if not query.reaches(position):
            raise ValueError("outside the list")
        if encode_cursor(position, query) != cursor:
            raise ValueError("not as it was made")
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        raise BadRequest("cursor is not one that this list gave for this user and filter.") from None
    return position


_SEAL = 12


def _seal(payload: bytes, query: ListQuery) -> bytes:
    bound_to: list[object] = [query.user_id, sorted(query.statuses)]
    if query.id_prefix is not None:
        bound_to.append(query.id_prefix)
    # Only if there are any, so that older cursors stay valid.
    times = [time and time.isoformat() for time in (query.created_after, query.created_before)]
    if any(more := [query.types, *times, query.oldest_first, query.name_prefix]):
        bound_to.append(more)
    if query.deleted:
        bound_to.append({"deleted": True})
    if query.shared:
        bound_to.append({"shared": True})
    return hashlib.sha256(json.dumps(bound_to).encode() + b"\0" + payload).digest()[:_SEAL]
