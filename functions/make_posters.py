"""Consumes object-finalized: makes the small pictures that the page's tiles show of a new image or video"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from shared import log
from shared.errors import NotFound, Reason, Unpicturable, UnprocessableEvent
from shared.events import ObjectFinalized
from shared.job import JobPrefix, Medium, Picture, is_own_path
from shared.posters import make_posters as make
from shared.services import Services
from shared.signatures import BYTES_NEEDED, MediaFormat, media_format
from shared.subscriber import subscriber

MOST_READ = 32 * 2**20
"""Bytes. A function's files lie in its memory: https://cloud.google.com/run/docs/container-contract#filesystem"""
END_READ = 8 * 2**20
"""Bytes of these that are a larger video's end, where its index may be. The others are its beginning."""


@subscriber(ObjectFinalized)
def make_posters(event: ObjectFinalized, services: Services) -> None:
    """Make them beside the object, under the job's prefix, so that the purge takes them too."""
    if event.bucket not in services.settings.buckets:
        raise UnprocessableEvent("the bucket is none of the three")
    job, medium = event.prefix, event.medium(services.settings.bucket_names)
    if job is None or medium is None or services.deletions.of(job.job_id):
        return  # no medium of a job, such as a poster itself, or the job is deleted
    if medium is Medium.OUTPUT_VIDEO:
        _add_those_of_inputs(job, services)
    place = services.pictures.place(event.bucket, event.name)
    pictures = place.pictures
    if pictures is None or pictures.source < event.generation:
        with tempfile.NamedTemporaryFile() as file:
            try:
                if not _fetch(event, file, services):
                    return  # replaced or removed meanwhile
                pictures = services.pictures.put(place, event.generation, make(Path(file.name)))
            except Unpicturable as error:
                log.warning("no_posters", reason=error.reason.value, detail=error.detail, **_about(event))
                pictures = None
                services.pictures.clear(place)  # those of what was there before
    known = services.uploads.set_pictures(job, medium, pictures)
    log.info("posters", made=pictures is not None, known=known, **_about(event))


def _add_those_of_inputs(prefix: JobPrefix, services: Services) -> None:
    """An input may have been uploaded before its job was there to know of its pictures, or be an earlier job's."""
    try:
        job = services.repository.get(prefix.user_id, prefix.job_id)
    except NotFound:
        return
    for poster in (Picture.REFERENCE_POSTER, Picture.MOTION_POSTER):
        path = job.path(poster.medium)
        if path is None or job.path(poster) is not None or not is_own_path(path, job.user_id):
            continue
        place = services.pictures.place(services.settings.bucket_names[poster.bucket(path)], path)
        if place.pictures:
            services.uploads.set_pictures(prefix, poster.medium, place.pictures)


def _about(event: ObjectFinalized) -> dict[str, object]:
    return {"job_id": event.job_id, "bucket": event.bucket, "bytes": event.size}


def _fetch(event: ObjectFinalized, file: IO[bytes], services: Services) -> bool:
    """Write what the object holds, or of a large video both ends; tell whether it was still there.

    Raises Unpicturable for a large picture, of which all would be needed.
    """
    for start, end in _parts(event.size):
        content = services.objects.read(event.bucket, event.name, event.generation, start, end)
        if content is None:
            return False
        if end < event.size and start == 0 and media_format(content[:BYTES_NEEDED]) is MediaFormat.PICTURE:
            raise Unpicturable(Reason.TOO_LARGE, f"{event.size} bytes")
        file.seek(start)
        file.write(content)
    file.flush()
    return True


def _parts(size: int) -> Iterator[tuple[int, int]]:
    """Where what is read begins and ends. A hole between two parts takes no memory."""
    if size > MOST_READ:
        yield 0, MOST_READ - END_READ
        yield size - END_READ, size
    elif size:
        yield 0, size
