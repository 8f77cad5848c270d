"""The names of the small pictures that a job's tiles show, as its document knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.cloud import firestore

from shared.jobs.amending import Document, amend, update_unless_changed
from shared.jobs.documents import is_live
from shared.jobs.job import JobPrefix, Medium


@dataclass(frozen=True, slots=True)
class Pictures:
    """Object names."""

    poster: str
    preview: str | None


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


class KnownPictures:
    """Every method raises Unavailable when Firestore is away."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._jobs = client.collection("jobs")

    def set(self, job: JobPrefix, medium: Medium, pictures: Pictures | None) -> bool:
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
