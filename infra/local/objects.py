"""The objects of the local Cloud Storage, with older generations, soft delete, paged listings, and notifications.

https://cloud.google.com/storage/docs/object-versioning
https://cloud.google.com/storage/docs/soft-delete
"""

from __future__ import annotations

import base64
import bisect
import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.storage import Storage

Finalized = Callable[[Mapping[str, Any], str | None], None]
"""Called with a new object and the generation that it replaced, if any."""
Position = tuple[str, int]
"""A place in a listing: a name and a generation."""
UNANNOUNCED = "unannounced"
"""An upload with a metadata entry of this name is stored without the entry, and nobody is told of it."""

_KEPT = ("buckets", "objects", "bucket_iam_policies", "soft_deleted")
"""The emulator's state, besides the objects' contents. Unfinished uploads are not kept."""
_STATE = "state.json"
_CONTENT = "content/"
_MOST_LISTED = 1000
_LAST_CHARACTER = "\U0010ffff"


class VersionedStorage(Storage):  # type: ignore[misc]  # untyped
    """In memory, with older generations in buckets with versioning, and with soft-deleted ones.

    A bucket's policy says how long it keeps what was deleted: seven days unless a patch says otherwise; 0 is off.
    Unlike the real service, this one takes any number of seconds.
    """

    def __init__(self, finalized: Finalized = lambda resource, overwritten: None) -> None:
        super().__init__(use_memory_fs=True)
        self.noncurrent: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
        self._finalized = finalized
        self.exported_to: Path | None = None
        """Requests cannot choose this path, because any page open in a browser can send requests."""
        self._names: dict[str, list[str]] = {}
        """All names that ever existed, sorted, so that a listing reads only what is under its prefix."""
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def _write_config_to_file(self) -> None:
        """Skip the write after each change: it would grow with everything that ever existed."""

    def export(self) -> None:
        """Write everything to `exported_to`, for `load`."""
        state = {name: getattr(self, name) for name in _KEPT}
        noncurrent = [[*key, generations] for key, generations in self.noncurrent.items()]
        assert self.exported_to is not None  # noqa: S101 - callers have set it
        with ZipFile(self.exported_to, "w") as archive:
            archive.writestr(_STATE, json.dumps({**state, "noncurrent": noncurrent, "names": self._names}))
            for path, content in self._store._files.items():
                archive.writestr(_CONTENT + path, content)

    def load(self, file: Path) -> None:
        """Replace everything with an export. No notifications are sent for these objects."""
        with ZipFile(file) as archive:
            state = json.loads(archive.read(_STATE))
            for name in archive.namelist():
                if name.startswith(_CONTENT):
                    self._store.write_bytes(name.removeprefix(_CONTENT), archive.read(name))
        for name in _KEPT:
            setattr(self, name, state[name])
        self.noncurrent = {(bucket, name): generations for bucket, name, generations in state["noncurrent"]}
        self._names = state["names"]
        for live in self.objects.values():
            for resource in live.values():
                # The link contains the old run's port. Without it, clients use their configured endpoint.
                resource.pop("mediaLink", None)

    def create_file(self, bucket: str, name: str, content: bytes, obj: Any, file_id: Any = None) -> None:
        """Store a new object. Every way to create one ends here."""
        replaced = self.generation(bucket, name)
        self._put_away(bucket, name)
        obj["size"] = str(obj["size"])  # a number for composed objects
        is_announced = (obj.get("metadata") or {}).pop(UNANNOUNCED, None) is None
        super().create_file(bucket, name, content, obj, file_id)
        names = self._names.setdefault(bucket, [])
        place = bisect.bisect_left(names, name)
        if names[place : place + 1] != [name]:
            names.insert(place, name)
        if is_announced:
            self._finalized(obj, None if replaced == "0" else replaced)

    def generation(self, bucket: str, name: str) -> str:
        """The live generation; "0" if there is none."""
        return str(self.objects.get(bucket, {}).get(name, {}).get("generation", "0"))

    def listing(self, bucket: str, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of objects: https://cloud.google.com/storage/docs/json_api/v1/objects/list"""
        if bucket not in self.buckets:
            raise NotFound
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        most = min(int(query.get("maxResults") or _MOST_LISTED), _MOST_LISTED)
        after = _decoded(query["pageToken"]) if query.get("pageToken") else (query.get("startOffset", ""), -1)
        versions, soft_deleted = (query.get(key, "").lower() == "true" for key in ("versions", "softDeleted"))
        if versions and soft_deleted:
            raise ValueError
        items: list[dict[str, Any]] = []
        prefixes: list[str] = []
        for obj in self._from(bucket, prefix, after, versions=versions, soft_deleted=soft_deleted):
            position = (obj["name"], int(obj["generation"]))
            if position <= after:
                continue
            if len(items) + len(prefixes) == most:
                return {**_page(items, prefixes), "nextPageToken": _encoded(after)}
            head, found, _ = obj["name"][len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            if found:
                prefixes.append(prefix + head + delimiter)
                after = (prefixes[-1] + _LAST_CHARACTER, 0)
            else:
                items.append(obj)
                after = position
        return _page(items, prefixes)

    def version(self, bucket: str, name: str, generation: str) -> dict[str, Any]:
        """One generation of an object, live or not. Raises NotFound."""
        if bucket in self.buckets and generation == self.generation(bucket, name):
            return dict(self.objects[bucket][name])
        noncurrent = self.noncurrent.get((bucket, name), {})
        if generation not in noncurrent:
            raise NotFound
        return noncurrent[generation]

    def soft_deleted_version(self, bucket: str, name: str, generation: str) -> dict[str, Any]:
        """One soft-deleted generation of an object. Raises NotFound, also once its time is over."""
        found = self.soft_deleted.get(bucket, {}).get(name, {}).get(generation)
        if found is None or not self._is_kept(found):
            raise NotFound
        return dict(found)

    def delete_generation(self, bucket: str, name: str, generation: str | None) -> None:
        """Delete one generation, which is then soft-deleted if the bucket's policy says so. Without a number,
        delete the live one as the bucket's versioning prescribes. Raises NotFound.
        """
        if generation is not None and generation != self.generation(bucket, name):
            older = self.noncurrent.get((bucket, name), {}).pop(generation, None)
            if older is None:
                raise NotFound
            # Nothing says that a soft-deleted object still tells when it became noncurrent.
            del older["timeDeleted"]
            self._soft_delete(bucket, older)
            return
        if self.generation(bucket, name) == "0":
            raise NotFound
        self._put_away(bucket, name, for_good=generation is not None)
        self._hard_delete_file(bucket, name)

    def restore(self, bucket: str, name: str, generation: str) -> dict[str, Any]:
        """Make a live copy of a soft-deleted generation, which stays as it is until its time is over.

        Access control lists are not kept, and so not copied. Raises NotFound.
        https://cloud.google.com/storage/docs/json_api/v1/objects/restore
        """
        source = self.soft_deleted_version(bucket, name, generation)
        new, now = str(time.time_ns()), _rfc3339(self.now())
        for gone in ("softDeleteTime", "hardDeleteTime", "mediaLink"):
            source.pop(gone, None)  # without a link, clients use their endpoint
        times = dict.fromkeys(("timeCreated", "updated", "timeStorageClassUpdated"), now)
        copy = {**source, **times, "id": f"{bucket}/{name}/{new}", "generation": new, "metageneration": "1"}
        self.create_file(bucket, name, self._store.read_bytes(self._put_away_at(bucket, name, generation)), copy)
        return copy

    def _from(
        self, bucket: str, prefix: str, after: Position, *, versions: bool, soft_deleted: bool
    ) -> Iterator[dict[str, Any]]:
        """The objects whose names start with `prefix`, from the name in `after` on."""
        names = self._names.get(bucket, [])
        for index in range(bisect.bisect_left(names, max(prefix, after[0])), len(names)):
            name = names[index]
            if not name.startswith(prefix):
                return
            if soft_deleted:
                found = [*filter(self._is_kept, self.soft_deleted.get(bucket, {}).get(name, {}).values())]
            else:
                found = list(self.noncurrent.get((bucket, name), {}).values()) if versions else []
                if name in self.objects.get(bucket, {}):
                    found.append(self.objects[bucket][name])
            yield from sorted(found, key=lambda obj: int(obj["generation"]))

    def _put_away(self, bucket: str, name: str, *, for_good: bool = False) -> None:
        """Keep the live generation, which is about to go, as the bucket's versioning or soft delete prescribes."""
        current = self.objects.get(bucket, {}).get(name)
        if current is None:
            return
        content = self.get_file(bucket, name, show_error=False)
        self._store.write_bytes(self._put_away_at(bucket, name, str(current["generation"])), content)
        versioning = (self.buckets.get(bucket) or {}).get("versioning") or {}
        if versioning.get("enabled") and not for_good:
            older = {**current, "timeDeleted": _rfc3339(self.now())}
            self.noncurrent.setdefault((bucket, name), {})[str(current["generation"])] = older
        else:
            self._soft_delete(bucket, current)

    def _soft_delete(self, bucket: str, obj: dict[str, Any]) -> None:
        name, generation = obj["name"], str(obj["generation"])
        seconds = self._bucket_soft_delete_retention_seconds(bucket)
        if not seconds:
            self._store.remove_file(self._put_away_at(bucket, name, generation))
            return
        now = self.now()
        times = {"softDeleteTime": now, "hardDeleteTime": now + timedelta(seconds=seconds)}
        kept = self.soft_deleted.setdefault(bucket, {}).setdefault(name, {})
        kept[generation] = obj | {key: _rfc3339(value) for key, value in times.items()}

    def _is_kept(self, soft_deleted: Mapping[str, Any]) -> bool:
        return datetime.fromisoformat(soft_deleted["hardDeleteTime"]) > self.now()

    def _put_away_at(self, bucket: str, name: str, generation: str) -> str:
        """Where the content of a generation that is no longer live is."""
        return str(self._soft_delete_content_path(bucket, name, generation))


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _page(items: list[dict[str, Any]], prefixes: list[str]) -> dict[str, Any]:
    return {"kind": "storage#objects", "items": items, "prefixes": prefixes}


def _encoded(position: Position) -> str:
    return base64.urlsafe_b64encode(f"{position[1]} {position[0]}".encode()).decode()


def _decoded(token: str) -> Position:
    generation, _, name = base64.urlsafe_b64decode(token).decode().partition(" ")
    return name, int(generation)
