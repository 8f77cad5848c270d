"""Consumes job-deleted: removes the files of a deleted job from the three buckets"""

from __future__ import annotations

import uuid
from functools import partial

from shared import log
from shared.deletion.purge import Deletion, DeletionState, Leftovers
from shared.errors import PurgeIncomplete, Unavailable, UnprocessableEvent
from shared.jobs.job import JobPrefix
from shared.messaging.events import JobDeleted
from shared.messaging.subscriber import subscriber
from shared.services import Services


@subscriber(JobDeleted)
def purge_job(event: JobDeleted, services: Services) -> None:
    """Remove the job's files if the ledger says that it is deleted. An event alone removes nothing."""
    run = uuid.uuid4().hex
    deletion = services.deletions.begin_purge(event.job_id, event.user_id, run, services.now())
    if deletion is None:
        raise UnprocessableEvent("the job is live or unknown")
    if deletion.user_id != event.user_id:
        raise UnprocessableEvent("the job is another user's")
    if not deletion.is_deleted:
        log.info("purge_not_wanted", job_id=deletion.job_id, state=deletion.state.value)
        return

    prefix = JobPrefix(deletion.user_id, deletion.job_id)
    buckets = services.objects.purge(prefix, lambda: services.deletions.still_holds(deletion, services.now()))
    end = partial(services.deletions.end_purge, deletion.job_id, run, buckets, owner=deletion.user_id)
    failed = ", ".join(bucket.bucket for bucket in buckets if bucket.error)
    try:
        # A run that failed has not looked elsewhere: what was left there still is.
        found = Leftovers(deletion.left) if failed else services.named_elsewhere.leftovers(deletion)
    except Unavailable:
        # What was removed counts, whatever else the job names.
        unknown = Leftovers(deletion.left, deletion.named)
        end(services.now(), unknown)
        raise
    _tell(deletion, found)
    after = end(services.now(), found)
    log.info(
        "purged",
        job_id=deletion.job_id,
        state=after.state.value,
        objects=sum(bucket.objects for bucket in buckets),
        bytes=sum(bucket.size for bucket in buckets),
    )
    if after.state is DeletionState.PENDING and (failed or not after.left):
        raise PurgeIncomplete(f"files may be left in {failed or 'other places that the job names'}")


def _tell(deletion: Deletion, found: Leftovers) -> None:
    """Log what is left for somebody to look at, once for each new finding."""
    if found.left and found.left != deletion.left:
        log.error("purge_left_objects", job_id=deletion.job_id, left=found.left)
