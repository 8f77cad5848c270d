"""DELETE /jobs"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from shared import log
from shared.access.user import User
from shared.deletion.erasures import Erasure, ErasureState
from shared.errors import BadRequest, OtherNumber, SignInTooOld, TooManyRequests
from shared.jobs.pagination import ListQuery
from shared.jobs.parameters import whole_number
from shared.messaging.events import JobsErased
from shared.services import Services
from shared.web.endpoint import Request, endpoint

SIGNED_IN_WITHIN = 5
"""Minutes since a sign-in during which all jobs can be deleted."""
BETWEEN = timedelta(minutes=1)
"""How long after one request the next is taken. Each has all of the user's jobs gone through, deleted ones too."""
BETWEEN_PENDING = timedelta(minutes=10)
"""The same while the earlier one is being carried out, so that few go through the same jobs at a time."""


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
    _check_not_just_asked(last, now)
    jobs = services.repository.count(ListQuery(user_id=user.id))
    if confirmed != jobs:
        raise OtherNumber(jobs)
    erasure = services.erasures.request(user.id, jobs, last, by=user.id, now=now)
    message_id = _publish(erasure, services)
    log.info("jobs_erased", erasure=erasure.id, jobs=jobs, message_id=message_id)
    return {"message": "All jobs are being deleted.", "erasure": erasure.id}


def _check_not_just_asked(last: Erasure | None, now: datetime) -> None:
    if last is None:
        return
    pending = last.state is ErasureState.PENDING
    between = BETWEEN_PENDING if pending else BETWEEN
    left = min(last.requested_at + between - now, between)
    if left > timedelta():
        raise TooManyRequests(
            math.ceil(left.total_seconds()),
            "Your last request is still being carried out. To ask again, please wait some minutes."
            if pending
            else "You asked for this less than a minute ago. To ask again, please wait a minute.",
        )


def _publish(erasure: Erasure, services: Services) -> str | None:
    """Publish the erasure; return the message's id, or None if Pub/Sub did not accept it.

    The erasure does not depend on this message: a sweep publishes again for one that makes no progress.
    """
    try:
        return services.erasure_publisher.publish(JobsErased(erasure.id, erasure.user_id))
    except Exception:
        log.exception("publish_failed", erasure=erasure.id)
        return None
