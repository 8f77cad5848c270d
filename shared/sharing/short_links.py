"""Short links in Firestore: `short_links/{short_id}` names the one job that a short id was given to.

The document makes the id unique, and it stays when the link ends. So an id never shows anything but the job
that it was issued for. It also holds the link's end, `ended_at` or `expires_at`, and its owner's wish about the
job's name, `share_name`: a writer of jobs who saves an older copy of the job's document cannot bring a link or a
name back.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from google.api_core.exceptions import AlreadyExists
from google.cloud import firestore

from shared.errors import Contended
from shared.jobs.amending import read
from shared.jobs.documents import fields
from shared.outages import firestore_limits, outages

_SHORT_ID = re.compile(r"[0-9a-f]{8,32}")
_MOST_TRIES = 8


def new_short_id(length: int) -> str:
    """An unpredictable id of `length` hexadecimal digits, from 8 to 32."""
    return uuid.uuid4().hex[:length]


def is_short_id(text: object) -> bool:
    """Whether `text` could be a short id, of any length in use so far."""
    return isinstance(text, str) and bool(_SHORT_ID.fullmatch(text))


class Claim(Enum):
    NEW = "new"
    KEPT = "kept"
    TAKEN = "taken"
    """The id belongs to another job."""
    NONE = "none"
    """The id is malformed."""

    @property
    def is_ours(self) -> bool:
        return self in (Claim.NEW, Claim.KEPT)


def claim(client: firestore.Client, short_id: object, job_id: str) -> Claim:
    """Create the link for a short id that the job has, possibly from another writer.

    Costs a write, plus a read if the link exists. Raises Unavailable when Firestore is away.
    """
    if not is_short_id(short_id):
        return Claim.NONE
    link = client.collection("short_links").document(str(short_id))
    try:
        with outages("Firestore"):
            link.create({"job_id": job_id}, **firestore_limits())
    except AlreadyExists:
        return Claim.KEPT if fields(read(link)).get("job_id") == job_id else Claim.TAKEN
    return Claim.NEW


def link_of(client: firestore.Client, short_id: object) -> dict[str, Any]:
    """What the link's document holds; empty if there is none, or if this is no short id. Costs a read."""
    if not is_short_id(short_id):
        return {}
    return fields(read(client.collection("short_links").document(str(short_id))))


def own_link(client: firestore.Client, short_id: object, job_id: str) -> dict[str, Any]:
    """As `link_of`, but empty also if the link is another job's."""
    link = link_of(client, short_id)
    return link if link.get("job_id") == job_id else {}


def is_over(link: Mapping[str, Any], now: datetime) -> bool:
    """Whether what its document says has ended the link."""
    end = link.get("expires_at")
    return link.get("ended_at") is not None or (end is not None and not (isinstance(end, datetime) and now < end))


def update_with_link(
    client: firestore.Client, snapshot: Any, changes: dict[str, Any], about_link: dict[str, Any]
) -> None:
    """Write `changes` of the job in `snapshot` and `about_link` of its link, all or nothing.

    A link that belongs to another job stays as it is. Costs two writes, plus a write, or a read, to claim it.
    Raises as `link_for`.
    """
    batch = client.batch()
    unchanged = client.write_option(last_update_time=snapshot.update_time)
    batch.update(snapshot.reference, changes, option=unchanged)
    short_id = fields(snapshot).get("short_id")
    if claim(client, short_id, snapshot.id).is_ours:
        batch.update(client.collection("short_links").document(str(short_id)), about_link)
    with outages("Firestore"):
        batch.commit(**firestore_limits())


def link_for(
    client: firestore.Client,
    snapshot: Any,
    changes: dict[str, Any],
    length: int,
    *,
    about_link: Mapping[str, Any] | None = None,
    ends: tuple[str, datetime] | None = None,
) -> str:
    """Write `changes`, a new `short_id` and its link, all or nothing, for the job in `snapshot`.

    `about_link` is written into the new link. An earlier one of the job's `ends` at that time. Raises
    FailedPrecondition or Aborted if the job was written since the snapshot. Then read it and check again: a write
    whose response was lost also ends this way. Raises Unavailable when Firestore is away, and Contended if several
    ids in a row are taken.
    """
    links = client.collection("short_links")
    for _ in range(_MOST_TRIES):
        short_id = new_short_id(length)
        batch = client.batch()
        batch.create(links.document(short_id), {"job_id": snapshot.id, **(about_link or {})})
        if ends:
            batch.update(links.document(ends[0]), {"ended_at": ends[1]})
        unchanged = client.write_option(last_update_time=snapshot.update_time)
        batch.update(snapshot.reference, {**changes, "short_id": short_id}, option=unchanged)
        try:
            with outages("Firestore"):
                batch.commit(**firestore_limits())
        except AlreadyExists:
            continue
        return short_id
    raise Contended("All the short ids that were tried are taken.")
