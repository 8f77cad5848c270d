"""Consumes job-restored: brings back the files of a job whose deletion was taken back, and makes it live"""

from __future__ import annotations

import time
from datetime import timedelta

from shared import log
from shared.deletion.purge import Deletion, DeletionState
from shared.errors import RestoreIncomplete, UnprocessableEvent
from shared.jobs.job import JobPrefix
from shared.messaging.events import JobRestored
from shared.messaging.subscriber import subscriber
from shared.services import Services

WAITS = 5
"""How often a restore looks whether a purge has ended before it leaves the rest to its next delivery."""
LONGEST_KEPT = timedelta(days=90)
"""No bucket keeps what is removed for longer: https://cloud.google.com/storage/docs/soft-delete"""
PAUSE = 1.0
"""Seconds between these looks. A purge notices within one batch that it is no longer wanted."""


@subscriber(JobRestored)
def restore_job(event: JobRestored, services: Services) -> None:
    """Restore the job if the ledger says that this is wanted. An event alone restores nothing."""
    deletion = services.restores.of(event.job_id)
    if deletion is None or deletion.user_id != event.user_id:
        raise UnprocessableEvent("the job was never deleted, is unknown or another user's")
    if deletion.state is not DeletionState.RESTORING:
        log.info("restore_not_wanted", job_id=deletion.job_id, state=deletion.state.value)
        return
    _wait_for_removals(deletion, services)
    # A run that it waited for has counted only now what it removed.
    counted = services.restores.of(event.job_id) or deletion

    prefix = JobPrefix(deletion.user_id, deletion.job_id)
    is_wanted = lambda: services.restores.is_wanted(deletion)  # noqa: E731
    buckets = services.objects.restore(prefix, counted.removed_since, is_wanted, counted.removed)
    # The settings named other buckets when the files were removed, and only there can they be restored.
    unknown = [
        bucket for bucket, count in counted.removed.items() if count and bucket not in services.settings.buckets
    ]
    # Counts that are too small are reached although files are missing, once the buckets have given these up.
    may_lack = unknown or not counted.is_counted or any(bucket.missing for bucket in buckets)
    if may_lack and _is_too_late(counted, services):
        services.restores.abandon(deletion, services.now())
        log.error("restore_too_late", job_id=deletion.job_id, deleted_at=deletion.deleted_at)
        return
    if failed := [*unknown, *(bucket.bucket for bucket in buckets if bucket.error)]:
        raise RestoreIncomplete(f"files may be missing in {', '.join(failed)}")
    state = services.restores.finish(deletion, services.now())
    log.info(
        "restored",
        job_id=deletion.job_id,
        state=state and state.value,
        objects=sum(bucket.objects for bucket in buckets),
        bytes=sum(bucket.size for bucket in buckets),
    )


def _wait_for_removals(deletion: Deletion, services: Services) -> None:
    """Wait for a purge that was running when its deletion was taken back. Raises RestoreIncomplete."""
    for _ in range(WAITS):
        if services.restores.may_begin(deletion.job_id, services.now()):
            return
        time.sleep(PAUSE)
    raise RestoreIncomplete("a run may still be removing objects")


def _is_too_late(deletion: Deletion, services: Services) -> bool:
    """Whether the time of the first file is known to be over, so that what is missing cannot come back."""
    first = deletion.first_removal or deletion.deleted_at
    until = services.retention.kept_until(first) or first + LONGEST_KEPT
    return until <= services.now()
