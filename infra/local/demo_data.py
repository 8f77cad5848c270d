"""Demo data: one user with jobs of every status and type and real media, and one user with no jobs."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from google.cloud import firestore, storage
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.local.users import Account, Users
from shared.settings import Settings

PASSWORD = "nuumee-demo"  # noqa: S105 - of two users that exist only on the developer's machine
JOBS = 72
_UNDER_WAY = 3
_MEDIA = Path(__file__).parent / "media"
_CHARACTERS = ("nova", "ember", "moss", "violet")
_MOTIONS = ("wave", "jump", "dance")
_TYPES = ("animate", "animate", "animate", "extend", "upscale", "foley", "subtitles", "watermark")
_STATUSES = (
    *("processing", "queued", "pending", "completed", "failed", "completed"),
    *("completed", "completed", "completed", "failed", "completed", "completed"),
)
_ERRORS = (
    "The motion video has no person in it. Choose one in which a whole person can be seen.",
    "The worker ran out of memory at frame 412 of 600.",
)
_CONTENT_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".mp4": "video/mp4"}


@dataclass(frozen=True, slots=True)
class Upload:
    bucket: str
    name: str
    file: Path


@dataclass(frozen=True, slots=True)
class DemoJob:
    id: str
    document: dict[str, Any]
    uploads: tuple[Upload, ...]
    """Uploads of new jobs; empty for a job left by an earlier run."""


@dataclass(frozen=True, slots=True)
class Demo:
    owner: Account
    newcomer: Account
    jobs: list[DemoJob]

    def completed(self) -> list[DemoJob]:
        return [job for job in self.jobs if job.document["status"] == "completed"]


def fill(settings: Settings, users: Users, count: int = JOBS) -> Demo:
    """Put the demo users and so many jobs into the local cloud, unless an earlier run left some."""
    owner = _account(users, "demo-owner", "demo@nuumee.test")
    newcomer = _account(users, "demo-newcomer", "new@nuumee.test")
    database = firestore.Client(project=settings.project)
    kept = database.collection("jobs").where(filter=FieldFilter("user_id", "==", owner.user_id)).get()
    if kept:
        found = [DemoJob(job.id, job.to_dict() or {}, ()) for job in kept]
        return Demo(owner, newcomer, [job for job in found if job.document.get("deleted_at") is None])
    jobs = list(_jobs(settings, owner.user_id, count))
    batch = database.batch()
    for job in jobs:
        batch.create(database.collection("jobs").document(job.id), job.document)
        if short_id := job.document.get("short_id"):
            batch.create(database.collection("short_links").document(short_id), {"job_id": job.id})
    batch.commit()
    client = storage.Client(project=settings.project)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda upload: _upload(client, upload), (u for job in jobs for u in job.uploads)))
    return Demo(owner, newcomer, jobs)


def _account(users: Users, user_id: str, email: str) -> Account:
    try:
        return users.sign_in(email, PASSWORD)
    except requests.HTTPError:
        return users.add(user_id, email, PASSWORD)


def _jobs(settings: Settings, user_id: str, count: int) -> Iterator[DemoJob]:
    dice = random.Random(2026)  # noqa: S311 - the same demo each time
    now = datetime.now(UTC)
    for number in range(count):
        # The first jobs are in progress now; the others go back over several days.
        created_at = now - timedelta(minutes=2 + number * (97 if number >= _UNDER_WAY else 1))
        yield _job(settings, user_id, number, created_at, dice)


def _job(settings: Settings, user_id: str, number: int, created_at: datetime, dice: random.Random) -> DemoJob:
    job_id = str(uuid.UUID(int=dice.getrandbits(128), version=4))
    prefix = f"{user_id}/{job_id}"
    status = _STATUSES[number % len(_STATUSES)]
    if number >= _UNDER_WAY and status in ("processing", "queued", "pending"):
        status = "completed"
    completed = status == "completed"
    done_at = created_at + timedelta(seconds=dice.randrange(40, 400)) if completed or status == "failed" else None
    character, motion = _CHARACTERS[number % 4], _MOTIONS[number % 3]
    reference = next(_MEDIA.glob(f"reference-{character}.*"))
    uploads = [
        Upload(settings.images_bucket, f"{prefix}/reference{reference.suffix}", reference),
        Upload(settings.videos_bucket, f"{prefix}/motion.mp4", _MEDIA / f"motion-{motion}.mp4"),
    ]
    if completed:
        output = _MEDIA / f"output-{character}-{motion}.mp4"
        uploads.append(Upload(settings.outputs_bucket, f"{prefix}/output.mp4", output))
    price = (5, 10)[number % 2] if done_at else 0
    document: dict[str, Any] = {
        "user_id": user_id,
        "short_id": job_id[:8] if completed else None,
        "job_type": _TYPES[number % len(_TYPES)],
        "status": status,
        "reference_image_path": uploads[0].name,
        "motion_video_path": uploads[1].name,
        "resolution": ("480p", "720p")[number % 2],
        "seed": dice.randrange(2**31),
        "credits_charged": price,
        "credits_refunded": price if status == "failed" else None,
        "wavespeed_request_id": f"ws-{job_id[:12]}",
        "output_video_path": uploads[2].name if completed else None,
        "error_message": _ERRORS[number % len(_ERRORS)] if status == "failed" else None,
        "created_at": created_at,
        "updated_at": done_at or created_at,
        "completed_at": done_at if completed else None,
        "view_count": dice.randrange(200) if completed else 0,
    }
    return DemoJob(job_id, document, tuple(uploads))


def _upload(client: storage.Client, upload: Upload) -> None:
    blob = client.bucket(upload.bucket).blob(upload.name)
    blob.upload_from_filename(upload.file, content_type=_CONTENT_TYPES[upload.file.suffix])
