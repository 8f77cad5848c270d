"""DELETE /jobs"""

from __future__ import annotations

from typing import Any

from shared import log
from shared.access.user import User
from shared.deletion.erasures import Erasure, refusal
from shared.errors import BadRequest, OtherNumber, SignInTooOld
from shared.jobs.pagination import ListQuery
from shared.jobs.parameters import whole_number
from shared.messaging.events import JobsErased
from shared.services import Services
from shared.web.endpoint import Request, endpoint

SIGNED_IN_WITHIN = 5
"""Minutes since a sign-in during which all jobs can be deleted."""


@endpoint("DELETE", "/jobs", status=202, check_revoked=True)
def delete_jobs(request: Request, user: User, services: Services) -> dict[str, Any]:
    """Accept the wish to delete all of the user's jobs, and request that it be carried out."""
    now = services.now()  # before the count, so that the wish covers no job that was not counted
    if now.timestamp() - user.signed_in_at > 60 * SIGNED_IN_WITHIN:
        raise SignInTooOld(SIGNED_IN_WITHIN)
    confirmed = whole_number(request.query, "confirm")
    if confirmed is None:
        raise BadRequest("confirm must be the number of jobs that there are.")
    last = services.erasures.latest(user.id)
    if last and (refused := refusal(last, now)):
        raise refused
    jobs = services.repository.count(ListQuery(user_id=user.id))
    if confirmed != jobs:
        raise OtherNumber(jobs)
    erasure = services.erasures.request(user.id, jobs, last, by=user.id, now=now)
    message_id = _publish(erasure, services)
    log.info("jobs_erased", erasure=erasure.id, jobs=jobs, message_id=message_id)
    return {"message": "All jobs are being deleted.", "erasure": erasure.id}


def _publish(erasure: Erasure, services: Services) -> str | None:
    """Publish the erasure; return the message's id, or None if Pub/Sub did not accept it.

    The erasure does not depend on this message: a sweep publishes again for one that makes no progress.
    """
    try:
        return services.erasure_publisher.publish(JobsErased(erasure.id, erasure.user_id))
    except Exception:
        log.exception("publish_failed", erasure=erasure.id)
        return None
