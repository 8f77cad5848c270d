"""Consumes every-minute: asks again for overdue purges and handles dead letters"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice

from shared import log, tracing
from shared.deletion.purge import SWEEPS_UNTIL_ALERT, Deletion, PurgeState
from shared.errors import SweepIncomplete, Unavailable, UnprocessableEvent
from shared.messaging.events import JobDeleted, MinutePassed, ObjectFinalized
from shared.messaging.subscriber import subscriber
from shared.publishing.dead_letters import DeadLetters, Letter
from shared.services import Services
from shared.tracing import Trace

BATCH = 100
"""Most purges asked for again, and most dead letters of each kind handled, in one sweep."""
MOST_LOOKED_AT = 1_000
"""Most pending purges that a sweep reads to find those without a `sweep_at`."""
MOST_REPLAYS = 8
"""Most replays of one upload event. A replay succeeds or fails five deliveries; all take about two hours."""
KEPT_FOR = timedelta(days=90)
"""How long a dead letter that could not be replayed is kept. Firestore's TTL policy reads `expire_at`."""
_REPLAYS = "replays"
_LARGEST_KEPT = 100_000


@subscriber(MinutePassed)
def sweep_purges(_: MinutePassed, services: Services) -> None:
    """Retry overdue purges, then handle dead letters."""
    failures = _Failures()
    with failures.kept("overdue purges"):
        _ask_again(_overdue(services, failures), services, failures)
    with failures.kept("dead letters of deletions"):
        _drain(services.dead_deletions, _replay_deletion, services, failures)
    with failures.kept("dead letters of uploads"):
        _drain(services.dead_uploads, _replay_upload, services, failures)
    if failures.count:
        log.error("sweep_incomplete", failures=failures.count)
        raise SweepIncomplete(f"{failures.count} of its parts failed")


class _Failures:
    """Counts failed parts. A failed part does not stop the others, but the sweep as a whole fails."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def kept(self, part: str, **about: object) -> Iterator[None]:
        try:
            yield
        except Exception:
            self.count += 1
            log.exception("sweep_part_failed", part=part, **about)


def _overdue(services: Services, failures: _Failures) -> list[Deletion]:
    now = services.now()
    overdue: list[Deletion] = []
    with failures.kept("purges that are due"):
        overdue += services.deletions.due(now, BATCH)
    with failures.kept("purges without a time"):
        # Deletions not marked by delete_job have no `sweep_at`.
        since = now - timedelta(seconds=services.settings.sweep_after)
        pending = list(islice(services.deletions.all_pending(since), MOST_LOOKED_AT))
        overdue += [one for one in pending if one.sweep_at is None]
        _tell_oldest(pending, now)
    return overdue[:BATCH]


def _tell_oldest(pending: Sequence[Deletion], now: datetime) -> None:
    """Log the age that infra/cloud/metrics/nuumee_jobs_oldest_pending_purge.json reads."""
    if pending:
        oldest = min(pending, key=lambda one: one.deleted_at)
        age = round((now - oldest.deleted_at).total_seconds())
        log.info("purges_pending", found=len(pending), oldest_seconds=age, job_id=oldest.job_id)


def _ask_again(overdue: Iterable[Deletion], services: Services, failures: _Failures) -> None:
    """Publish, then postpone the next sweep. A failure in between publishes twice but never loses an event."""
    asked = {JobDeleted(one.job_id, one.user_id, one.deleted_at): one for one in overdue}
    accepted = services.publisher.publish_all(list(asked))
    for event in accepted:
        with failures.kept("record of a sweep", job_id=event.job_id):
            services.deletions.record_sweep(asked[event], services.now())
        _tell(asked[event])
    if len(accepted) < len(asked):
        raise Unavailable("Pub/Sub")


def _tell(deletion: Deletion) -> None:
    about = {"job_id": deletion.job_id, "sweeps": deletion.sweeps + 1, "deleted_at": deletion.deleted_at}
    if deletion.sweeps + 1 >= SWEEPS_UNTIL_ALERT:
        log.error("purge_overdue", **about)
    else:
        log.warning("purge_asked_again", **about)


def _drain(
    letters: DeadLetters, replay: Callable[[Letter, Services], str], services: Services, failures: _Failures
) -> None:
    """Replay the waiting letters one by one, acknowledging each afterwards. A letter that fails comes again."""
    for letter in letters.pull(BATCH):
        trace = Trace.of(letter.attributes.get(tracing.ATTRIBUTE))
        with (
            log.context(services.settings.project, trace, message_id=letter.message_id),
            failures.kept("dead letter"),
        ):
            try:
                outcome = replay(letter, services)
                log.info("dead_letter", outcome=outcome)
            except UnprocessableEvent as error:
                _record(letter, str(error), services)
                log.error("dead_letter_never", reason=str(error))
            letters.acknowledge(letter)


def _replay_deletion(letter: Letter, services: Services) -> str:
    """Publish at once a purge that no sweep has asked for yet. A swept one waits until it is due."""
    event = JobDeleted.decode(letter.data, letter.attributes)
    deletion = services.deletions.of(event.job_id)
    if deletion is None or deletion.user_id != event.user_id:
        raise UnprocessableEvent("the job is live, unknown or another user's")
    if deletion.purge is not PurgeState.PENDING:
        return "done meanwhile"
    if deletion.sweeps and not deletion.is_due(services.now()):
        return "left to its next sweep"
    services.publisher.publish(JobDeleted(deletion.job_id, deletion.user_id, deletion.deleted_at))
    services.deletions.record_sweep(deletion, services.now())
    return "replayed"


def _replay_upload(letter: Letter, services: Services) -> str:
    """Reopen the purge of a deleted job, however often; otherwise publish the event again, up to MOST_REPLAYS."""
    event = ObjectFinalized.decode(letter.data, letter.attributes)
    deletion = services.deletions.of(event.prefix.job_id) if event.prefix else None
    if event.prefix and deletion and deletion.user_id == event.prefix.user_id:
        services.deletions.reopen(deletion.job_id, services.now())
        return "purge reopened"
    replays = letter.attributes.get(_REPLAYS, "0")
    if replays not in map(str, range(MOST_REPLAYS)):
        raise UnprocessableEvent(f"it was replayed {replays[:20]} times")
    services.upload_publisher.forward(letter, {**letter.attributes, _REPLAYS: str(int(replays) + 1)})
    return "replayed"


def _record(letter: Letter, reason: str, services: Services) -> None:
    services.deletions.record_dead_letter(
        letter.message_id,
        {
            "reason": reason,
            "recorded_at": services.now(),
            "expire_at": services.now() + KEPT_FOR,
            "data": letter.data[:_LARGEST_KEPT],
            "bytes": len(letter.data),
            # As text, because some attribute names are not valid field names.
            "attributes": json.dumps(dict(letter.attributes)),
        },
    )
