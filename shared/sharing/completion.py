"""Completes a job when its output is uploaded, and gives it a share link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from google.cloud import firestore

from shared.errors import Contended
from shared.jobs.amending import MARKED, Document, amend, update_unless_changed
from shared.jobs.documents import given, is_deleted, is_owned
from shared.jobs.job import FINAL_STATUSES, JobPrefix, JobStatus
from shared.sharing.short_links import Claim, claim, is_short_id, link_for, update_with_link


def completion(document: Document, path: str, now: datetime) -> Document:
    """What an output at `path` changes in a live job, apart from the link.

    Completes a job that is in progress, whatever status name the writer of jobs uses for that. Adds missing
    fields to a completed job, and leaves a job that ended otherwise alone. Never overwrites what the worker has
    set, except a short id that came after the owner had ended the link.
    """
    status = document.get("status")
    if status in FINAL_STATUSES and status != JobStatus.COMPLETED:
        return {}
    wanted: Document = {"output_video_path": path, "completed_at": now}
    changes = {name: value for name, value in wanted.items() if given(document, name) is None}
    if status != JobStatus.COMPLETED:
        changes["status"] = JobStatus.COMPLETED.value
    changes |= {"updated_at": now} if changes else {}
    has_ended = given(document, "share_revoked_at") is not None
    return {**changes, "short_id": None} if has_ended and given(document, "short_id") is not None else changes


def wants_link(document: Document, changes: Document) -> bool:
    """Whether a completed job needs a link. If the owner has ended the link, the job gets no other."""
    completed = {**document, **changes}.get("status") == JobStatus.COMPLETED
    return completed and given(document, "share_revoked_at") is None


def refuse_marked(document: Document, changes: Document) -> None:
    """Raises Contended if the job is marked as deleted and lacks `changes` or a link.

    By the next try it is gone, or live again, or it is known that other code has marked a restored job.
    """
    lacks_link = wants_link(document, changes) and not is_short_id(document.get("short_id"))
    if is_deleted(document) and (changes or lacks_link):
        raise Contended(MARKED)


class Completions:
    """Every method raises Unavailable when Firestore is away. `length` is the length of new short ids."""

    def __init__(self, client: firestore.Client, length: int) -> None:
        self._client = client
        self._jobs = client.collection("jobs")
        self._length = length

    def complete(self, job: JobPrefix, path: str, now: datetime) -> bool:
        """Complete the job if it is in progress. Returns whether anything had to change.

        Raises Contended if something had to and the job is marked as deleted.

        Costs one read and one write, or two writes with a link. If the job has a `short_id` already, its link
        may not exist yet: that costs a write and, if the link exists, a read. The link of an id that is taken from
        the job ends, so that no older copy opens it: that costs a write more, and a write, or a read, to reserve
        the id.
        """
        changed = False

        def write(snapshot: Any, document: Document) -> Document:
            nonlocal changed
            if not is_owned(document, job.user_id):
                return {}
            changes = completion(document, path, now)
            refuse_marked(document, changes)
            if is_deleted(document):
                return {}
            wants = wants_link(document, changes)
            claimed = claim(self._client, document.get("short_id"), job.job_id) if wants else None
            if claimed and not claimed.is_ours:
                changes = {**changes, "short_id": link_for(self._client, snapshot, changes, self._length)}
            elif "short_id" in changes:
                update_with_link(self._client, snapshot, changes, {"ended_at": now})
            else:
                update_unless_changed(self._client, snapshot, changes)
            changed = bool(changes) or claimed is Claim.NEW
            return changes

        amend(self._jobs.document(job.job_id), write)
        return changed
