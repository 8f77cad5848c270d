"""Consumes object-finalized: makes the pictures of a new image or video for the page's tiles, and for chats"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from shared import log
from shared.errors import NotFound, PurgeIncomplete, UnprocessableEvent
from shared.jobs.job import JobPrefix, Medium, Picture, PictureKind, is_own_path
from shared.jobs.known_pictures import Pictures
from shared.messaging.events import ObjectFinalized
from shared.messaging.subscriber import subscriber
from shared.posters.file_formats import BYTES_NEEDED, media_format
from shared.posters.posters import END_READ, OF_VIDEOS, WHOLE_UP_TO, program_for
from shared.posters.posters import make_posters as make
from shared.posters.unpicturable import Reason, Unpicturable
from shared.services import Services
from shared.storage.pictures import Place

if TYPE_CHECKING:
    from shared.storage.objects import Description


@subscriber(ObjectFinalized)
def make_posters(event: ObjectFinalized, services: Services) -> None:
    """Store the pictures beside the object, under the job's prefix, so that the purge removes them too."""
    if event.bucket not in services.settings.buckets:
        raise UnprocessableEvent("the bucket is none of the three")
    job, medium = event.prefix, event.medium(services.settings.bucket_names)
    if job is None or medium is None:
        return  # not a job's medium, but a poster, for example
    deletion = services.deletions.of(job.job_id)
    is_own = deletion is not None and deletion.user_id == job.user_id
    there = _live(event, services)
    if deletion and is_own and deletion.is_deleted:
        if there:
            # Nothing announces it again if the deletion is taken back before the file is removed.
            raise PurgeIncomplete("the file of a deleted job is still there")
        return
    if is_own and services.deletions.take_stale_mark(job.job_id, services.now()):
        log.info("upload_ignored", reason="marked by other code since its restore", **_about(event))
        return
    if there is None:
        log.info("upload_gone", **_about(event))
        _take_back(event, medium, services)  # an earlier run may have been killed before it could
        return
    if medium is Medium.OUTPUT_VIDEO:
        _add_those_of_inputs(job, services)
    place = services.pictures.place(event.bucket, event.name, medium)
    pictures = place.pictures
    if not place.shows(event.generation):
        if not place.is_ours or (place.shows_another_file and not _is_named(event, job, medium, services)):
            log.warning("posters_of_others", **_about(event))
            return
        pictures = _made(event, medium, there.size, place, services)
        if _live(event, services) is None:
            _take_back(event, medium, services)
            return  # the event of the replacement records its own pictures
        if pictures is None:
            services.pictures.clear(place)
    known = services.known_pictures.set(job, medium, event.name, pictures)
    log.info("posters", made=pictures is not None, known=known, **_about(event))


def _live(event: ObjectFinalized, services: Services) -> Description | None:
    """The event's object; None if it is gone, or was replaced by a generation with its own event."""
    live = services.objects.describe(event.bucket, event.name)
    return live if live and live.generation == event.generation else None


def _take_back(event: ObjectFinalized, medium: Medium, services: Services) -> None:
    """Remove the pictures of an object that was replaced while they were being made."""
    services.pictures.clear(services.pictures.place(event.bucket, event.name, medium), event.generation)


def _add_those_of_inputs(prefix: JobPrefix, services: Services) -> None:
    """Record the pictures of the inputs, which may be older than the job or belong to an earlier job."""
    try:
        job = services.repository.get(prefix.user_id, prefix.job_id)
    except NotFound:
        return
    for poster in (Picture.REFERENCE_POSTER, Picture.MOTION_POSTER):
        medium = job.pictured(poster)
        path = job.path(medium)
        if path is None or job.path(poster) is not None or not is_own_path(path, job.user_id):
            continue
        place = services.pictures.place(services.settings.bucket_names[medium.bucket(path)], path, poster.medium)
        # By now the job's own uploads have their pictures, or none could be made, or their events still wait and
        # will tell. Another's may still get them.
        is_own = path.startswith(str(prefix))
        refused = None if place.pictures or is_own else _refused(path, services)
        if place.pictures or is_own or refused is not None:
            services.known_pictures.set(prefix, medium, path, place.pictures, is_decoded=bool(refused))


def _refused(path: str, services: Services) -> bool | None:
    """Whether a decoder has refused the object, as far as the job says that it was uploaded for.

    None if that job does not say that there are no pictures of it.
    """
    prefix = JobPrefix.of_object(path)
    if prefix is None:
        return None
    try:
        earlier = services.repository.get(prefix.user_id, prefix.job_id)
    except NotFound:
        return None
    without = [one for one in Medium if earlier.path(one) == path and earlier.posters.get(one, path) is None]
    return any(earlier.playable.get(one) is False for one in without) if without else None


def _is_named(event: ObjectFinalized, prefix: JobPrefix, medium: Medium, services: Services) -> bool:
    """Whether the job, be it deleted, names the object, or does not exist yet.

    Only one of two files for a medium can be shown.
    """
    names = medium.path_field
    job = dict(services.ledger.documents([prefix.job_id], ("user_id", names))).get(prefix.job_id, {})
    return job.get("user_id") != prefix.user_id or job.get(names) == event.name


def _made(event: ObjectFinalized, medium: Medium, size: int, place: Place, services: Services) -> Pictures | None:
    """Make, store and return the pictures; None if none can be made."""
    is_for_video = medium is not Medium.REFERENCE_IMAGE
    with tempfile.TemporaryFile() as file:
        try:
            _fetch(event, size, file, services, is_for_video=is_for_video)
            made = make(
                file,
                is_for_video=is_for_video,
                is_output=medium is Medium.OUTPUT_VIDEO,
                unfiltered_too=not services.settings.is_deployed,
            )
            shared = made.share_picture
            contents = {
                PictureKind.POSTER: made.poster,
                PictureKind.PREVIEW: made.preview,
                PictureKind.VIEW: made.view,
                PictureKind.STORYBOARD: made.storyboard,
                PictureKind.SHARE_PICTURE: shared.content if shared else None,
            }
            return services.pictures.put(
                place,
                event.generation,
                contents,
                playable=made.plays_everywhere,
                shared_size=shared.size if shared else None,
            )
        except Unpicturable as error:
            log.warning("no_posters", reason=error.reason.value, detail=error.detail, **_about(event))
            return None


def _about(event: ObjectFinalized) -> dict[str, object]:
    return {"job_id": event.job_id, "bucket": event.bucket, "bytes": event.size}


def _fetch(event: ObjectFinalized, size: int, file: IO[bytes], services: Services, *, is_for_video: bool) -> None:
    """Write the object to `file`; of a large video, only both ends.

    Raises Unpicturable if the object is gone, or is too large and not decoded as a video.
    """
    for start, end in _parts(size):
        content = services.objects.read(event.bucket, event.name, event.generation, start, end)
        if content is None:
            raise Unpicturable(Reason.GONE)
        if start == 0 and end < size:
            kind = media_format(content[:BYTES_NEEDED])
            if program_for(kind, is_for_video=is_for_video) != OF_VIDEOS:
                raise Unpicturable(Reason.TOO_LARGE, f"{size} bytes")
        file.seek(start)
        file.write(content)
    file.flush()


def _parts(size: int) -> Iterator[tuple[int, int]]:
    """Start and end of each part to read. A hole between two parts takes no memory."""
    if size > WHOLE_UP_TO:
        yield 0, WHOLE_UP_TO - END_READ
        yield size - END_READ, size
    elif size:
        yield 0, size
