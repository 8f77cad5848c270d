"""POST /jobs/{id}/restore"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from shared import log
from shared.access.user import User
from shared.deletion.purge import Deletion, DeletionState
from shared.messaging.events import JobRestored
from shared.services import Services
from shared.web.endpoint import Request, endpoint


@endpoint("POST", "/jobs/{job_id}/restore", status=202, check_revoked=True)
def undelete_job(request: Request, user: User, services: Services) -> dict[str, Any]:
    """Take the job's deletion back and request the restore of its files."""
    erased_at = partial(_erased_at, user.id, services)
    deletion = services.restores.request(
        user.id, str(request.job_id), services.retention.kept_until, services.now(), erased_at
    )
    done = deletion.state is DeletionState.RESTORED
    message_id = None if done else _publish(deletion, services)
    log.info("job_undeleted", job_id=deletion.job_id, message_id=message_id)
    return {"job_id": deletion.job_id, "restore": "done" if done else "pending"}


def _erased_at(user_id: str, services: Services) -> datetime | None:
    erasure = services.erasures.latest(user_id)
    return erasure.requested_at if erasure else None


def _publish(deletion: Deletion, services: Services) -> str | None:
    """Publish the restore; return the message's id, or None if Pub/Sub did not accept it.

    The restore does not depend on this message: a sweep publishes again for a restore that is not finished.
    """
    event = JobRestored(deletion.job_id, deletion.user_id, deletion.deleted_at)
    try:
        return services.restore_publisher.publish(event)
    except Exception:
        log.exception("publish_failed", job_id=deletion.job_id)
        return None
