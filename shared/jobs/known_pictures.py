"""The names of a job's small pictures for its tiles, as recorded in its document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.cloud import firestore

from shared.errors import Contended
from shared.jobs.amending import MARKED, Document, amend, update_unless_changed
from shared.jobs.documents import is_deleted, is_owned, job_from
from shared.jobs.job import JobPrefix, Medium, PictureKind
from shared.jobs.share_picture import SharePicture


@dataclass(frozen=True, slots=True)
class Pictures:
    """Object names of a medium's pictures, and whether all browsers show or play the medium itself."""

    poster: str
    preview: str | None = None
    view: str | None = None
    storyboard: str | None = None
    share_picture: SharePicture | None = None
    playable: bool | None = None
    """None if that was not looked at."""

    def name(self, kind: PictureKind) -> str | None:
        match kind:
            case PictureKind.POSTER:
                return self.poster
            case PictureKind.PREVIEW:
                return self.preview
            case PictureKind.VIEW:
                return self.view
            case PictureKind.STORYBOARD:
                return self.storyboard
            case PictureKind.SHARE_PICTURE:
                return self.share_picture.name if self.share_picture else None


def can_show(document: Document, job: JobPrefix, medium: Medium, path: str) -> bool:
    """Whether this is the job, live or deleted, and it names no other file than `path` for the medium."""
    return is_owned(document, job.user_id) and job_from(job.job_id, document).path(medium) in {None, path}


def known_pictures(document: Document, medium: Medium, pictures: Pictures | None, *, is_decoded: bool) -> Document:
    """The changes that record the pictures of one medium, or with None, that it has none.

    Unless `is_decoded`, perhaps some can be made: then whether it is playable stays as it is, and so do pictures
    that are known. Raises Contended if something is to change and the job is marked as deleted.
    """
    kinds = (kind for kind in PictureKind if kind is not PictureKind.SHARE_PICTURE)
    wanted: Document = {kind.value: pictures and pictures.name(kind) for kind in kinds}
    if not pictures and not is_decoded and _known(document, "posters").get(medium.value) is not None:
        return {}
    if pictures or is_decoded:
        wanted["playable"] = pictures.playable if pictures else False
    changes: Document = {}
    for name, path in wanted.items():
        known = _known(document, name)
        # Write None too, so that a medium without a poster is not looked up and does not keep an older one.
        is_told = path is not None or name == "posters" or medium.value in known
        if is_told and known.get(medium.value, "") != path:
            changes[name] = {**known, medium.value: path}
    changes |= _share_picture(document, pictures) if medium is Medium.OUTPUT_VIDEO else {}
    if changes and is_deleted(document):
        raise Contended(MARKED)
    return changes


def _known(document: Document, name: str) -> Document:
    known = document.get(name)
    return known if isinstance(known, dict) else {}


def _share_picture(document: Document, pictures: Pictures | None) -> Document:
    shared = pictures and pictures.share_picture
    told = shared.as_field() if shared else None
    return {} if document.get("share_picture") == told else {"share_picture": told}


class KnownPictures:
    """Every method raises Unavailable when Firestore is away."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._jobs = client.collection("jobs")

    def set(
        self, job: JobPrefix, medium: Medium, path: str, pictures: Pictures | None, *, is_decoded: bool = True
    ) -> bool:
        """Record the pictures of the file at `path`; return False if it is no file of this user's job.

        Without pictures, the file counts as not playable if it `is_decoded`, that is if a decoder has refused it.

        Costs one read and, if the pictures are new, one write. Raises Contended if they are and the job is marked
        as deleted: by the next try it is gone, or live again, or it is known that other code has marked a restored
        job.
        """
        found = False

        def write(snapshot: Any, document: Document) -> Document:
            nonlocal found
            found = can_show(document, job, medium, path)
            changes = known_pictures(document, medium, pictures, is_decoded=is_decoded) if found else {}
            update_unless_changed(self._client, snapshot, changes)
            return changes

        amend(self._jobs.document(job.job_id), write)
        return found
