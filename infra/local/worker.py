"""Acts as the worker of the local cloud: takes jobs from pending to completed by really uploading their outputs.

Only the output completes a job: this worker just reports that the job is queued and then being processed.
"""

from __future__ import annotations

import argparse
import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.api_core.exceptions import GoogleAPIError
from google.cloud import firestore, storage
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.settings import Settings

_EVERY = 20
"""Seconds that a job stays in each state."""
MOST = 200
"""Most jobs that it starts in total."""
ACTIVE = 3
"""Jobs in progress at once. A new job follows each completed one."""
_CHOSEN_FROM = 20
"""Completed jobs from which one is picked, whose inputs a new job reuses."""
_MEDIA = Path(__file__).parent / "media"
_STEPS = {"pending": "queued", "queued": "processing"}


class Worker:
    def __init__(self, settings: Settings, user_id: str) -> None:
        self._settings = settings
        self._user_id = user_id
        self._jobs = firestore.Client(project=settings.project).collection("jobs")
        self._buckets = storage.Client(project=settings.project)
        self._begun = 0

    def step(self) -> None:
        """Advance each job in progress by one state, and start new ones so that some are always in progress."""
        active = list(self._active())
        for snapshot in active:
            job = snapshot.to_dict()
            if job["status"] in _STEPS:
                snapshot.reference.update({"status": _STEPS[job["status"]], "updated_at": datetime.now(UTC)})
            else:
                self._upload(snapshot.id, job)
        if len(active) < ACTIVE and self._begun < MOST:
            self._begin()
            self._begun += 1

    def _active(self) -> Iterator[Any]:
        under_way = FieldFilter("status", "in", ["pending", "queued", "processing"])
        mine = FieldFilter("user_id", "==", self._user_id)
        for snapshot in self._jobs.where(filter=mine).where(filter=under_way).get(timeout=10):
            if (snapshot.to_dict() or {}).get("deleted_at") is None:
                yield snapshot

    def _begin(self) -> None:
        """Create a job of the demo user with the inputs of one of its completed jobs, like a retry."""
        completed = FieldFilter("status", "==", "completed")
        mine = FieldFilter("user_id", "==", self._user_id)
        found = self._jobs.where(filter=mine).where(filter=completed).limit(_CHOSEN_FROM).get(timeout=10)
        jobs = {snapshot.id: snapshot.to_dict() or {} for snapshot in found}
        live = [job_id for job_id, job in jobs.items() if job.get("deleted_at") is None]
        if not live:
            return
        source_id = random.choice(live)  # noqa: S311 - not a secret
        source = jobs[source_id]
        now = datetime.now(UTC)
        kept = ("user_id", "job_type", "resolution", "reference_image_path", "motion_video_path")
        self._jobs.document(str(uuid.uuid4())).set(
            {
                **{name: source.get(name) for name in kept},
                "source_job_id": source_id,
                "status": "pending",
                "seed": 7,
                "credits_charged": 0,
                "created_at": now,
                "updated_at": now,
                "view_count": 0,
            }
        )

    def _upload(self, job_id: str, job: dict[str, Any]) -> None:
        """Upload the demo video in which the figure of the job's image moves as in its video; else a sample."""
        figure = self._shown(self._settings.images_bucket, job.get("reference_image_path"), "reference") or "nova"
        motion = self._shown(self._settings.videos_bucket, job.get("motion_video_path"), "motion") or "wave"
        blob = self._buckets.bucket(self._settings.outputs_bucket).blob(f"{self._user_id}/{job_id}/output.mp4")
        blob.upload_from_filename(_MEDIA / f"output-{figure}-{motion}.mp4", content_type="video/mp4")

    def _shown(self, bucket: str, name: str | None, kind: str) -> str | None:
        """What the object shows if it is one of the demo's media of this kind. Their sizes all differ."""
        found = self._buckets.bucket(bucket).get_blob(name) if name else None
        shown = {file.stat().st_size: file.stem.removeprefix(f"{kind}-") for file in _MEDIA.glob(f"{kind}-*")}
        return shown.get(found.size) if found else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    parser.add_argument("--user", required=True, help="whose jobs it works on")
    options = parser.parse_args()
    worker = Worker(Settings(project=options.project, allowed_origins=()), options.user)
    while True:
        time.sleep(_EVERY)
        try:
            worker.step()
        except (GoogleAPIError, OSError) as error:
            print(f"nothing done this time: {type(error).__name__}", flush=True)


if __name__ == "__main__":
    main()
