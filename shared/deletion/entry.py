"""A ledger entry, `deletions/{job_id}`, and what each step writes into it.

Each step takes the entry and returns a changed one. A step with a `key` counts once, however often it is written:
a caller who lost the response to a write repeats it. The entry remembers the most recent keys.

The entry holds no names or generations of removed objects, so that its size does not grow with the job's. A
restore does not need them: the soft-deleted generations that this deletion removed are those under the job's
prefix whose soft-delete time is `requested_at` (less ten seconds, as clocks differ) or later.
https://cloud.google.com/storage/docs/use-soft-deleted-objects
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.deletion.purge import DELETED, Deletion, DeletionState, Leftovers, until_next_sweep
from shared.jobs.documents import FREE_TEXTS, given
from shared.jobs.job import FINAL_STATUSES, Medium, can_own_media, is_own_path

if TYPE_CHECKING:
    from shared.storage.removal import BucketPurge

Entry = dict[str, Any]
WATCHED_FOR = timedelta(days=1)
"""How long sweeps look at the mark of a job that was in progress when it was deleted. Its worker may still write a
stale copy of the document, which loses the mark."""
FINAL_WATCHED_FOR = timedelta(minutes=30)
"""The same for a job without a worker, of which somebody else may write a stale copy: some three looks."""
LATE = timedelta(minutes=5)
"""How long after its request a deletion that has removed nothing yet is late. What it removes can be restored for
that much longer, so the trash must not forget it by the time of its request."""
ERASED_TEXTS = (*FREE_TEXTS, "name", "name_folded")
"""The fields of a job's document that its owner, or an error, filled with words."""
_KEYS_KEPT = _NAMES_KEPT = 16
_RUNS_KEPT_FOR = timedelta(hours=1)
"""How long a run that has not ended is remembered: far longer than any can take."""
_LARGEST = 2**53
"""No real count is larger. Firestore's integers end at 2**63."""


def opened(
    job_id: str,
    user_id: str,
    document: Mapping[str, Any],
    *,
    by: str,
    at: datetime,
    marked_at: datetime,
    due: datetime | None,
    final_watched_for: timedelta = timedelta(),
    others_removed_at: datetime | None = None,
) -> Entry:
    """The entry of a deletion that `by` requested `at` that time. A sweep asks again once it is `due`.

    From `marked_at` on, when the mark was written, sweeps look at it: for `final_watched_for` if the job was
    completed or had failed. There is nothing to purge for an owner who cannot own media. `others_removed_at` is
    when code other than ours may have begun to remove the job's files.
    """
    entry: Entry = {"user_id": user_id, "requested_at": at, "requested_by": by, "attempts": 0}
    if not can_own_media(user_id):
        note = "the owner's id can own no media"
        return {**entry, "state": DeletionState.DONE.value, "note": note, "sweep_at": None}
    entry |= {"state": DeletionState.PENDING.value, "sweeps": 0, "sweep_at": due}
    if named := names_outside(job_id, user_id, document):
        entry["named"] = named
    is_final = document.get("status") in FINAL_STATUSES
    if document and (watched_for := final_watched_for if is_final else WATCHED_FOR):
        entry["watched_until"] = marked_at + watched_for
    if others_removed_at:
        entry["others_removed_at"] = others_removed_at
    return entry


def followed(before: Entry, entry: Entry) -> Entry:
    """The entry of a deletion that follows one that was taken back, or an earlier owner's.

    An earlier owner's entry is kept in it for the audit. What the mark displaced then comes back to nobody. The
    runs of before are not kept: all had ended or were dead when the deletion was taken back, and an earlier
    owner's work under another prefix.
    """
    entry = {**entry, **{name: before[name] for name in _FOLLOWING if name in before}}
    if before and before.get("user_id") != entry["user_id"]:
        entry["earlier"] = [*_list(before, "earlier"), {**before, "earlier": []}][-_OWNERS_KEPT:]
        if "displaced" in before:
            entry["put_back"] = before["displaced"]
    else:
        entry |= {name: before[name] for name in _OF_ONE_OWNER if name in before}
    return entry


