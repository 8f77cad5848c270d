"""Views of shared videos in Firestore, counted in shards until they are moved into their jobs.

A document sustains about one write a second, and a popular link gets more views than that. So each view goes to
one of the job's ten shards, and the shards are moved into the job once a minute. Views are not collected in
the process: after a response a function is guaranteed no CPU and may be gone.
https://firebase.google.com/docs/firestore/solutions/counters
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from google.api_core.exceptions import Aborted, FailedPrecondition, InvalidArgument, NotFound
from google.cloud import firestore

from shared import log
from shared.jobs.documents import fields
from shared.jobs.job import is_job_id
from shared.outages import counting_limits, fetched, firestore_limits, outages

SHARDS = 10
_MOST_TRIES = 3


class Views:
    """Every method raises Unavailable when Firestore is away."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._shards = client.collection("view_shards")
        self._jobs = client.collection("jobs")

    def add(self, job_id: str) -> None:
        """Count one view. Costs one write, tried only once, because a second try could count it twice."""
        shard = self._shards.document(f"{job_id}-{random.randrange(SHARDS)}")  # noqa: S311 - not a secret
        with outages("Firestore"):
            shard.set({"job_id": job_id, "views": firestore.Increment(1)}, merge=True, **counting_limits())

    def waiting(self, limit: int) -> Iterator[str]:
        """Names of shards that hold views, at most `limit`. Costs one read each, and at least two.

        Each call starts at a different place and wraps around, so every shard gets its turn even if there are
        more than can be moved in time.
        """
        start = {"__name__": self._shards.document(uuid.uuid4().hex)}
        in_order = self._shards.order_by("__name__")
        found = 0
        for part in (in_order.start_at(start), in_order.end_before(start)):
            if found < limit:
                shards = fetched(part.limit(limit - found))
                found += len(shards)
                yield from (shard.id for shard in shards)

    def move(self, name: str) -> int:
        """Add a shard's views to its job and delete the shard, both or neither. Returns how many views were moved.

        Returns 0 if another run moved the shard, or if writes to it keep interfering: then the next run takes
        it. Also returns 0 if the job cannot be written; that is logged and does not delay other shards. Costs
        one read, one delete and one write.
        """
        for _ in range(_MOST_TRIES):
            with outages("Firestore"):
                shard = self._shards.document(name).get(**firestore_limits())
            if not shard.exists:
                return 0
            try:
                return self._move(shard)
            except (FailedPrecondition, Aborted):
                continue
        return 0

    def _move(self, shard: Any) -> int:
        held = fields(shard)
        job_id, views = held.get("job_id"), held.get("views")
        if not isinstance(views, int) or isinstance(views, bool) or views < 1 or not is_job_id(job_id):
            log.warning("view_shard_damaged")
            views = 0
        try:
            return self._commit(shard, str(job_id), views)
        except NotFound:
            with suppress(NotFound):  # then the shard itself is gone
                self._commit(shard, "", 0)
                log.warning("views_of_no_job", job_id=job_id)
            return 0
        except InvalidArgument:
            log.exception("views_not_moved", job_id=job_id)  # its document may be full
            return 0

    def _commit(self, shard: Any, job_id: str, views: int) -> int:
        batch = self._client.batch()
        batch.delete(shard.reference, option=self._client.write_option(last_update_time=shard.update_time))
        if views:
            batch.update(self._jobs.document(job_id), {"view_count": firestore.Increment(views)})
        with outages("Firestore"):
            batch.commit(**firestore_limits())
        return views
