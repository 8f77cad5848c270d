"""The end of share links whose time has come.

A link past its end shows nothing from that moment on: see `shared_video`. It is ended for good a little later, so
that lists and counts of shared jobs need not look at the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from google.api_core.exceptions import Aborted, FailedPrecondition, InvalidArgument, NotFound
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared import log
from shared.jobs.amending import update_unless_changed
from shared.jobs.documents import fields, given
from shared.outages import pages
from shared.sharing.shares import revocation
from shared.sharing.short_links import is_over, own_link, update_with_link

PASSED_OVER = 200
"""After so many jobs that took no change, a run stops, so that it ends in time. The next begins with them again:
if they never take one, later ends wait until somebody repairs the documents, which are logged each time. Such
links show nothing meanwhile, but lists and counts of shared jobs have them.
"""

_LOOKED_AT = ("short_id", "share_expires_at", "share_revoked_at", "share_name")
"""All fields that the end of a link depends on."""


def goes_on(link: Mapping[str, Any], now: datetime) -> bool:
    """Whether the link works although the job says that its time has come, as an older copy of the job does."""
    return "expires_at" in link and not is_over(link, now)


class Expiries:
    """Raises Unavailable when Firestore is away."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._jobs = client.collection("jobs")

    def end_due(self, now: datetime, limit: int) -> Iterator[str]:
        """End at most `limit` links whose time has come, and give the id of each one's job, deleted or not.

        Where an older copy of a job has brought an earlier end back, the link stays and the job gets the link's
        end. A job without a link only loses the end. A job that somebody else writes meanwhile waits for the next
        run, and so does one that takes no change, which is logged. They do not count, so later ends do not wait,
        unless there are PASSED_OVER of them: then they wait until that is repaired. An end time is removed and
        not set to null, so that there is room for what is written even in a document that is full. Costs two
        reads and two writes for each, and a write, or a read, to reserve its id; two reads and a write for one
        that stays; a read and a write for a job without a link; at least a read.
        """
        due = self._jobs.where(filter=FieldFilter("share_expires_at", "<=", now)).order_by("share_expires_at")
        due = due.select(_LOOKED_AT)
        changed = passed_over = 0
        for snapshot in chain.from_iterable(pages(due, limit)):
            ended = False
            try:
                ended = self._end(snapshot, now)
                changed += 1
            except (FailedPrecondition, Aborted, NotFound):
                passed_over += 1
            except InvalidArgument:
                passed_over += 1
                log.exception("link_not_ended", job_id=snapshot.id)
            if ended:
                yield snapshot.id
            if changed == limit or passed_over == PASSED_OVER:
                return

    def _end(self, snapshot: Any, now: datetime) -> bool:
        """End the link of this job, if it has one, unless it goes on. Returns whether it has ended."""
        document = fields(snapshot)
        if given(document, "short_id") is None:
            update_unless_changed(self._client, snapshot, {"share_expires_at": firestore.DELETE_FIELD})
            return False
        link, end = own_link(self._client, document.get("short_id"), snapshot.id), document["share_expires_at"]
        if goes_on(link, now):
            later = link["expires_at"] or firestore.DELETE_FIELD
            update_unless_changed(self._client, snapshot, {"share_expires_at": later})
            return False
        changes = {**revocation(document, link, end), "share_expires_at": firestore.DELETE_FIELD}
        update_with_link(self._client, snapshot, changes, {"ended_at": end})
        return True