_FOLLOWING = ("displaced", "put_back", "restores", "earlier")
_LAST_RESTORE = ("restore_requested_at", "restored_despite")
_OF_ONE_OWNER = ("restores_until", *_LAST_RESTORE)
_OWNERS_KEPT = 8


def restores(entry: Entry) -> int:
    """How many restores of the job were requested, of this deletion and of those before it."""
    return _number(entry, "restores")


def erased(entry: Entry, erasure_id: str) -> Entry:
    """The entry of a deleted job that an erasure reached. From now on the job's texts are removed."""
    return {**entry, "erasure": erasure_id}


def wanted_again(entry: Entry, due: datetime) -> Entry:
    """The entry of a deletion that was being taken back when the owner deleted the job again.

    It is the same deletion: what has not come back yet was removed since its first time.
    """
    return {**unproved(entry), "state": DeletionState.PENDING.value, "sweeps": 0, "sweep_at": due}


def given_up(entry: Entry, due: datetime) -> Entry:
    """The same, but not because the owner wants it: the job cannot come back, and was not live meanwhile."""
    again = wanted_again(entry, due)
    return {name: value for name, value in again.items() if name not in _LAST_RESTORE}


def taken_over(entry: Entry, purge: object) -> Entry:
    """The entry with what the `purge` map of an older deletion recorded in the job's document."""
    if not isinstance(purge, dict) or entry["state"] == DeletionState.DONE:
        return entry
    kept = {name: purge[name] for name in _KEPT_FROM_OLD if name in purge}
    if purge.get("state") != DeletionState.DONE:
        # Whether it was pending or closed, a run proves what is left.
        due = purge.get("sweep_at")
        return {**entry, **kept, "sweep_at": due if isinstance(due, datetime) else entry["sweep_at"]}
    at = purge.get("finished_at")
    buckets = {
        name: {**bucket, "proved_empty_at": at, **({"removed_at": at} if _number(bucket, "objects") else {})}
        for name, bucket in _map(purge, "buckets").items()
        if isinstance(bucket, dict)
    }
    done = {"state": DeletionState.DONE.value, "sweep_at": None, "proved_empty_at": at, "buckets": buckets}
    return {**entry, **kept, **done}


_KEPT_FROM_OLD = (
    *("attempts", "sweeps", "started_at", "buckets", "recorded"),
    *("late_objects", "late_bytes", "late_at"),
)


def begun(entry: Entry, key: str, named: Sequence[str], now: datetime) -> Entry:
    """Counts one more run. It is written before the run removes anything, so a killed run leaves a trace.

    `named` is what `names_outside` finds now. What it found before is kept, because a writer may have cleared it.
    """
    if _is_in(entry, f"begun {key}"):
        return entry
    changes: Entry = {**_spared(entry, now), "attempts": _number(entry, "attempts") + 1, "started_at": now}
    changes["running"] = _running(entry, key, now)
    if new := set(named).difference(_texts(entry, "named")):
        changes["named"] = [*_texts(entry, "named"), *sorted(new)][-_NAMES_KEPT:]
    return _with(entry, f"begun {key}", **changes)


