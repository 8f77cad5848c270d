"""Consumes every-minute: asks again for what is overdue, tells of stalled jobs, and handles dead letters"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared import log, tracing
from shared.deletion.erasures import ErasureState
from shared.deletion.purge import SWEEPS_UNTIL_ALERT, Deletion, DeletionState
from shared.errors import SweepIncomplete, Unavailable, UnprocessableEvent
from shared.messaging.events import JobDeleted, JobRestored, JobsErased, MinutePassed, ObjectFinalized
from shared.messaging.subscriber import subscriber
from shared.publishing.dead_letters import DeadLetters, Letter
from shared.publishing.publisher import Publisher
from shared.services import Services
from shared.tracing import Trace

BATCH = 100
"""Most deletions and erasures asked for again, and most dead letters of each kind handled, in one sweep."""
LOOKS = 500
"""Most marks of jobs looked at in one sweep. Each look takes two calls, one after the other."""
_LOOKS_AT_ONCE = 8
LOOKS_BEGIN_WITHIN = 35.0
"""Seconds from the sweep's start. It is ended after 60, and what it has not looked at is due the next minute."""
MOST_REPLAYS = 8
"""Most replays of one upload event. A replay succeeds or fails five deliveries; all take about two hours."""
KEPT_FOR = timedelta(days=90)
"""How long a dead letter that could not be replayed is kept. Firestore's TTL policy reads `expire_at`."""
_REPLAYS = "replays"
_LARGEST_KEPT = 100_000


@subscriber(MinutePassed)
def sweep_purges(_: MinutePassed, services: Services) -> None:
    """Retry overdue purges, restores and erasures, look at marks, tell of jobs, then handle dead letters."""
    looks_until, failures = time.monotonic() + LOOKS_BEGIN_WITHIN, _Failures()
    with failures.kept("purges of the old form"):
        _take_over(services, failures)
    due: dict[DeletionState, list[Deletion]] = {state: [] for state in DeletionState}
    with failures.kept("deletions that are due"):
        for deletion in services.deletions.due(services.now(), BATCH, LOOKS):
            due[deletion.state].append(deletion)
        with failures.kept("overdue purges"):
            _ask_again(due[DeletionState.PENDING], _PURGE, services, failures)
        with failures.kept("overdue restores"):
            _ask_again(due[DeletionState.RESTORING], _RESTORE, services, failures)
    with failures.kept("erasures that are due"):
        _ask_for_erasures(services, failures)
    with failures.kept("age of the oldest purge"):
        _tell_oldest(services)
    with failures.kept("stalled jobs"):
        _tell_stalled(services)
    with failures.kept("dead letters of deletions"):
        _drain(services.dead_deletions, _replay_deletion, services, failures)
    with failures.kept("dead letters of restores"):
        _drain(services.dead_restores, _replay_restore, services, failures)
    with failures.kept("dead letters of uploads"):
        _drain(services.dead_uploads, _replay_upload, services, failures)
    # After all that is owed: a look takes as long as a request, and there may be many.
    over = due[DeletionState.DONE] + due[DeletionState.RESTORED]
    _look_at_marks(over, looks_until, services, failures)
    if failures.parts:
        log.error("sweep_incomplete", failures=len(failures.parts))
        raise SweepIncomplete(f"{len(failures.parts)} of its parts failed")


Record = Callable[[Deletion, datetime], None]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for again, and how."""

    event: type[JobDeleted] | type[JobRestored]
    publisher: Callable[[Services], Publisher]
    record: Callable[[Services], Record]


_PURGE = _Wish(
    JobDeleted,
    lambda services: services.publisher,
    lambda services: services.deletions.record_sweep,
)
_RESTORE = _Wish(
    JobRestored,
    lambda services: services.restore_publisher,
    lambda services: services.restores.record_sweep,
)


class _Failures:
    """Notes failed parts. A failed part does not stop the others, but the sweep as a whole fails."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    @contextmanager
    def kept(self, part: str, **about: object) -> Iterator[None]:
        try:
            yield
        except Exception:
            self.parts.append(part)
            log.exception("sweep_part_failed", part=part, **about)


def _take_over(services: Services, failures: _Failures) -> None:
    """Move pending purges that older code left in jobs' documents into the ledger, where they are due at once.

    Once `python -m infra.reconcile` reports none of the old form, this finds nothing for ever and can go.
    """
    for job_id in services.ledger.old_form_pending(BATCH):
        with failures.kept("purge of the old form", job_id=job_id):
            services.deletions.take_over(job_id, services.now())


def _look_at_marks(over: Iterable[Deletion], until: float, services: Services, failures: _Failures) -> None:
    """Recording the sweep puts a deleted job's lost mark again, and takes a stale one from a restored job.

    Several at a time, in this context: log lines tell of the same trace. None begins after `until`.
    """
    records: dict[DeletionState, Record] = {
        DeletionState.DONE: services.deletions.record_sweep,
        DeletionState.RESTORED: services.restores.record_sweep,
    }

    def look(deletion: Deletion) -> None:
        if time.monotonic() < until:
            with failures.kept("mark of a job", job_id=deletion.job_id):
                records[deletion.state](deletion, services.now())

    with ThreadPoolExecutor(_LOOKS_AT_ONCE, thread_name_prefix="looks") as threads:
        looks = [threads.submit(copy_context().run, look, deletion) for deletion in over]
    for one in looks:
        one.result()


