"""Finds media and pictures that no document names. Each lookup is one call to Cloud Storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.jobs.job import POSTER_NAME, Job, JobPrefix, Medium, Picture, picture_beside
from shared.settings import Bucket
from shared.storage.limits import glance, reading
from shared.storage.pictures import pictures_of
from shared.storage.signing import Target


class Lookups:
    """Every method raises the library's error if the call fails."""

    def __init__(self, client: Any, buckets: Mapping[Bucket, str]) -> None:
        self._client = client
        self._names = buckets

    def medium(self, wanted: tuple[Job, Medium]) -> Target | None:
        """The job's object whose name has the medium's prefix."""
        job, medium = wanted
        try:
            prefix = JobPrefix(job.user_id, job.id)
        except ValueError:
            return None
        name = medium.default_name or ""
        bucket = self._names[medium.bucket(name)]
        # The delimiter excludes objects in subfolders, of which there may be any number.
        blobs = self._client.list_blobs(
            bucket,
            prefix=f"{prefix}{name}",
            delimiter="/",
            max_results=10,
            fields="items(name)",
            **reading(),
        )
        for blob in blobs:
            if name.endswith(".") or blob.name == f"{prefix}{name}":
                return Target(bucket, blob.name)
        return None

    def pictures(self, wanted: tuple[Job, Picture]) -> tuple[dict[Picture, Target], bool | None]:
        """The poster beside a medium, the pictures that the poster mentions, and whether the medium is playable.

        A document does not name these until the output arrives if its medium was uploaded before the job
        existed, or belongs to an earlier job. If they take too long, the tile goes without.
        """
        job, poster = wanted
        medium = job.pictured(poster)
        path = str(job.path(medium))
        bucket = self._client.bucket(self._names[medium.bucket(path)])
        blob = bucket.get_blob(picture_beside(path, POSTER_NAME), **glance())
        pictures = pictures_of(path, blob.metadata or {}) if blob else None
        if pictures is None:
            return {}, None
        names = {each: pictures.name(each.kind) for each in Picture if each.medium is poster.medium}
        targets = {each: Target(bucket.name, name) for each, name in names.items() if name is not None}
        return targets, pictures.playable