def ended(entry: Entry, key: str, buckets: Sequence[BucketPurge], found: Leftovers, now: datetime) -> Entry:
    """Adds what one run removed. The purge is done if no bucket has an error and nothing was found elsewhere.

    A run that began before the deletion was taken back and wished again proves nothing: it may not have seen what
    has come since. If the job was live in between, it also adds nothing: what it removed has come back.
    """
    if _is_in(entry, f"ended {key}"):
        return entry
    before, runs = _map(entry, "buckets"), running(entry)
    restored, is_earlier = entry.get("restore_requested_at"), _is_of_earlier(entry, key)
    is_outdated = is_earlier or (isinstance(restored, datetime) and runs[key] < restored)
    if is_outdated:
        buckets = [replace(one, error=one.error or "the deletion was taken back meanwhile") for one in buckets]
    if is_earlier:
        buckets = [replace(one, objects=0, size=0) for one in buckets]
    began = min(runs.values(), default=now)  # a run that was killed may have removed the first
    others = [at for name, at in runs.items() if name != key]
    after = {
        **before,
        **{one.bucket: _added(_map(before, one.bucket), one, began, others, now) for one in buckets},
    }
    changes: Entry = {"buckets": after, "left": list(found.left), "running": _running(entry, key, None)}
    if is_deleted(entry):
        is_done = not (is_outdated or found.left or found.going or any(one.error for one in buckets))
        state = DeletionState.DONE if is_done else DeletionState.PENDING
        changes |= {"state": state.value, "proved_empty_at": now if is_done else None}
        if is_done:
            changes["sweep_at"] = entry.get("sweep_at") if _is_watched(entry, now) else None
        elif entry["state"] == DeletionState.DONE or entry.get("sweep_at") is None:
            changes["sweep_at"] = now  # another run was done before: what this one saw must be proved anew
            changes |= {"sweeps": 0} if entry["state"] == DeletionState.DONE else {}
    return _with(entry, f"ended {key}", **changes)


def late_upload_found(entry: Entry, bucket: str, generation: int, size: int, now: datetime) -> Entry:
    """Counts an object that arrived after the delete and is now removed, whatever becomes of that run."""
    key = f"{bucket}/{generation}"
    is_known = key in running(entry) or _is_in(entry, key)  # few keys are kept, and many may have come since
    entry = {**entry, **_spared(entry, now), "running": _running(entry, key, now)}
    if is_known:
        return entry
    objects, total = _number(entry, "late_objects") + 1, _number(entry, "late_bytes") + size
    buckets = _map(entry, "buckets")
    buckets = {**buckets, bucket: {"first_removed_at": now, **_map(buckets, bucket), "removed_at": now}}
    return _with(entry, key, late_objects=objects, late_bytes=total, late_at=now, buckets=buckets)


def late_upload_ended(entry: Entry, bucket: str, generation: int, *, is_removed: bool) -> Entry:
    """Ends what `late_upload_found` began, and counts what this run removed: a purge may have been first."""
    run = f"{bucket}/{generation}"
    key = f"removed {run}"
    # Of two deliveries, the first to end takes the run off the list. What this deletion found is still its own.
    is_earlier = _is_of_earlier(entry, run) and not _is_in(entry, run)
    entry = {**entry, "running": _running(entry, run, None)}
    if not is_removed or is_earlier or _is_in(entry, key):
        return entry
    buckets = _map(entry, "buckets")
    one = _map(buckets, bucket)
    return _with(entry, key, buckets={**buckets, bucket: {**one, "late": _number(one, "late") + 1}})


def swept(entry: Entry, due: datetime | None, now: datetime, sweep_after: timedelta) -> Entry:
    """Counts a sweep that handled the deletion due at that time, and schedules a later one, if one is needed."""
    if entry.get("sweep_at") != due:
        return entry  # already recorded
    is_over = entry["state"] in (DeletionState.DONE, DeletionState.RESTORED)
    if is_over and not _is_watched(entry, now):
        return {**entry, "sweep_at": None}
    sweeps = _number(entry, "sweeps") + 1
    next_one = {"sweeps": sweeps, "sweep_at": now + until_next_sweep(sweeps, sweep_after)}
    return {**entry, **({} if is_over else _spared(entry, now)), **next_one}


def reopened(entry: Entry, due: datetime) -> Entry:
    """Makes the purge pending and due at that time, because objects are or may be left.

    A deletion taken back stays so, and so does one whose owner can own no media. A purge that was done starts
    anew: sweeps that looked at its mark do not count.
    """
    if not is_deleted(entry) or not can_own_media(entry["user_id"]):
        return entry
    sweeps = {"sweeps": 0} if entry["state"] == DeletionState.DONE else {}
    return {**unproved(entry), **sweeps, "state": DeletionState.PENDING.value, "sweep_at": due}


