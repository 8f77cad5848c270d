"""What uploads change in live jobs: an output completes its job, and pictures for the tiles become known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from google.cloud import firestore

from shared.jobs.amending import Document, amend, update_unless_changed
from shared.jobs.documents import given, is_deleted
from shared.jobs.job import FINAL_STATUSES, JobPrefix, JobStatus, Medium
from shared.sharing.short_links import Claim, claim, link_for
from shared.storage.pictures import Pictures


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


def known_pictures(document: Document, medium: Medium, pictures: Pictures | None) -> Document:
    """What makes the pictures of one medium known, or with None that it has none."""
    wanted = {"posters": pictures and pictures.poster, "previews": pictures and pictures.preview}
    changes: Document = {}
    for name, path in wanted.items():
        known = document.get(name)
        known = known if isinstance(known, dict) else {}
        # None is written too: what is known to have no poster is not looked for, and does not go by an older one.
        is_told = path is not None or name == "posters" or medium.value in known
        if is_told and known.get(medium.value, "") != path:
            changes[name] = {**known, medium.value: path}
    return changes


def is_live(document: Document, owner: str) -> bool:
    """Whether this is a job of that user that is not deleted."""
    return bool(document) and document.get("user_id") == owner and not is_deleted(document)


class Uploads:
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

    def set_pictures(self, job: JobPrefix, medium: Medium, pictures: Pictures | None) -> bool:
        """Make the pictures of one medium known, if the job is live; tell whether it is.

        Costs one read and, where they are new, one write.
        """
        found = False

        def write(snapshot: Any, document: Document) -> Document:
            nonlocal found
            found = is_live(document, job.user_id)
            changes = known_pictures(document, medium, pictures) if found else {}
            if changes:
                update_unless_changed(self._client, snapshot, changes)
            return changes

        amend(self._jobs.document(job.job_id), write)
        return found
