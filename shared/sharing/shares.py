"""Share links of jobs in Firestore: what a short id shows, and how a job's owner renews or ends the link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared import log
from shared.errors import NotCompleted, NotFound, NotShared
from shared.jobs.allowance import Allowance
from shared.jobs.amending import Write, amend, read, update_unless_changed
from shared.jobs.documents import fields, given, is_deleted, job_from
from shared.jobs.job import Job, Medium, is_job_id, is_own_path
from shared.jobs.share_picture import SharePicture, share_picture
from shared.outages import fetched
from shared.sharing.short_links import (
    claim,
    is_over,
    is_short_id,
    link_for,
    link_of,
    own_link,
    update_with_link,
)

RENEWALS = Allowance(at_once=10, every=timedelta(hours=1))
"""New links of one job. Each leaves a permanent document that reserves its id."""

_AT_LINK = {"share_expires_at": "expires_at", "share_name": "share_name"}
"""What the fields that hold a job's wishes are called in its link's document."""


class NoSuchVideo(NotFound):
    """Raised alike if the link never existed or has ended, or if its job is deleted or not completed."""

    def __init__(self) -> None:
        super().__init__("There is no video at this link.")


_SHORT_SIDES = {"480p": 480, "720p": 720}


@dataclass(frozen=True, slots=True)
class SharedVideo:
    """What a working link shows."""

    short_id: str
    job: Job
    poster: str | None
    """Object name of the poster, in the bucket of the outputs."""
    picture: SharePicture | None
    is_settled: bool = True
    """Whether the link has been created. If not, another job may yet get the same short id."""

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the video in pixels; None until its proportions are known."""
        if self.picture is None:
            return None
        width, height = self.picture.size
        scale = _SHORT_SIDES.get(self.job.resolution or "", min(width, height)) / min(width, height)
        return round(width * scale), round(height * scale)


def shared_video(
    short_id: str, job_id: str, document: dict[str, Any], link: Mapping[str, Any], now: datetime
) -> SharedVideo:
    """What a link to this job shows, according to both documents. Raises NoSuchVideo.

    The end that the link's document holds, or null, counts and not the job's. The job's name is shown only if the
    owner wishes: they give names for themselves.
    """
    if is_over({**_as_link(document), **link}, now):
        raise NoSuchVideo
    if not isinstance(document.get("user_id"), str) or is_deleted(document):
        raise NoSuchVideo
    job = job_from(job_id, document)
    if not job.share_name or link.get("share_name") is False:
        job = replace(job, name=None)
    if job.short_id != short_id or not job.is_completed:
        raise NoSuchVideo
    poster = job.posters.get(Medium.OUTPUT_VIDEO)
    own = poster is not None and is_own_path(poster, job.user_id)
    return SharedVideo(short_id, job, poster if own else None, share_picture(document, job.user_id))


def has_come_back(document: dict[str, Any], link: Mapping[str, Any], now: datetime) -> bool:
    """Whether the link has ended and the job does not know: an older copy of it has brought the link back."""
    return is_over(link, now) and not is_over(_as_link(document), now)


def is_dead(document: Mapping[str, Any]) -> bool:
    """Whether a short id must be taken from the job: its owner has ended the link, or the link's end is no time.

    `job_from` shows no such id, but lists of shared jobs find the job by it. One that is malformed shows nothing
    either, and is left for the job's output to replace.
    """
    end = given(document, "share_expires_at")
    has_ended = given(document, "share_revoked_at") is not None or not (end is None or isinstance(end, datetime))
    return has_ended and given(document, "short_id") is not None


def _as_link(document: dict[str, Any]) -> dict[str, Any]:
    return {"expires_at": given(document, "share_expires_at")}


