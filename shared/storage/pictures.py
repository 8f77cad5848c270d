"""The pictures beside a medium: which ones exist, and how newer ones replace them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import Contended
from shared.jobs.job import POSTER_NAME, Medium, Picture, PictureKind, picture_beside
from shared.jobs.known_pictures import Pictures
from shared.jobs.share_picture import SharePicture

if TYPE_CHECKING:
    from shared.storage.objects import Description, ObjectStore

_SHOWS = "nuumee-shows"
"""Metadata key of all pictures: the file and generation that they show. Without it, an object is not ours."""
_HAS = {
    PictureKind.PREVIEW: "nuumee-preview",
    PictureKind.VIEW: "nuumee-view",
    PictureKind.STORYBOARD: "nuumee-storyboard",
    PictureKind.SHARE_PICTURE: "nuumee-share-picture",
}
"""Metadata keys of the poster: which other pictures there are."""
_SHARED_SIZE = "nuumee-share-picture-size"
_PLAYABLE = "nuumee-playable"
_CONTENT_TYPES = {PictureKind.PREVIEW: "video/mp4", PictureKind.SHARE_PICTURE: "image/jpeg"}
_POSTER_LAST = (*_HAS, PictureKind.POSTER)
_SOURCE = re.compile(r"(.+)#[0-9]+")
_SIZE = re.compile(r"([0-9]{1,4})x([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pictures of a medium belong, and what is there now."""

    bucket: str
    path: str
    """The medium's own object name."""
    there: Mapping[PictureKind, Description | None]
    """Only of kinds that this medium may have."""

    @property
    def poster(self) -> Description | None:
        return self.there[PictureKind.POSTER]

    @property
    def pictures(self) -> Pictures | None:
        return pictures_of(self.path, self.poster.metadata) if self.poster else None

    @property
    def is_ours(self) -> bool:
        """Whether nobody else has put an object there."""
        return all(one is None or _shown(one.metadata) for one in self.there.values())

    @property
    def shows_another_file(self) -> bool:
        return self.poster is not None and self.pictures is None

    def shows(self, generation: int) -> bool:
        """Whether the existing pictures show that generation of the medium, and were made when all kinds were."""
        metadata = self.poster.metadata if self.poster else {}
        told = all(_HAS[kind] in metadata for kind in self.there if kind in _HAS)
        return told and _is_of(metadata, self.path, generation)


def pictures_of(path: str, metadata: Mapping[str, str]) -> Pictures | None:
    """The pictures of the medium at `path`, read from its poster's metadata; None if that shows another file."""
    if not _is_of(metadata, path, None):
        return None
    names = {
        kind: picture_beside(path, kind.object_name) for kind, key in _HAS.items() if metadata.get(key) == "true"
    }
    return Pictures(
        picture_beside(path, POSTER_NAME),
        names.get(PictureKind.PREVIEW),
        names.get(PictureKind.VIEW),
        names.get(PictureKind.STORYBOARD),
        _share_picture(names.get(PictureKind.SHARE_PICTURE), metadata),
        {"true": True, "false": False}.get(metadata.get(_PLAYABLE, "")),
    )


def _share_picture(name: str | None, metadata: Mapping[str, str]) -> SharePicture | None:
    size = _SIZE.fullmatch(metadata.get(_SHARED_SIZE, ""))
    return SharePicture(name, (int(size[1]), int(size[2]))) if name and size else None


class PictureStore:
    """Every method raises Unavailable when Storage is away."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def place(self, bucket: str, path: str, medium: Medium) -> Place:
        """What is there for the medium at `path`. Costs a look-up for each kind of picture that it may have."""
        kinds = {picture.kind for picture in Picture if picture.medium is medium}
        kinds |= {PictureKind.SHARE_PICTURE} if medium is Medium.OUTPUT_VIDEO else set()
        names = {kind: picture_beside(path, kind.object_name) for kind in PictureKind if kind in kinds}
        return Place(bucket, path, {kind: self._objects.describe(bucket, name) for kind, name in names.items()})

    def put(
        self,
        place: Place,
        generation: int,
        contents: Mapping[PictureKind, bytes | None],
        *,
        playable: bool,
        shared_size: tuple[int, int] | None,
    ) -> Pictures | None:
        """Write pictures of that generation. Raises Contended if someone else has written since `place`.

        `shared_size` is the share picture's width and height in pixels.
        The poster is written last and points to the others, so half-finished work is never shown. Then those are
        removed that showed an earlier generation and are not replaced.
        """
        contents = {kind: contents.get(kind) for kind in _POSTER_LAST if kind in place.there}
        metadata = {_SHOWS: _source(place.path, generation), _PLAYABLE: str(playable).lower()}
        metadata |= {key: str(contents.get(kind) is not None).lower() for kind, key in _HAS.items()}
        if shared_size:
            metadata[_SHARED_SIZE] = "{}x{}".format(*shared_size)
        for kind, content in contents.items():
            before = place.there[kind]
            if content is not None and not self._objects.put(
                place.bucket,
                picture_beside(place.path, kind.object_name),
                content,
                _CONTENT_TYPES.get(kind, "image/webp"),
                metadata=metadata,
                replaces=before.generation if before else 0,
            ):
                raise Contended("Others have put their poster there.")
        self._remove(place, {kind for kind, content in contents.items() if content is None})
        return pictures_of(place.path, metadata)

    def clear(self, place: Place, generation: int | None = None) -> None:
        """Remove the pictures of the file, or only of that generation, if they are unchanged since `place`.

        Each tells itself what it shows: the poster is written last, so the others may be newer.
        """
        told = {kind: there.metadata for kind, there in place.there.items() if there}
        self._remove(place, {kind for kind, metadata in told.items() if _is_of(metadata, place.path, generation)})

    def _remove(self, place: Place, kinds: Iterable[PictureKind]) -> None:
        for kind in kinds:
            if there := place.there[kind]:
                self._objects.remove(place.bucket, picture_beside(place.path, kind.object_name), there.generation)


def _shown(metadata: Mapping[str, str]) -> str | None:
    """The file that the pictures show, if they are ours."""
    source = _SOURCE.fullmatch(metadata.get(_SHOWS, ""))
    return source[1] if source else None


def _is_of(metadata: Mapping[str, str], path: str, generation: int | None) -> bool:
    if generation is None:
        return _shown(metadata) == path.rpartition("/")[2]
    return metadata.get(_SHOWS) == _source(path, generation)


def _source(path: str, generation: int) -> str:
    return f"{path.rpartition('/')[2]}#{generation}"
