"""Consumes object-finalized: what is uploaded for a deleted job is removed again"""

from __future__ import annotations

from shared import log
from shared.errors import UnprocessableEvent
from shared.events import ObjectFinalized
from shared.services import Services
from shared.subscriber import subscriber


@subscriber(ObjectFinalized)
def process_upload(event: ObjectFinalized, services: Services) -> None:
    """Decide what an upload means for its job, which is what the job's own document says."""
    if event.bucket not in services.settings.buckets:
        raise UnprocessableEvent("the bucket is none of the three")
    if event.prefix is None:
        log.info("upload_ignored", bucket=event.bucket, reason="no job's object can be called so")
        return
    deletion = services.deletions.of(event.prefix.job_id)
    if deletion is None:
        # The job is live, or not there yet: inputs are uploaded first.
        return
    if deletion.user_id != event.prefix.user_id:
        log.info("upload_ignored", bucket=event.bucket, job_id=deletion.job_id, reason="another user's")
        return
    _remove(event, services)


def _remove(event: ObjectFinalized, services: Services) -> None:
    """Remove this very generation: the purge may have come and gone. Told first, so that nothing goes untold."""
    if not services.media.has(event.bucket, event.name, event.generation):
        return  # the purge was there first, or this event has come before
    job_id = str(event.job_id)
    key = f"{event.bucket}/{event.generation}"
    services.deletions.record_late_upload(job_id, key, event.size, services.now())
    services.media.remove(event.bucket, event.name, event.generation)
    log.info("late_upload_removed", job_id=job_id, bucket=event.bucket, bytes=event.size)
