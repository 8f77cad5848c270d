"""An uploaded output completes its job, which then gets a share link."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from google.cloud import firestore

from shared.jobs.amending import Document, amend, update_unless_changed
from shared.jobs.documents import given, is_live
from shared.jobs.job import FINAL_STATUSES, JobPrefix, JobStatus
from shared.sharing.short_links import Claim, claim, link_for


def completion(document: Document, path: str, now: datetime) -> Document:
    """What an output at `path` changes in a live job, the link aside.

    It completes a job that is under way, whatever the writer of jobs calls that. A completed one gets what it
    lacks, and any other that has ended stays as it is. What the worker has set stays.
    """
    status = document.get("status")
    if status in FINAL_STATUSES and status != JobStatus.COMPLETED:
        return {}
    wanted: Document = {"output_video_path": path, "completed_at": now}
    changes = {name: value for name, value in wanted.items() if given(document, name) is None}
    if status != JobStatus.COMPLETED:
        changes["status"] = JobStatus.COMPLETED.value
    return {**changes, "updated_at": now} if changes else {}


def wants_link(document: Document, changes: Document) -> bool:
    """Whether a completed job must have a link; one that its owner has ended is not given another."""
    completed = {**document, **changes}.get("status") == JobStatus.COMPLETED
    return completed and given(document, "share_revoked_at") is None


class Completions:
    """Every method raises Unavailable when Firestore is away. `length` is that of a new short id."""

    def __init__(self, client: firestore.Client, length: int) -> None:
        self._client = client
        self._jobs = client.collection("jobs")
        self._length = length

    def complete(self, job: JobPrefix, path: str, now: datetime) -> bool:
        """Complete the job if it is live and under way; tell whether anything was left to change.

        Costs one read, and one write, or two with a link. Where there is a `short_id` already, whoever has set it
        may not have made its link: that costs a write and, if it is there, a read.
        """
        changed = False

        def write(snapshot: Any, document: Document) -> Document:
            nonlocal changed
            if not is_live(document, job.user_id):
                return {}
            changes = completion(document, path, now)
            wants = wants_link(document, changes)
            claimed = claim(self._client, document.get("short_id"), job.job_id) if wants else None
            if wants and claimed in (None, Claim.TAKEN):
                changes = {**changes, "short_id": link_for(self._client, snapshot, changes, self._length)}
            elif changes:
                update_unless_changed(self._client, snapshot, changes)
            changed = bool(changes) or claimed is Claim.NEW
            return changes

        amend(self._jobs.document(job.job_id), write)
        return changed