def unproved(entry: Entry) -> Entry:
    """The entry without its proofs that nothing is left, because files may be there."""
    buckets = {name: {**one, "proved_empty_at": None} for name, one in buckets_of(entry).items()}
    return {**entry, "proved_empty_at": None, **({"buckets": buckets} if buckets else {})}


def mark_lost(entry: Entry, now: datetime, sweep_after: timedelta) -> Entry:
    """What it means that the job's document has lost its mark: its writer may have brought files, and may write
    again. The first time the purge is due at once, then each time later, so that a writer who never stops costs
    little.
    """
    times = _number(entry, "marks_lost")
    due = now + until_next_sweep(times, sweep_after) if times else now
    return {**reopened(entry, due), "watched_until": now + WATCHED_FOR, "marks_lost": times + 1}


def is_deleted(entry: Entry) -> bool:
    return entry.get("state") in DELETED


def is_restored_despite(entry: Entry, erased_at: datetime) -> bool:
    """Whether the owner took the deletion back when that erasure, or a later one, had been requested.

    The restore wrote down which erasure it found, so that no clocks are compared. Older code did not.
    """
    found = entry.get("restored_despite" if "restored_despite" in entry else "restore_requested_at")
    return isinstance(found, datetime) and found >= erased_at


def was_deleted_by(entry: Entry, user_id: str) -> bool:
    """Whether this user's last deletion of the job stood when the id came to be another's."""
    earlier = [one for one in _list(entry, "earlier") if isinstance(one, dict) and one.get("user_id") == user_id]
    return bool(earlier) and is_deleted(earlier[-1])


def deletion_of(job_id: str, entry: Entry) -> Deletion | None:
    """The deletion in an entry; None if the entry is damaged, which only a hand can do."""
    user_id, requested_at, state = entry.get("user_id"), entry.get("requested_at"), entry.get("state")
    if not isinstance(user_id, str) or not isinstance(requested_at, datetime):
        return None
    if not isinstance(state, str) or state not in set(DeletionState):
        return None
    sweep_at = entry.get("sweep_at")
    buckets = buckets_of(entry)
    return Deletion(
        job_id=job_id,
        user_id=user_id,
        deleted_at=requested_at,
        state=DeletionState(state),
        sweeps=_number(entry, "sweeps"),
        sweep_at=sweep_at if isinstance(sweep_at, datetime) else None,
        named=_texts(entry, "named"),
        left=_texts(entry, "left"),
        restores=restores(entry),
        first_removal=_first_removal(entry, requested_at),
        removed={bucket: _number(one, "objects") + _number(one, "late") for bucket, one in buckets.items()},
        is_counted=_is_counted(entry, requested_at),
        has_failed=any(one.get("error") for one in buckets.values()),
        is_proved_empty=bool(buckets) and all(one.get("proved_empty_at") for one in buckets.values()),
    )


def names_outside(job_id: str, user_id: str, document: Mapping[str, Any]) -> list[str]:
    """The objects that the job's path fields name under the owner's folder, but outside the job's prefix.

    Each is `images/`, `videos/` or `outputs/`, followed by the object's name. Pictures are not among them: they
    lie beside the medium that they show.
    """
    paths = [(medium, given(document, medium.path_field)) for medium in Medium]
    return sorted(
        {
            f"{medium.bucket(path).value}/{path}"
            for medium, path in paths
            if isinstance(path, str) and is_own_path(path, user_id) and not path.startswith(f"{user_id}/{job_id}/")
        }
    )


def _added(before: Entry, one: BucketPurge, began: datetime, others: list[datetime], now: datetime) -> Entry:
    """The record of a bucket with what a run found. `others` is when other runs began that have not ended."""
    changes: Entry = {
        "objects": _number(before, "objects") + one.objects,
        "bytes": _number(before, "bytes") + one.size,
        "error": one.error,
        "proved_empty_at": None if one.error else now,
    }
    if not one.is_counted:
        changes["uncounted"] = True
    # A call that failed, or a run that was cut off, may have removed something all the same.
    removed_at = before.get("removed_at")
    cut_off = [at for at in others if not isinstance(removed_at, datetime) or at > removed_at]
    if one.objects or one.error or not one.is_counted or cut_off:
        return {"first_removed_at": began, **before, **changes, "removed_at": now}
    return {**before, **changes}