def _tell_oldest(services: Services) -> None:
    """Log the age that infra/cloud/metrics/nuumee_jobs_oldest_pending_purge.json reads."""
    now = services.now()
    before = now - services.settings.sweep_after
    oldest = services.deletions.oldest_going_on(before, BATCH)
    if oldest:
        age = round((now - oldest.deleted_at).total_seconds())
        log.info("purges_pending", oldest_seconds=age, job_id=oldest.job_id)


def _tell_stalled(services: Services) -> None:
    """Log each job that nobody has changed for a day, then record it. A failure in between logs it twice."""
    stalled = services.stalled.untold(services.now(), BATCH)
    for job in stalled.jobs:
        log.error("job_stalled", job_id=job.job_id, status=job.status, updated_at=job.updated_at)
    services.stalled.record(stalled)


def _ask_again(overdue: Iterable[Deletion], wish: _Wish, services: Services, failures: _Failures) -> None:
    """Publish, then postpone the next sweep. A failure in between publishes twice but never loses an event."""
    asked = {wish.event(one.job_id, one.user_id, one.deleted_at): one for one in overdue}
    accepted = wish.publisher(services).publish_all(list(asked)) if asked else []
    for event in accepted:
        with failures.kept("record of a sweep", job_id=event.job_id):
            wish.record(services)(asked[event], services.now())
        _tell(asked[event], wish)
    if len(accepted) < len(asked):
        raise Unavailable("Pub/Sub")


def _tell(deletion: Deletion, wish: _Wish) -> None:
    """Log it, as an error if the run fails again and again. What is left elsewhere was an error of its own."""
    about = {"job_id": deletion.job_id, "sweeps": deletion.sweeps + 1, "deleted_at": deletion.deleted_at}
    is_told = wish is _PURGE and deletion.left and not deletion.has_failed
    if deletion.sweeps + 1 < SWEEPS_UNTIL_ALERT or is_told:
        log.warning("restore_asked_again" if wish is _RESTORE else "purge_asked_again", **about)
    else:
        log.error("restore_overdue" if wish is _RESTORE else "purge_overdue", **about)


def _ask_for_erasures(services: Services, failures: _Failures) -> None:
    """Ask again for erasures that make no progress, and have done ones look for jobs that came late."""
    due = {JobsErased(one.id, one.user_id): one for one in services.erasures.due(services.now(), BATCH)}
    accepted = services.erasure_publisher.publish_all(list(due)) if due else []
    for event in accepted:
        erasure = due[event]
        with failures.kept("record of a sweep", erasure=erasure.id):
            services.erasures.record_sweep(erasure, services.now())
        if erasure.state is ErasureState.PENDING and erasure.sweeps + 1 >= SWEEPS_UNTIL_ALERT:
            log.error("erasure_overdue", erasure=erasure.id, sweeps=erasure.sweeps + 1)
    if len(accepted) < len(due):
        raise Unavailable("Pub/Sub")


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
    return _replay_wish(letter, DeletionState.PENDING, _PURGE, services)


def _replay_restore(letter: Letter, services: Services) -> str:
    return _replay_wish(letter, DeletionState.RESTORING, _RESTORE, services)


def _replay_wish(letter: Letter, wanted: DeletionState, wish: _Wish, services: Services) -> str:
    """Publish at once what no sweep has asked for yet. A swept one waits until it is due."""
    event = wish.event.decode(letter.data, letter.attributes)
    deletion = services.deletions.of(event.job_id)
    if deletion is None or deletion.user_id != event.user_id:
        raise UnprocessableEvent("the job is live, unknown or another user's")
    if deletion.state is not wanted:
        return f"{deletion.state.value} meanwhile"
    if deletion.sweeps and deletion.sweep_at and deletion.sweep_at > services.now():
        return "left to its next sweep"
    wish.publisher(services).publish(wish.event(deletion.job_id, deletion.user_id, deletion.deleted_at))
    wish.record(services)(deletion, services.now())
    return "replayed"


def _replay_upload(letter: Letter, services: Services) -> str:
    """Publish the event again, up to MOST_REPLAYS, and have a deleted job purged again.

    A deletion may be taken back, and nothing else would announce a file that was not removed. What is replayed
    while the job's files go or come back does not count: the event ends with the file, or once the job is live.
    """
    event = ObjectFinalized.decode(letter.data, letter.attributes)
    deletion = services.deletions.of(event.prefix.job_id) if event.prefix else None
    if event.prefix and deletion and deletion.user_id == event.prefix.user_id:
        if deletion.state is DeletionState.RESTORING or _has_files(deletion):
            services.upload_publisher.forward(letter, letter.attributes)
            return f"replayed while {deletion.state.value}"
        if deletion.is_deleted:
            # If this comes again although the file is proved gone, it fails for another reason, and counts.
            services.deletions.reopen(deletion.job_id, services.now())
    replays = letter.attributes.get(_REPLAYS, "0")
    if replays not in map(str, range(MOST_REPLAYS)):
        raise UnprocessableEvent(f"it was replayed {replays[:20]} times")
    services.upload_publisher.forward(letter, {**letter.attributes, _REPLAYS: str(int(replays) + 1)})
    return "replayed"


def _has_files(deletion: Deletion) -> bool:
    """Whether files may be left for a purge that is on its schedule, which no letter changes."""
    is_scheduled = deletion.state is DeletionState.PENDING and deletion.sweep_at is not None
    return is_scheduled and not deletion.is_proved_empty


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
