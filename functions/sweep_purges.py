"""Consumes every-minute: asks again for overdue purges and handles dead letters"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from shared import log, tracing
from shared.deletion.purge import SWEEPS_UNTIL_ALERT, Deletion, DeletionState
from shared.errors import SweepIncomplete, Unavailable, UnprocessableEvent
from shared.messaging.events import JobDeleted, MinutePassed, ObjectFinalized
from shared.messaging.subscriber import subscriber
from shared.publishing.dead_letters import DeadLetters, Letter
from shared.services import Services
from shared.tracing import Trace

BATCH = 100
"""Most deletions looked at, and most dead letters of each kind handled, in one sweep."""
MOST_REPLAYS = 8
"""Most replays of one upload event. A replay succeeds or fails five deliveries; all take about two hours."""
KEPT_FOR = timedelta(days=90)
"""How long a dead letter that could not be replayed is kept. Firestore's TTL policy reads `expire_at`."""
_REPLAYS = "replays"
_LARGEST_KEPT = 100_000


@subscriber(MinutePassed)
def sweep_purges(_: MinutePassed, services: Services) -> None:
    """Retry overdue purges and look for lost marks, then handle dead letters."""
    failures = _Failures()
    with failures.kept("purges of the old form"):
        _take_over(services, failures)
    with failures.kept("deletions that are due"):
        due = services.deletions.due(services.now(), BATCH)
        _look_at_marks([one for one in due if one.state is DeletionState.DONE], services, failures)
        _ask_again([one for one in due if one.state is DeletionState.PENDING], services, failures)
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


def _take_over(services: Services, failures: _Failures) -> None:
    """Move pending purges that older code left in jobs' documents into the ledger, where they are due at once.

    Once `python -m infra.reconcile` reports none of the old form, this finds nothing for ever and can go.
    """
    for job_id in services.ledger.old_form_pending(BATCH):
        with failures.kept("purge of the old form", job_id=job_id):
            services.deletions.take_over(job_id, services.now())


def _look_at_marks(done: Iterable[Deletion], services: Services, failures: _Failures) -> None:
    """Recording the sweep puts a lost mark again, and makes the purge pending and due."""
    for deletion in done:
        with failures.kept("mark of a deleted job", job_id=deletion.job_id):
            services.deletions.record_sweep(deletion, services.now())


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
    """Log it, as an error if the purge fails again and again. What is left elsewhere was an error of its own."""
    about = {"job_id": deletion.job_id, "sweeps": deletion.sweeps + 1, "deleted_at": deletion.deleted_at}
    if deletion.sweeps + 1 >= SWEEPS_UNTIL_ALERT and not deletion.left:
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
    if not deletion.is_deleted:
        return "taken back"
    if deletion.state is DeletionState.DONE:
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
    if event.prefix and deletion and deletion.is_deleted and deletion.user_id == event.prefix.user_id:
        services.deletions.reopen(deletion.job_id, services.now())
        return "purge reopened"
    replays = letter.attributes.get(_REPLAYS, "0")
    if replays not in map(str, range(MOST_REPLAYS)):
        raise UnprocessableEvent(f"it was replayed {replays[:20]} times")
    services.upload_publisher.forward(letter, {**letter.attributes, _REPLAYS: str(int(replays) + 1)})
    return "replayed"


def _record(letter: Letter, reason: str, services: Services) -> None:
    services.ledger.record_dead_letter(
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