def _spared(entry: Entry, now: datetime) -> Entry:
    """Records that a late deletion has removed nothing before now."""
    requested_at = entry.get("requested_at")
    if not is_deleted(entry) or not isinstance(requested_at, datetime):
        return {}
    is_late = now > requested_at + LATE and _first_removal(entry, requested_at) is None
    return {"spared_until": now} if is_late else {}


def _first_removal(entry: Entry, requested_at: datetime) -> datetime | None:
    buckets = buckets_of(entry).values()
    times = [at for one in buckets if isinstance(at := one.get("first_removed_at"), datetime)]
    return min([*times, *_uncounted(entry, requested_at)], default=None)


def _is_counted(entry: Entry, requested_at: datetime) -> bool:
    """Whether it is certain that the buckets' counts are not too small."""
    buckets = buckets_of(entry).values()
    if _uncounted(entry, requested_at) or any(one.get("uncounted") for one in buckets):
        return False
    # A late upload that no delivery has counted was removed by one that was killed, unless a purge was first.
    return sum(_number(one, "late") for one in buckets) >= _number(entry, "late_objects")


def _uncounted(entry: Entry, requested_at: datetime) -> list[datetime]:
    """When removals that nobody has counted began, or may have."""
    # Runs that go on or were killed.
    times = [*running(entry).values()]
    if isinstance(others := entry.get("others_removed_at"), datetime):
        times.append(others)
    # Earlier code recorded neither.
    is_unknown = any("removed_at" in one and "first_removed_at" not in one for one in buckets_of(entry).values())
    if is_unknown or (_number(entry, "attempts") and "running" not in entry):
        times.append(requested_at)
    return times


def buckets_of(entry: Entry) -> dict[str, Entry]:
    """What is recorded of each bucket, by its name."""
    return {name: one for name, one in _map(entry, "buckets").items() if isinstance(one, dict)}


def running(entry: Entry) -> dict[str, datetime]:
    """When the runs that remove objects and have not ended began, as far as they are known."""
    return {name: at for name, at in _map(entry, "running").items() if isinstance(at, datetime)}


def _is_of_earlier(entry: Entry, key: str) -> bool:
    """Whether the run is one of a deletion before this one, which was taken back although the run went on."""
    return isinstance(entry.get("restore_requested_at"), datetime) and key not in running(entry)


def _running(entry: Entry, key: str, began: datetime | None) -> Entry:
    """The runs that have not ended, with this one as it is now.

    Those of long ago were killed. Of them the first is kept, which may have removed the first file.
    """
    known = {name: at for name, at in running(entry).items() if name != key}
    if began is None:
        return known
    first = min(known.values(), default=began)
    return {name: at for name, at in known.items() if at == first or at > began - _RUNS_KEPT_FOR} | {key: began}


def _is_watched(entry: Entry, now: datetime) -> bool:
    until = entry.get("watched_until")
    return isinstance(until, datetime) and now < until


def _is_in(entry: Entry, key: str) -> bool:
    return key in _list(entry, "recorded")


def _with(entry: Entry, key: str, **changes: object) -> Entry:
    return {**entry, **changes, "recorded": [*_list(entry, "recorded"), key][-_KEYS_KEPT:]}


def _list(entry: Entry, name: str) -> list[Any]:
    value = entry.get(name)
    return value if isinstance(value, list) else []


def _texts(entry: Entry, name: str) -> tuple[str, ...]:
    return tuple(one for one in _list(entry, name) if isinstance(one, str))


def _map(entry: Entry, name: str) -> Entry:
    value = entry.get(name)
    return value if isinstance(value, dict) else {}


def _number(entry: Entry, name: str) -> int:
    value: Any = entry.get(name)
    is_sound = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return value if is_sound else 0
