"""Consumes object-finalized: completes a job when its output arrives; removes uploads for deleted jobs"""

from __future__ import annotations

from shared import log
from shared.errors import Contended, UnprocessableEvent
from shared.jobs.amending import BUSY
from shared.jobs.job import JobPrefix, Medium
from shared.messaging.events import ObjectFinalized
from shared.messaging.subscriber import subscriber
from shared.posters.file_formats import BYTES_NEEDED, is_video
from shared.services import Services


@subscriber(ObjectFinalized)
def process_upload(event: ObjectFinalized, services: Services) -> None:
    """Handle an upload according to its job's document."""
    if event.bucket not in services.settings.buckets:
        raise UnprocessableEvent("the bucket is none of the three")
    if event.prefix is None:
        log.info("upload_ignored", bucket=event.bucket, reason="no job's object can be called so")
        return
    owner, job_id = event.prefix.user_id, event.prefix.job_id
    deletion = services.deletions.of(job_id)
    is_own = deletion is not None and deletion.user_id == owner
    if deletion and is_own and deletion.is_deleted:
        _remove(event, event.prefix, services)
    elif deletion and not is_own and services.deletions.is_earlier_owner(owner, job_id):
        # The ledger's entry is another's, so nothing is recorded. No restore can bring this user's job back.
        services.objects.remove(event.bucket, event.name, event.generation)
        log.info("late_upload_removed", job_id=job_id, bucket=event.bucket, bytes=event.size)
    else:
        # The job is live, or being restored, or does not exist yet, because inputs are uploaded first. A deletion
        # of another user's is of another job with this id.
        if is_own and services.deletions.take_stale_mark(job_id, services.now()):
            reason = "marked by other code since its restore"
            log.info("upload_ignored", job_id=job_id, bucket=event.bucket, reason=reason)
            return
        _complete(event, event.prefix, services)


def _complete(event: ObjectFinalized, job: JobPrefix, services: Services) -> None:
    """Complete the job if its output exists and is a video. The event and the content type prove neither."""
    output = f"{job}{Medium.OUTPUT_VIDEO.default_name}"
    if event.bucket != services.settings.outputs_bucket or event.name != output:
        return
    beginning = _beginning(event, services)
    if beginning is None:
        log.info("upload_gone", job_id=job.job_id, bucket=event.bucket)
        return
    if not is_video(beginning):
        about = {"bytes": event.size, "content_type": event.content_type, "begins": beginning.hex()}
        log.warning("output_refused", job_id=job.job_id, **about)
        return
    changed = services.completions.complete(job, event.name, services.now())
    # Nothing changes if the job is another user's, has failed, does not exist, or already has its output.
    log.info("completed" if changed else "output_changes_nothing", job_id=job.job_id, bytes=event.size)


def _beginning(event: ObjectFinalized, services: Services) -> bytes | None:
    """The object's first bytes; None if it is gone, or was replaced by a generation with its own event."""
    there = services.objects.describe(event.bucket, event.name)
    if there is None or there.generation != event.generation:
        return None
    end = min(there.size, BYTES_NEEDED)
    return services.objects.read(event.bucket, event.name, event.generation, 0, end) if end else b""


def _remove(event: ObjectFinalized, job: JobPrefix, services: Services) -> None:
    """Remove this generation, since the purge may have run already. Record it first, so no removal is missed."""
    late = (job.job_id, event.bucket, event.generation)
    there = services.objects.describe(event.bucket, event.name, event.generation)
    if there is None:
        # The purge removed it, or this event was delivered before, and its end may not have been recorded.
        services.deletions.end_late_removal(*late, services.now(), is_removed=False, owner=job.user_id)
        log.info("upload_gone", job_id=job.job_id, bucket=event.bucket)
        return
    if not services.deletions.record_late_upload(*late, services.now(), size=there.size, owner=job.user_id):
        raise Contended(BUSY)  # taken back at this moment: look again
    is_removed = services.objects.remove(event.bucket, event.name, event.generation)
    services.deletions.end_late_removal(*late, services.now(), is_removed=is_removed, owner=job.user_id)
    log.info("late_upload_removed", job_id=job.job_id, bucket=event.bucket, bytes=there.size)
