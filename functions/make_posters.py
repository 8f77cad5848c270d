"""Consumes object-finalized: makes the small pictures that the page's tiles show of a new image or video"""

from __future__ import annotations

import tempfile
from pathlib import Path

from shared import log
from shared.errors import Unpicturable, UnprocessableEvent
from shared.events import ObjectFinalized
from shared.job import JobPrefix, Medium
from shared.posters import POSTER_NAME, PREVIEW_NAME, Posters
from shared.posters import make_posters as make
from shared.services import Services
from shared.subscriber import subscriber

LARGEST_SOURCE = 32 * 2**20
"""Bytes. A function's files lie in its memory: https://cloud.google.com/run/docs/container-contract#filesystem"""


@subscriber(ObjectFinalized)
def make_posters(event: ObjectFinalized, services: Services) -> None:
    """Make them beside the object, under the job's prefix, so that the purge takes them too."""
    if event.bucket not in services.settings.buckets:
        raise UnprocessableEvent("the bucket is none of the three")
    medium = _medium(event, services)
    if event.prefix is None or medium is None or services.deletions.of(event.prefix.job_id):
        return  # no medium of a job, such as a poster itself, or the job is deleted
    if medium is Medium.OUTPUT_VIDEO:
        _add_those_of_inputs(event.prefix, services)
    made = _made(event, event.prefix, services)
    if made is None:
        return
    poster, preview = f"{event.prefix}{POSTER_NAME}", f"{event.prefix}{PREVIEW_NAME}"
    services.objects.put(event.bucket, poster, made.poster, "image/webp")
    if made.preview is not None:
        services.objects.put(event.bucket, preview, made.preview, "video/mp4")
    known = services.uploads.add_pictures(event.prefix, medium, poster, preview if made.preview else None)
    log.info("posters_made", job_id=event.job_id, medium=medium.value, known=known)


def _add_those_of_inputs(job: JobPrefix, services: Services) -> None:
    """Inputs may have been uploaded before their job was there to know of their pictures."""
    poster, preview = f"{job}{POSTER_NAME}", f"{job}{PREVIEW_NAME}"
    for medium in (Medium.REFERENCE_IMAGE, Medium.MOTION_VIDEO):
        bucket = services.media.bucket_of(medium)
        if services.objects.exists(bucket, poster):
            moves = services.objects.exists(bucket, preview)
            services.uploads.add_pictures(job, medium, poster, preview if moves else None)


def _medium(event: ObjectFinalized, services: Services) -> Medium | None:
    """Which of its job's media the object is, by its bucket and name."""
    for medium in Medium:
        begins = medium.default_name
        if begins is None or event.bucket != services.media.bucket_of(medium):
            continue
        name = event.name.removeprefix(str(event.prefix))
        if name == begins or (begins.endswith(".") and name.startswith(begins) and "/" not in name):
            return medium
    return None


def _made(event: ObjectFinalized, job: JobPrefix, services: Services) -> Posters | None:
    """The pictures, or None where the object has none to give; then the page shows the object itself."""
    about = {"job_id": job.job_id, "bucket": event.bucket, "bytes": event.size}
    if event.size > LARGEST_SOURCE:
        log.warning("no_posters", reason="too large", **about)
        return None
    content = services.objects.read(event.bucket, event.name, event.generation)
    if content is None:
        return None  # replaced or removed meanwhile
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        del content
        try:
            return make(Path(file.name))
        except Unpicturable as error:
            log.warning("no_posters", reason=error.reason.value, detail=error.detail, **about)
            return None
