"""Consumes sweep-purges, each minute: asks again for overdue purges, and sees to the dead letters"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from shared import log
from shared.errors import Unavailable, UnprocessableEvent
from shared.events import JobDeleted, ObjectFinalized, SweepDue
from shared.pubsub import DeadLetters, Letter
from shared.purge import SWEEPS_UNTIL_ALERT, Deletion, PurgeState
from shared.services import Services
from shared.subscriber import subscriber

BATCH = 100
"""Purges asked for again, and dead letters of each kind seen to, in one sweep."""
MOST_REPLAYS = 8
"""Of an upload, each of which ends in five failed deliveries or well: some two hours in all."""
_REPLAYS = "replays"
_LARGEST_KEPT = 100_000


@subscriber(SweepDue)
def sweep_purges(_: SweepDue, services: Services) -> None:
    """Bring back what got lost: purges whose event came to nothing first, those longest overdue before others."""
    _ask_again(_overdue(services), services)
    _drain(services.dead_deletions, _replay_deletion, services)
    _drain(services.dead_uploads, _replay_upload, services)


def _overdue(services: Services) -> list[Deletion]:
    now = services.now()
    due = services.deletions.due(now, BATCH)
    # What others than delete_job have marked has no time of its own.
    since = now - timedelta(seconds=services.settings.sweep_after)
    unscheduled = [one for one in services.deletions.pending(since, BATCH) if one.sweep_at is None]
    return [*due, *unscheduled][:BATCH]


def _ask_again(overdue: Iterable[Deletion], services: Services) -> None:
    """Publish, and only then put the next time off: what fails in between is published twice, never not at all."""
    asked = {JobDeleted(one.job_id, one.user_id, one.deleted_at): one for one in overdue}
    accepted = services.publisher.publish_all(list(asked))
    for event in accepted:
        services.deletions.record_sweep(event.job_id, services.now())
        sweeps = asked[event].sweeps + 1
        about = {"job_id": event.job_id, "sweeps": sweeps, "deleted_at": event.deleted_at}
        if sweeps >= SWEEPS_UNTIL_ALERT:
            log.error("purge_overdue", **about)
        else:
            log.warning("purge_asked_again", **about)
    if len(accepted) < len(asked):
        raise Unavailable("Pub/Sub")


def _drain(letters: DeadLetters, replay: Callable[[Letter, Services], str], services: Services) -> None:
    """See to what waits, and let it go after that: what fails on the way comes again."""
    waiting = letters.pull(BATCH)
    for letter in waiting:
        try:
            outcome = replay(letter, services)
            log.info("dead_letter", message_id=letter.message_id, outcome=outcome)
        except UnprocessableEvent as error:
            _record(letter, str(error), services)
            log.error("dead_letter_never", message_id=letter.message_id, reason=str(error))
    letters.acknowledge(waiting)


def _replay_deletion(letter: Letter, services: Services) -> str:
    """Ask at once for a purge that no sweep has asked for; one that was swept has its own time."""
    event = JobDeleted.decode(letter.data, letter.attributes)
    deletion = services.deletions.of(event.job_id)
    if deletion is None or deletion.user_id != event.user_id:
        raise UnprocessableEvent("the job is live, unknown or another user's")
    if deletion.purge is not PurgeState.PENDING:
        return "done meanwhile"
    if deletion.sweeps and not deletion.is_due(services.now()):
        return "left to its next sweep"
    _ask_again([deletion], services)
    return "replayed"


def _replay_upload(letter: Letter, services: Services) -> str:
    """A deleted job is purged once more, as often as that takes; for any other the event is published again."""
    event = ObjectFinalized.decode(letter.data, letter.attributes)
    deletion = services.deletions.of(event.prefix.job_id) if event.prefix else None
    if event.prefix and deletion and deletion.user_id == event.prefix.user_id:
        services.deletions.reopen(deletion.job_id, services.now())
        return "purge reopened"
    replays = letter.attributes.get(_REPLAYS, "0")
    if not replays.isdecimal() or int(replays) >= MOST_REPLAYS:
        raise UnprocessableEvent(f"it was replayed {replays} times")
    services.upload_publisher.forward(letter, {**letter.attributes, _REPLAYS: str(int(replays) + 1)})
    return "replayed"


def _record(letter: Letter, reason: str, services: Services) -> None:
    services.deletions.record_dead_letter(
        letter.message_id,
        {
            "reason": reason,
            "recorded_at": services.now(),
            "data": letter.data[:_LARGEST_KEPT],
            "bytes": len(letter.data),
            "attributes": dict(letter.attributes),
        },
    )
