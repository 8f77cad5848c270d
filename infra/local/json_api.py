"""Requests of Cloud Storage's JSON API about generations, pages and soft-deleted objects, for the local cloud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from gcp_storage_emulator.exceptions import NotFound

from infra.local.objects import VersionedStorage

_OBJECT = re.compile(r"(?:(?:/download)?/storage/v1)?/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)(?P<verb>/restore)?")
_LIST = re.compile(r"(?:/storage/v1)?/b/(?P<bucket>[^/]+)/o")
_UPLOAD = re.compile(r"/upload/storage/v1/b/(?P<bucket>[^/]+)/o")
Answer = tuple[int, Any]
"""HTTP status and body."""


def target(path: str) -> tuple[str, str] | None:
    """The bucket and name of the object that a request is about."""
    match = _OBJECT.fullmatch(path)
    return (match["bucket"], unquote(match["name"])) if match else None


def uploaded_to(path: str) -> str | None:
    """The bucket that an upload goes to. The object's name may be in the upload itself."""
    match = _UPLOAD.fullmatch(path)
    return match["bucket"] if match else None


def answer(storage: VersionedStorage, method: str, path: str, query: Mapping[str, str]) -> Answer | None:
    """The answer; None to requests that the emulator handles.

    Raises NotFound, and ValueError for a bad request.
    """
    if (match := _LIST.fullmatch(path)) and method == "GET":
        return 200, storage.listing(match["bucket"], query)
    match = _OBJECT.fullmatch(path)
    if match is None:
        return None
    bucket, name, generation = match["bucket"], unquote(match["name"]), query.get("generation")
    if match["verb"]:
        return (200, storage.restore(bucket, name, _number(generation))) if method == "POST" else None
    if method == "DELETE":
        storage.delete_generation(bucket, name, generation)
        return 204, None
    return _read(storage, bucket, name, query) if method == "GET" else None


def _read(storage: VersionedStorage, bucket: str, name: str, query: Mapping[str, str]) -> Answer | None:
    generation = query.get("generation")
    if query.get("softDeleted", "").lower() == "true":
        return 200, storage.soft_deleted_version(bucket, name, _number(generation))
    if generation is None:
        return None
    if query.get("alt") != "media":
        return 200, storage.version(bucket, name, generation)
    if generation != storage.generation(bucket, name):
        raise NotFound  # unlike the real service, this one gives out no contents of older generations
    return None


def _number(generation: str | None) -> str:
    """A generation that is required. Raises ValueError."""
    return str(int(generation or ""))
