"""What a ledger entry and its job's document together say. Nothing else decides whether a job is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared import log
from shared.deletion import entry as entries
from shared.deletion.entry import Entry
from shared.deletion.purge import Deletion, DeletionState
from shared.jobs.amending import Document
from shared.jobs.documents import is_deleted, is_real_time
from shared.jobs.job import EPOCH, FINAL_STATUSES
from shared.jobs.stalled import STALLED_AFTER

LOOKED_AT = (
    *("user_id", "deleted_at", "deleted_by", "purge"),
    *("state", "requested_at", "requested_by", "sweep_at", "sweeps", "left", "restores"),
    *("attempts", "running", "buckets", "restore_requested_at", "restored_at"),
    *("others_removed_at", "late_objects"),
)
"""The fields of documents and entries that tell what stands, without the rest of large documents."""

MARK = ("deleted_at", "deleted_by")


@dataclass(frozen=True, slots=True)
class Pair:
    """A ledger entry and its job's document at one time. Each is empty if it does not exist."""

    job_id: str
    entry: Entry
    document: Document


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about the owner of a job's objects."""

    user_id: object
    is_known: bool
    """Whether the job's document is there."""
    is_deleted: bool
    deletion: Deletion | None
    """None also if the job is marked as deleted in a way that does not allow its files to be removed."""


def standing_of(pair: Pair) -> Standing:
    deletion = deletion_of(pair)
    gone = deletion.is_deleted if deletion else is_deleted(pair.document)
    return Standing(owner_of(pair), bool(pair.document), gone, deletion)


def deletion_of(pair: Pair) -> Deletion | None:
    """The deletion that the ledger knows, or else the one that other code marked in the document."""
    entry = pair.entry or entry_from(pair, None)
    deletion = entries.deletion_of(pair.job_id, entry) if entry else None
    marks = (pair.document.get(name) for name in ("purge", "deleted_at"))
    if deletion is None and (entry or any(mark is not None for mark in marks)):
        log.warning("deletion_damaged", job_id=pair.job_id)
    return deletion


def entry_from(pair: Pair, due: datetime | None) -> Entry:
    """The entry of a deletion that is only marked in the document; empty if there is none.

    Lists hide a job that has any `deleted_at`, but files are removed only if the time and the owner are valid.
    """
    document = pair.document
    user_id, by, purge = (document.get(name) for name in ("user_id", "deleted_by", "purge"))
    deleted_at = _real(document.get("deleted_at"))
    if not isinstance(user_id, str) or deleted_at is None:
        return {}
    by = by if isinstance(by, str) else user_id
    others = None if isinstance(purge, dict) else deleted_at
    entry = entries.opened(
        pair.job_id,
        user_id,
        document,
        by=by,
        at=deleted_at,
        marked_at=deleted_at,
        due=due,
        others_removed_at=others,
    )
    return entries.taken_over(entry, purge)


def is_marked_by_others(pair: Pair) -> bool:
    """Whether the document has a mark that is not of a deletion that was taken back. No deletion may stand."""
    return is_deleted(pair.document) and not has_stale_mark(pair)


def is_marked_again(pair: Pair) -> bool:
    """Whether other code has marked the job as deleted since it was restored. That lets no files go."""
    return pair.entry.get("state") == DeletionState.RESTORED and is_marked_by_others(pair)


def marked_at(document: Document) -> datetime | None:
    """The time of the mark, also as other code writes it: as ISO 8601 text, or in milliseconds since 1970.

    None if that is no time, or none that can be right.
    """
    mark = document.get("deleted_at")
    try:
        if isinstance(mark, str):
            mark = datetime.fromisoformat(mark)
            mark = mark if mark.tzinfo else mark.replace(tzinfo=UTC)
        elif isinstance(mark, int | float):
            mark = EPOCH + timedelta(milliseconds=mark)
    except (ValueError, OverflowError):
        return None
    return _real(mark)


def others_removed_at(document: Document) -> datetime:
    """When the code that marked the job may have begun to remove its files: if the mark tells no time, ever since
    the job was made.
    """
    return marked_at(document) or _real(document.get("created_at")) or EPOCH


def _real(time: object) -> datetime | None:
    return time if is_real_time(time) else None


def owner_of(pair: Pair) -> object:
    """Whose job it is. The ledger also knows the owner of a job whose document is gone or damaged."""
    owner = pair.document.get("user_id")
    return owner if isinstance(owner, str) else pair.entry.get("user_id")


def is_of_one_owner(pair: Pair) -> bool:
    """Whether the entry and the document are not of two users."""
    return not pair.entry or owner_of(pair) == pair.entry.get("user_id")


def has_lost_mark(pair: Pair) -> bool:
    """Whether the ledger says that the job is deleted and its document does not."""
    is_marked = isinstance(pair.document.get("deleted_at"), datetime)
    return bool(pair.document) and entries.is_deleted(pair.entry) and not is_marked and is_of_one_owner(pair)


def texts_to_erase(pair: Pair) -> frozenset[str]:
    """Fields of the document that an erasure has removed and a stale copy has brought back."""
    is_erased = entries.is_deleted(pair.entry) and "erasure" in pair.entry and is_of_one_owner(pair)
    return frozenset(entries.ERASED_TEXTS) & pair.document.keys() if is_erased else frozenset()


def has_stale_mark(pair: Pair) -> bool:
    """Whether a restored job's document has the mark of a deletion that was taken back, as a stale copy has."""
    marked, restored = pair.document.get("deleted_at"), pair.entry.get("restored_at")
    if pair.entry.get("state") != DeletionState.RESTORED or not isinstance(restored, datetime):
        return False
    # By another instance's clock, the delete may have been later than the restore.
    return isinstance(marked, datetime) and (marked <= restored or marked == pair.entry.get("requested_at"))


def stirred(entry: Entry, document: Document, now: datetime) -> Document:
    """What the document of a job in progress gets when it loses its mark, so that a job that stalled meanwhile is
    told to operators: nobody was told of a deleted one. If it stalled before the delete, they were told then.
    """
    changed, requested = document.get("updated_at"), entry.get("requested_at")
    is_told = (
        isinstance(changed, datetime) and isinstance(requested, datetime) and requested - changed >= STALLED_AFTER
    )
    return {} if is_told or document.get("status") in FINAL_STATUSES else {"updated_at": now}


def mark_of(entry: Entry) -> Document:
    """What hides the job from readers who look at no ledger."""
    return {"deleted_at": entry["requested_at"], "deleted_by": entry["requested_by"]}
