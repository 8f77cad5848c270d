"""DELETE /jobs/{id}"""

from __future__ import annotations

from typing import Any

from shared import log
from shared.access.user import User
from shared.deletion.purge import Deletion, DeletionState
from shared.jobs.job import rfc3339
from shared.messaging.events import JobDeleted
from shared.services import Services
from shared.web.endpoint import Request, endpoint


@endpoint("DELETE", "/jobs/{job_id}", status=202, check_revoked=True)
def delete_job(request: Request, user: User, services: Services) -> dict[str, Any]:
    """Mark the job as deleted and request the purge of its files."""
    deletion = services.deletions.mark(user.id, str(request.job_id), services.now())
    message_id = _publish(deletion, services) if deletion.state is DeletionState.PENDING else None
    log.info("job_deleted", job_id=deletion.job_id, message_id=message_id)
    done = deletion.state is DeletionState.DONE
    return {
        "message": "The job is deleted." if done else "The job is deleted; its files are being removed.",
        "job_id": deletion.job_id,
        "deleted_at": rfc3339(deletion.deleted_at),
        "purge": deletion.state.value,
    }


def _publish(deletion: Deletion, services: Services) -> str | None:
    """Publish the deletion; return the message's id, or None if Pub/Sub did not accept it.

    The purge does not depend on this message: a sweep publishes again for a purge that stays pending.
    """
    event = JobDeleted(deletion.job_id, deletion.user_id, deletion.deleted_at)
    try:
        return services.publisher.publish(event)
    except Exception:
        log.exception("publish_failed", job_id=deletion.job_id)
        return None
