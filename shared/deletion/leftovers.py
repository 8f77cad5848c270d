"""Finds objects that a deleted job names outside its own prefix and that no live job needs.

They are reported and never removed: another job's files may be among them, or what somebody wrote by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import TYPE_CHECKING

from shared.deletion.ledger import Ledger
from shared.deletion.purge import Deletion, DeletionState, Leftovers
from shared.deletion.standing import LOOKED_AT, standing_of
from shared.jobs.documents import is_deleted
from shared.jobs.job import JobPrefix, Medium
from shared.settings import Bucket

if TYPE_CHECKING:
    from shared.storage.objects import ObjectStore


class _Claim(Enum):
    LIVE = auto()
    """A live job of the user names the object or has it under its prefix."""
    GOING = auto()
    """Another deleted job's purge is going to remove it."""
    NONE = auto()


class NamedElsewhere:
    """Every method raises Unavailable when Firestore or Storage is away."""

    def __init__(self, ledger: Ledger, objects: ObjectStore, buckets: Mapping[Bucket, str]) -> None:
        self._ledger = ledger
        self._objects = objects
        self._buckets = buckets

    def leftovers(self, deletion: Deletion) -> Leftovers:
        """What is still there of what the job names elsewhere.

        Costs nothing for a job that names nothing elsewhere. Otherwise a listing for each object, and for each
        that is there two reads and at most four queries; one more listing for each that nobody claims.
        """
        found: dict[_Claim, list[str]] = {claim: [] for claim in _Claim}
        for named in deletion.named:
            if self._is_there(named):
                found[self._claim(deletion, named.partition("/")[2])].append(named)
        # Since the first look, another purge may have removed what it then no longer claimed.
        left = tuple(filter(self._is_there, found[_Claim.NONE]))
        return Leftovers(left, tuple(found[_Claim.GOING]))

    def _is_there(self, named: str) -> bool:
        kind, _, name = named.partition("/")
        return self._objects.is_there(self._buckets[Bucket(kind)], name)

    def _claim(self, deletion: Deletion, name: str) -> _Claim:
        owner = JobPrefix.of_object(name)
        pair = self._ledger.read([owner.job_id], LOOKED_AT)[owner.job_id] if owner else None
        standing = standing_of(pair) if pair and pair.document else None
        if standing and standing.user_id == deletion.user_id and not standing.is_deleted:
            return _Claim.LIVE
        for medium in Medium:
            for job_id, document in self._ledger.jobs_naming(deletion.user_id, medium.path_field, name):
                if job_id != deletion.job_id and not is_deleted(document):
                    return _Claim.LIVE
        other = standing_of(pair).deletion if pair else None
        is_going = other and other.user_id == deletion.user_id and other.state is DeletionState.PENDING
        return _Claim.GOING if is_going else _Claim.NONE