def revocation(document: dict[str, Any], link: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What must be written to end a job's link; empty if it has ended already.

    The link's wish about the name replaces that of an older copy, because the next link has the job's. A document
    without one needs none: it shows no name, and may be full.
    """
    ended = {"short_id": None, "share_expires_at": None}
    if all(given(document, name) is None for name in ended) and given(document, "share_revoked_at") is not None:
        return {}
    return {**ended, "share_revoked_at": now, **(kept_wish(link) if "share_name" in document else {})}


def renewal(document: dict[str, Any], now: datetime, expires_at: datetime | None) -> dict[str, Any]:
    """What must be written with a new link, besides its id. Raises TooManyRequests."""
    refusal = "This job has had many new links lately. The next can be made in {}."
    until = RENEWALS.used(document.get("share_renewals_until"), now, refusal)
    return {"share_revoked_at": None, "share_renewals_until": until, "share_expires_at": expires_at}


def wished(
    document: dict[str, Any], link: Mapping[str, Any], now: datetime, wishes: Mapping[str, Any]
) -> dict[str, Any]:
    """The wishes that the job or its link does not have yet. They differ after an older copy. Raises NotShared."""
    job = job_from("", document)
    short_id = str(job.short_id)
    if not is_short_id(short_id):
        raise NotShared
    try:
        shared_video(short_id, "", document, link, now)
    except NoSuchVideo:
        raise NotShared from None
    return {
        name: value
        for name, value in wishes.items()
        if getattr(job, name) != value or link.get(_AT_LINK[name]) != value
    }


def about_link(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """The same wishes as the link's document names them."""
    return {_AT_LINK[name]: value for name, value in wishes.items()}


def kept_wish(link: Mapping[str, Any]) -> dict[str, Any]:
    """What a new link and the job have from the link before: the owner's last wish about the name, if any."""
    return {"share_name": link["share_name"]} if "share_name" in link else {}


class Shares:
    """Every method raises Unavailable when Firestore is away. `length` is the length of new short ids."""

    def __init__(self, client: firestore.Client, length: int) -> None:
        self._client = client
        self._jobs = client.collection("jobs")
        self._links = client.collection("short_links")
        self._length = length

    def resolve(self, short_id: str, now: datetime) -> SharedVideo:
        """What the link shows now. Raises NoSuchVideo if it shows nothing. Writes nothing, and costs two reads.

        Another writer may have set a job's short id after its output came. The link then opens, but it is not
        settled.
        """
        if not is_short_id(short_id):
            raise NoSuchVideo
        link = fields(read(self._links.document(short_id)))
        job_id = link.get("job_id")
        if job_id is None:
            return self._unclaimed(short_id, now)
        if not isinstance(job_id, str) or not is_job_id(job_id):
            raise NoSuchVideo
        return shared_video(short_id, job_id, fields(read(self._jobs.document(job_id))), link, now)

    def _unclaimed(self, short_id: str, now: datetime) -> SharedVideo:
        """What the job shows that has this short id but no link. If two jobs have the id, neither is shown."""
        found = fetched(self._jobs.where(filter=FieldFilter("short_id", "==", short_id)).limit(2))
        if len(found) != 1 or not is_job_id(str(found[0].id)):
            raise NoSuchVideo
        return replace(shared_video(short_id, str(found[0].id), fields(found[0]), {}, now), is_settled=False)

    def settle(self, short_id: str, now: datetime) -> None:
        """Create the link of a job that got its short id from another writer. From then on the id is its own.

        Changes nothing if the link exists or shows nothing. Costs one write more than `resolve`.
        """
        try:
            video = self.resolve(short_id, now)
        except NoSuchVideo:
            return
        if not video.is_settled:
            claim(self._client, short_id, video.job.id)

    def renew(self, user_id: str, job_id: str, now: datetime, expires_at: datetime | None) -> Job:
        """Give the job a new link, which ends then or never, and end its old one.

        Whether that shows the job's name stays as the owner wishes. Raises NotFound, NotCompleted and
        TooManyRequests. Costs one read and two writes, plus two reads and two writes if it had a link.
        """

        def write(snapshot: Any, document: dict[str, Any]) -> dict[str, Any]:
            job = job_from(job_id, document)
            if not job.is_completed:
                raise NotCompleted(job.status)
            changes = renewal(document, now, expires_at)
            # Reserve the old id for good, even if its link was never created.
            old = document.get("short_id")
            is_own = claim(self._client, old, job_id).is_ours
            ends = (str(old), now) if is_own else None
            link = own_link(self._client, old, job_id)
            end = {} if expires_at is None else {"expires_at": expires_at}
            changes |= kept_wish(link)
            about = {**kept_wish(link), **end}
            new = link_for(self._client, snapshot, changes, self._length, about_link=about, ends=ends)
            return {**changes, "short_id": new}

        return self._write(user_id, job_id, write)

    def change(self, user_id: str, job_id: str, now: datetime, wishes: Mapping[str, Any]) -> Job:
        """Let the job's link be as its owner wishes; `requested_wishes` gives the fields.

        Raises NotFound, and NotShared if the job has no link that works. A short id whose link is another job's,
        has ended and came back with another writer, or ends at no time, is taken from the job; the link also ends
        if it is the job's own. Costs two reads and, if a wish is new or the link ends, two writes, and a write, or
        a read, to reserve the id; one write if the link is another job's.
        """

        def write(snapshot: Any, document: dict[str, Any]) -> dict[str, Any]:
            link = link_of(self._client, document.get("short_id"))
            if link.get("job_id", job_id) != job_id:
                update_unless_changed(self._client, snapshot, {"short_id": None})
                log.warning("short_id_of_another_job", job_id=job_id)
                raise NotShared
            if has_come_back(document, link, now) or is_dead(document):
                link = link if link.get("job_id") == job_id else {}
                update_with_link(self._client, snapshot, revocation(document, link, now), {"ended_at": now})
                raise NotShared
            changes = wished(document, link, now, wishes)
            if changes:
                update_with_link(self._client, snapshot, changes, about_link(changes))
            return changes

        return self._write(user_id, job_id, write)

    def revoke(self, user_id: str, job_id: str, now: datetime) -> Job:
        """End the job's link; it gets no new one until its owner asks. Raises NotFound.

        Costs one read and one write, plus two reads and two writes if it had a link.
        """

        def write(snapshot: Any, document: dict[str, Any]) -> dict[str, Any]:
            link = own_link(self._client, document.get("short_id"), job_id)
            changes = revocation(document, link, now)
            if changes:
                update_with_link(self._client, snapshot, changes, {"ended_at": now})
            return changes

        return self._write(user_id, job_id, write)

    def _write(self, user_id: str, job_id: str, write: Write) -> Job:
        """Apply `write` to the user's live job. Returns the changed job."""
        if not is_job_id(job_id):
            raise NotFound

        def write_own(snapshot: Any, document: dict[str, Any]) -> dict[str, Any]:
            if document.get("user_id") != user_id or is_deleted(document):
                raise NotFound
            return write(snapshot, document)

        return job_from(job_id, amend(self._jobs.document(job_id), write_own))
