"""Gives a job its owner's name for it."""

from __future__ import annotations

from typing import Any

from google.cloud import firestore

from shared.errors import NotFound
from shared.jobs.amending import Document, amend, update_unless_changed
from shared.jobs.documents import given, is_live, job_from
from shared.jobs.job import Job, is_job_id
from shared.jobs.names import folded


def renaming(document: Document, name: str | None) -> Document:
    """The changes that give a job this name, or none; empty if it has it. Nothing else writes these two fields."""
    wanted = {"name": name, "name_folded": None if name is None else folded(name)}
    return {} if all(given(document, field) == value for field, value in wanted.items()) else wanted


class Renaming:
    """Raises Unavailable when Firestore is away."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._jobs = client.collection("jobs")

    def rename(self, user_id: str, job_id: str, name: str | None) -> Job:
        """Give the user's live job this name, or none. Returns the changed job. Raises NotFound.

        Costs one read and, if the name is new, one write.
        """
        if not is_job_id(job_id):
            raise NotFound

        def write(snapshot: Any, document: Document) -> Document:
            if not is_live(document, user_id):
                raise NotFound
            changes = renaming(document, name)
            update_unless_changed(self._client, snapshot, changes)
            return changes

        return job_from(job_id, amend(self._jobs.document(job_id), write))
