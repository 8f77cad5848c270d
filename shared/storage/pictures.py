"""The pictures beside a medium: which ones exist, and how newer ones replace them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import Contended
from shared.jobs.job import POSTER_NAME, PREVIEW_NAME, picture_beside
from shared.jobs.known_pictures import Pictures

if TYPE_CHECKING:
    from shared.storage.objects import Description, ObjectStore

_SHOWS = "nuumee-shows"
"""Metadata key of both pictures: the file and generation that they show. Without it, an object is not ours."""
_HAS_PREVIEW = "nuumee-preview"
_SOURCE = re.compile(r"(.+)#[0-9]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pictures of a medium belong, and what is there now."""

    bucket: str
    path: str
    """The medium's own object name."""
    poster: Description | None
    preview: Description | None

    @property
    def pictures(self) -> Pictures | None:
        return pictures_of(self.path, self.poster.metadata) if self.poster else None

    @property
    def is_ours(self) -> bool:
        """Whether nobody else has put an object there."""
        return all(one is None or _shown(one.metadata) for one in (self.poster, self.preview))

    @property
    def shows_another_file(self) -> bool:
        return self.poster is not None and self.pictures is None

    def shows(self, generation: int) -> bool:
        """Whether the existing pictures show that generation of the medium."""
        return self.poster is not None and self.poster.metadata.get(_SHOWS) == _source(self.path, generation)


def pictures_of(path: str, metadata: Mapping[str, str]) -> Pictures | None:
    """The pictures of the medium at `path`, read from its poster's metadata; None if that shows another file."""
    if _shown(metadata) != path.rpartition("/")[2]:
        return None
    preview = picture_beside(path, PREVIEW_NAME) if metadata.get(_HAS_PREVIEW) == "true" else None
    return Pictures(picture_beside(path, POSTER_NAME), preview)


class PictureStore:
    """Every method raises Unavailable when Storage is away."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def place(self, bucket: str, path: str) -> Place:
        """What is there for the medium at `path`. Costs two look-ups."""
        poster = self._objects.describe(bucket, picture_beside(path, POSTER_NAME))
        return Place(bucket, path, poster, self._objects.describe(bucket, picture_beside(path, PREVIEW_NAME)))

    def put(self, place: Place, generation: int, poster: bytes, preview: bytes | None) -> Pictures | None:
        """Write pictures of that generation. Raises Contended if someone else has written since `place`.

        The poster is written last and points to the preview, so half-finished work is never shown.
        """
        has_preview = str(preview is not None).lower()
        metadata = {_SHOWS: _source(place.path, generation), _HAS_PREVIEW: has_preview}
        pictures = (
            (PREVIEW_NAME, preview, "video/mp4", place.preview),
            (POSTER_NAME, poster, "image/webp", place.poster),
        )
        for name, content, content_type, before in pictures:
            if content is not None and not self._objects.put(
                place.bucket,
                picture_beside(place.path, name),
                content,
                content_type,
                metadata=metadata,
                replaces=before.generation if before else 0,
            ):
                raise Contended("Others have put their poster there.")
        return pictures_of(place.path, metadata)

    def clear(self, place: Place) -> None:
        """Remove the pictures if they are unchanged, because the medium that they show is gone."""
        for name, there in ((POSTER_NAME, place.poster), (PREVIEW_NAME, place.preview)):
            if there:
                self._objects.remove(place.bucket, picture_beside(place.path, name), there.generation)


def _shown(metadata: Mapping[str, str]) -> str | None:
    """The file that the pictures show, if they are ours."""
    source = _SOURCE.fullmatch(metadata.get(_SHOWS, ""))
    return source[1] if source else None


def _source(path: str, generation: int) -> str:
    return f"{path.rpartition('/')[2]}#{generation}"
