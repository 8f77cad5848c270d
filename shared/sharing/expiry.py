"""The end of share links whose time has come.

A link past its end shows nothing from that moment on: see `shared_video`. It is ended for good a little later, so
that lists and counts of shared jobs need not look at the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from google.api_core.exceptions import Aborted, FailedPrecondition, NotFound
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.jobs.documents import fields
from shared.outages import fetched
from shared.sharing.shares import revocation
from shared.sharing.short_links import update_with_link


class Expiries:
    """Raises Unavailable when Firestore is away."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._jobs = client.collection("jobs")

    def end_due(self, now: datetime, limit: int) -> Iterator[str]:
        """End at most `limit` links whose time has come, and give the id of each one's job, deleted or not.

        A job that somebody else writes meanwhile waits for the next run. The end time is removed and not set to
        null, so that there is room for what is written even in a document that is full. Costs a read and two
        writes for each, and a write, or a read, to reserve its id; at least a read.
        """
        due = self._jobs.where(filter=FieldFilter("share_expires_at", "<=", now)).order_by("share_expires_at")
        found = fetched(due.limit(limit))
        for snapshot in found:
            document = fields(snapshot)
            changes = revocation(document, document["share_expires_at"])
            changes["share_expires_at"] = firestore.DELETE_FIELD
            try:
                update_with_link(self._client, snapshot, changes, {"ended_at": document["share_expires_at"]})
            except (FailedPrecondition, Aborted, NotFound):
                continue
            yield snapshot.id
