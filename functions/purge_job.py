"""Consumes job-deleted: removes the files of a deleted job from the three buckets"""

from __future__ import annotations

import uuid

from shared import log
from shared.deletion.purge import PurgeState
from shared.errors import PurgeIncomplete, UnprocessableEvent
from shared.jobs.job import JobPrefix
from shared.messaging.events import JobDeleted
from shared.messaging.subscriber import subscriber
from shared.services import Services


@subscriber(JobDeleted)
def purge_job(event: JobDeleted, services: Services) -> None:
    """Remove the job's files if its document says it is deleted. An event alone removes nothing."""
    run = uuid.uuid4().hex
    deletion = services.deletions.begin_purge(event.job_id, event.user_id, run, services.now())
    if deletion is None:
        raise UnprocessableEvent("the job is live or unknown")
    if deletion.user_id != event.user_id:
        raise UnprocessableEvent("the job is another user's")

    buckets = services.objects.purge(JobPrefix(deletion.user_id, deletion.job_id))
    state = services.deletions.end_purge(deletion.job_id, run, buckets, services.now())
    log.info(
        "purged",
        job_id=deletion.job_id,
        state=state.value,
        objects=sum(bucket.objects for bucket in buckets),
        bytes=sum(bucket.size for bucket in buckets),
    )
    if state is not PurgeState.DONE:
        failed = ", ".join(bucket.bucket for bucket in buckets if bucket.error)
        raise PurgeIncomplete(f"files may be left in {failed}")
