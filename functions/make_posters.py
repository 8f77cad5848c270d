"""Consumes object-finalized: makes the small pictures that the page's tiles show of a new image or video"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from shared import log
from shared.errors import NotFound, UnprocessableEvent
from shared.jobs.job import JobPrefix, Medium, Picture, is_own_path
from shared.jobs.known_pictures import Pictures
from shared.messaging.events import ObjectFinalized
from shared.messaging.subscriber import subscriber
from shared.posters.file_formats import BYTES_NEEDED, media_format
from shared.posters.posters import WHOLE_UP_TO
from shared.posters.posters import make_posters as make
from shared.posters.unpicturable import Reason, Unpicturable
from shared.services import Services
from shared.storage.pictures import Place

if TYPE_CHECKING:
    from shared.storage.objects import Description

END_READ = 8 * 2**20
"""Bytes of a larger video's end, where its index may be, among the WHOLE_UP_TO that are read of it."""


@subscriber(ObjectFinalized)
def make_posters(event: ObjectFinalized, services: Services) -> None:
    """Make them beside the object, under the job's prefix, so that the purge takes them too."""
    if event.bucket not in services.settings.buckets:
        raise UnprocessableEvent("the bucket is none of the three")
    job, medium = event.prefix, event.medium(services.settings.bucket_names)
    if job is None or medium is None or services.deletions.of(job.job_id):
        return  # no medium of a job, such as a poster itself, or the job is deleted
    there = _live(event, services)
    if there is None:
        log.info("upload_gone", **_about(event))
        return
    if medium is Medium.OUTPUT_VIDEO:
        _add_those_of_inputs(job, services)
    place = services.pictures.place(event.bucket, event.name)
    pictures = place.pictures
    if not place.shows(event.generation):
        if not place.is_ours or (place.shows_another_file and not _is_named(event, job, medium, services)):
            log.warning("posters_of_others", **_about(event))
            return
        pictures = _made(event, there.size, place, services)
        if _live(event, services) is None:
            _take_back(event, services)
            return  # what is known now is for the other event to say
    known = services.known_pictures.set(job, medium, pictures)
    log.info("posters", made=pictures is not None, known=known, **_about(event))


def _live(event: ObjectFinalized, services: Services) -> Description | None:
    """The object that the event tells of; None if it is gone, or replaced by one that has an event of its own."""
    live = services.objects.describe(event.bucket, event.name)
    return live if live and live.generation == event.generation else None


def _take_back(event: ObjectFinalized, services: Services) -> None:
    """Leave no picture of what was replaced while it was made."""
    place = services.pictures.place(event.bucket, event.name)
    if place.shows(event.generation):
        services.pictures.clear(place)


def _add_those_of_inputs(prefix: JobPrefix, services: Services) -> None:
    """An input may have been uploaded before its job was there to know of its pictures, or be an earlier job's."""
    try:
        job = services.repository.get(prefix.user_id, prefix.job_id)
    except NotFound:
        return
    for poster in (Picture.REFERENCE_POSTER, Picture.MOTION_POSTER):
        medium = job.pictured(poster)
        path = job.path(medium)
        if path is None or job.path(poster) is not None or not is_own_path(path, job.user_id):
            continue
        place = services.pictures.place(services.settings.bucket_names[medium.bucket(path)], path)
        # By now they are there, or nothing could be made of it.
        services.known_pictures.set(prefix, medium, place.pictures)


def _is_named(event: ObjectFinalized, prefix: JobPrefix, medium: Medium, services: Services) -> bool:
    """Whether the job names the object, or is not there yet: of two files for one medium one can be shown."""
    try:
        return services.repository.get(prefix.user_id, prefix.job_id).path(medium) == event.name
    except NotFound:
        return True


def _made(event: ObjectFinalized, size: int, place: Place, services: Services) -> Pictures | None:
    """What has taken the place; None where the medium has no pictures to give. Those of an older one go then."""
    with tempfile.TemporaryFile() as file:
        try:
            _fetch(event, size, file, services)
            made = make(file)
            return services.pictures.put(place, event.generation, made.poster, made.preview)
        except Unpicturable as error:
            log.warning("no_posters", reason=error.reason.value, detail=error.detail, **_about(event))
            services.pictures.clear(place)
            return None


def _about(event: ObjectFinalized) -> dict[str, object]:
    return {"job_id": event.job_id, "bucket": event.bucket, "bytes": event.size}


def _fetch(event: ObjectFinalized, size: int, file: IO[bytes], services: Services) -> None:
    """Write what the object holds, or of a large video both ends. Raises Unpicturable for what has to be whole."""
    for start, end in _parts(size):
        content = services.objects.read(event.bucket, event.name, event.generation, start, end)
        if content is None:
            raise Unpicturable(Reason.GONE)
        if start == 0 and end < size and not media_format(content[:BYTES_NEEDED]).is_video:
            raise Unpicturable(Reason.TOO_LARGE, f"{size} bytes")
        file.seek(start)
        file.write(content)
    file.flush()


def _parts(size: int) -> Iterator[tuple[int, int]]:
    """Where what is read begins and ends. A hole between two parts takes no memory."""
    if size > WHOLE_UP_TO:
        yield 0, WHOLE_UP_TO - END_READ
        yield size - END_READ, size
    elif size:
        yield 0, size
