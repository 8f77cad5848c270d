"""Consumes jobs-erased: deletes all jobs that a user had when the erasure was requested, batch by batch"""

from __future__ import annotations

import time

from shared import log
from shared.deletion.erasures import Erasure, ErasureState
from shared.deletion.purge import DeletionState
from shared.errors import Unavailable, UnprocessableEvent
from shared.jobs.pagination import ListQuery
from shared.messaging.events import JobDeleted, JobsErased
from shared.messaging.subscriber import subscriber
from shared.outages import ERASE_WITHIN
from shared.services import Services

BATCH = 200
"""Jobs read, deleted and recorded at a time. A killed run repeats at most one batch, which changes nothing."""


@subscriber(JobsErased)
def erase_jobs(event: JobsErased, services: Services) -> None:
    """Carry out an erasure, or go on with it. An event alone erases nothing."""
    erasure = services.erasures.of(event.erasure_id)
    if erasure is None or erasure.user_id != event.user_id:
        raise UnprocessableEvent("the erasure is unknown or another user's")
    if _is_over(erasure, services):
        log.info("erasure_not_wanted", erasure=erasure.id)
        return
    until, passes = time.monotonic() + ERASE_WITHIN, erasure.passes
    while erasure.passes == passes:
        if time.monotonic() > until:
            _hand_on(erasure, services)
            return
        reached = _erase_batch(erasure, services)
        if reached is None:
            log.info("erasure_left_to_another_run", erasure=erasure.id)
            return
        erasure = reached
    log.info("erasure_pass_ended", erasure=erasure.id, state=erasure.state.value, deleted=erasure.deleted)


def _is_over(erasure: Erasure, services: Services) -> bool:
    """Whether it is done and no job has come that was created before it, besides those that it left alone."""
    if erasure.state is not ErasureState.DONE or erasure.after is not None:
        return False
    late = ListQuery(user_id=erasure.user_id, created_before=erasure.requested_at)
    there = services.repository.count(late)
    return there <= services.repository.live_before(erasure.user_id, erasure.left, erasure.requested_at)


def _erase_batch(erasure: Erasure, services: Services) -> Erasure | None:
    """Erase the next jobs, request the purges of their files, and record it. None if another run was first.

    A purge does not depend on its message: a sweep publishes again for one that stays pending.
    """
    now = services.now()
    ids, last = services.repository.batch(erasure.user_id, erasure.requested_at, erasure.after, BATCH)
    erased = services.erasing.erase(erasure, ids, now)
    due = [one for one in erased.deletions if one.state is DeletionState.PENDING]
    services.publisher.publish_all([JobDeleted(one.job_id, one.user_id, one.deleted_at) for one in due])
    deleted = sum(one.deleted_at >= erasure.requested_at for one in erased.deletions)
    dealt_with = {"deleted": deleted, "failed": erased.failed}
    return services.erasures.advance(erasure, last, **dealt_with, left=erased.left, now=services.now())


def _hand_on(erasure: Erasure, services: Services) -> None:
    """Leave the rest to another run. Raises Unavailable if Pub/Sub did not accept the request for it."""
    if not services.erasure_publisher.publish_all([JobsErased(erasure.id, erasure.user_id)]):
        raise Unavailable("Pub/Sub")
    log.info("erasure_handed_on", erasure=erasure.id, deleted=erasure.deleted)
