"""The pictures that lie beside a medium: which there are, and how newer ones take their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import Unavailable
from shared.job import POSTER_NAME, PREVIEW_NAME, picture_beside

if TYPE_CHECKING:
    from shared.objects import ObjectStore
    from shared.posters import Posters

_SOURCE = "source"
_HAS_PREVIEW = "preview"


@dataclass(frozen=True, slots=True)
class Pictures:
    """Object names."""

    poster: str
    preview: str | None
    source: int
    """The generation of the medium that they show."""


def pictures_of(path: str, metadata: Mapping[str, str]) -> Pictures:
    """Those of the medium at `path`, by the metadata of its poster, which is written last."""
    preview = picture_beside(path, PREVIEW_NAME) if metadata.get(_HAS_PREVIEW) == "true" else None
    source = metadata.get(_SOURCE, "")
    return Pictures(picture_beside(path, POSTER_NAME), preview, int(source) if source.isdecimal() else 0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pictures of a medium belong, and the generations that are there: 0 for none."""

    bucket: str
    path: str
    pictures: Pictures | None
    poster: int
    preview: int


class PictureStore:
    """Every method raises Unavailable when Storage is away."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def place(self, bucket: str, path: str) -> Place:
        """What is there for the medium at `path`. Costs two look-ups."""
        poster = self._objects.describe(bucket, picture_beside(path, POSTER_NAME))
        preview = self._objects.describe(bucket, picture_beside(path, PREVIEW_NAME))
        return Place(
            bucket,
            path,
            pictures_of(path, poster.metadata) if poster else None,
            poster.generation if poster else 0,
            preview.generation if preview else 0,
        )

    def put(self, place: Place, source: int, made: Posters) -> Pictures:
        """Put pictures of the generation `source` there. Raises Unavailable if others have since `place`."""
        metadata = {_SOURCE: str(source), _HAS_PREVIEW: str(made.preview is not None).lower()}
        pictures = pictures_of(place.path, metadata)
        whole = pictures.preview is None or self._objects.put(
            place.bucket,
            pictures.preview,
            made.preview or b"",
            "video/mp4",
            metadata=metadata,
            replaces=place.preview,
        )
        if not whole or not self._objects.put(
            place.bucket, pictures.poster, made.poster, "image/webp", metadata=metadata, replaces=place.poster
        ):
            raise Unavailable("The place of the poster, where others have put theirs,")
        return pictures

    def clear(self, place: Place) -> None:
        """Take away the poster there, if it is still the same: what is without one has no preview either."""
        if place.poster:
            self._objects.remove(place.bucket, picture_beside(place.path, POSTER_NAME), place.poster)
