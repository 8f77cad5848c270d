"""Jobs with real media for the page's tests. Each test has a user of its own."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from google.cloud import firestore, storage

from infra.local.objects import UNANNOUNCED
from shared.settings import Settings
from tests.jobs import entry, new_id

MEDIA = Path(__file__).parents[2] / "infra" / "local" / "media"
REFERENCE = MEDIA / "reference-nova.jpg"
MOTION = MEDIA / "motion-wave.mp4"
OUTPUT = MEDIA / "output-nova-wave.mp4"
POSTER = MEDIA / "reference-ember.webp"
PREVIEW = MEDIA / "motion-jump.mp4"
_TYPES = {".jpg": "image/jpeg", ".webp": "image/webp", ".mp4": "video/mp4"}


class Shelf:
    """Adds one user's jobs to the local cloud, each newer than the one before.

    Its files are there as if their uploads had been handled long ago. Only `complete` has its upload handled.
    """

    def __init__(
        self, settings: Settings, database: firestore.Client, buckets: storage.Client, user_id: str
    ) -> None:
        self._settings = settings
        self._database = database
        self._buckets = buckets
        self.user_id = user_id
        self._newest = datetime.now(UTC) - timedelta(hours=5)

    def add(
        self,
        status: str = "completed",
        *,
        media: bool = True,
        instead: Mapping[Path, Path] | None = None,
        **changes: Any,
    ) -> str:
        """Add a job with this status. Returns its id.

        `instead` maps REFERENCE, MOTION and OUTPUT to files to upload in their place. `changes` overrides fields,
        including `id`.
        """
        job_id = str(changes.pop("id", new_id()))
        files = self._files(job_id, status == "completed") if media else {}
        if instead:
            files = {name: (bucket, instead.get(file, file)) for name, (bucket, file) in files.items()}
        self._upload_all(files)
        self.document(job_id).set({**self._job(job_id, status), **_paths(files), **changes})
        return job_id

    def add_deleted(self, status: str = "completed", **changes: Any) -> str:
        """Add a job to the trash, as if it had been deleted just now and its files removed. Returns its id."""
        now = datetime.now(UTC)
        job_id = self.add(status, media=False, deleted_at=now, deleted_by=self.user_id, **changes)
        removed = {"objects": 2, "bytes": 3_400_000, "removed_at": now, "proved_empty_at": now}
        buckets = dict.fromkeys(self._settings.buckets, removed)
        done = {"state": "done", "sweep_at": None, "buckets": buckets, "proved_empty_at": now}
        self._database.collection("deletions").document(job_id).set(entry(self.user_id, requested_at=now, **done))
        return job_id

    def add_many(self, count: int, status: str = "completed") -> list[str]:
        """Add jobs without media. Returns their ids, newest first."""
        ids = [new_id() for _ in range(count)]
        batch = self._database.batch()
        for job_id in ids:
            batch.create(self.document(job_id), self._job(job_id, status))
        batch.commit()
        return ids[::-1]

    def add_posters(self, job_id: str, *, poster: Path | None = POSTER, preview: Path | None = PREVIEW) -> None:
        """Add the poster and preview that the product makes for each medium; None leaves one out."""
        prefix = f"{self.user_id}/{job_id}"
        for bucket in (self._settings.images_bucket, self._settings.videos_bucket, self._settings.outputs_bucket):
            if poster:
                self._upload(bucket, f"{prefix}/poster.webp", poster)
            if preview and bucket != self._settings.images_bucket:
                self._upload(bucket, f"{prefix}/preview.mp4", preview)

    def add_storyboard(self, job_id: str) -> None:
        self._upload(self._settings.outputs_bucket, f"{self.user_id}/{job_id}/storyboard.webp", POSTER)

    def add_heic(self) -> str:
        """Add a job whose reference image not all browsers show, with pictures of it. Returns its id."""
        job_id = new_id()
        prefix, medium = f"{self.user_id}/{job_id}", "reference_image"
        for name in ("poster.webp", "view.webp"):
            self._upload(self._settings.images_bucket, f"{prefix}/{name}", POSTER)
        return self.add(
            "processing",
            id=job_id,
            media=False,
            reference_image_path=f"{prefix}/reference.heic",
            posters={medium: f"{prefix}/poster.webp"},
            views={medium: f"{prefix}/view.webp"},
            playable={medium: False},
        )

    def complete(self, job_id: str) -> None:
        """Do what the worker does at the end: upload the output, then update the job's document."""
        name = f"{self.user_id}/{job_id}/output.mp4"
        self._upload(self._settings.outputs_bucket, name, OUTPUT, is_announced=True)
        done = {"status": "completed", "output_video_path": name, "completed_at": datetime.now(UTC)}
        self.document(job_id).update(done)

    def document(self, job_id: str) -> firestore.DocumentReference:
        return self._database.collection("jobs").document(job_id)

    def objects(self, job_id: str) -> list[str]:
        """All objects under the job's prefix in any bucket, as bucket/name."""
        prefix = f"{self.user_id}/{job_id}/"
        return [
            f"{bucket}/{blob.name}"
            for bucket in self._settings.buckets
            for blob in self._buckets.list_blobs(bucket, prefix=prefix, versions=True)
        ]

    def _job(self, job_id: str, status: str) -> dict[str, Any]:
        """The document of a new job, newer than all before, without media."""
        self._newest += timedelta(minutes=1)
        completed = status == "completed"
        return {
            "user_id": self.user_id,
            "short_id": job_id[:8] if completed else None,
            "job_type": "animate",
            "status": status,
            "resolution": "720p",
            "credits_charged": 10,
            "error_message": "The motion video has no person in it." if status == "failed" else None,
            "created_at": self._newest,
            "updated_at": self._newest,
            "completed_at": self._newest + timedelta(minutes=3) if completed else None,
            "view_count": 0,
        }

    def _files(self, job_id: str, completed: bool) -> dict[str, tuple[str, Path]]:
        prefix = f"{self.user_id}/{job_id}"
        files = {
            f"{prefix}/reference.jpg": (self._settings.images_bucket, REFERENCE),
            f"{prefix}/motion.mp4": (self._settings.videos_bucket, MOTION),
        }
        if completed:
            files[f"{prefix}/output.mp4"] = (self._settings.outputs_bucket, OUTPUT)
        return files

    def _upload_all(self, files: dict[str, tuple[str, Path]]) -> None:
        for name, (bucket, file) in files.items():
            self._upload(bucket, name, file)

    def _upload(self, bucket: str, name: str, file: Path, *, is_announced: bool = False) -> None:
        blob = self._buckets.bucket(bucket).blob(name)
        blob.metadata = None if is_announced else {UNANNOUNCED: ""}
        blob.upload_from_filename(file, content_type=_TYPES[file.suffix])


def _paths(files: dict[str, tuple[str, Path]]) -> dict[str, str]:
    """The path fields of a job with these files."""
    return dict(zip(("reference_image_path", "motion_video_path", "output_video_path"), files, strict=False))


def padded(path: Path, original: Path, size: int) -> Path:
    """The same picture or video, padded with meaningless bytes."""
    content = original.read_bytes()
    rest = size - len(content)
    # MP4 readers skip a free box; picture decoders do not read past the end of the picture.
    padding = struct.pack(">I4s", rest, b"free").ljust(rest, b"\0") if original.suffix == ".mp4" else bytes(rest)
    path.write_bytes(content + padding)
    return path
