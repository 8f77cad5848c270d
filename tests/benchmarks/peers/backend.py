"""The plainest backend: it reads all of a user's jobs to show twenty, and makes a Storage client for each URL."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Annotated, Any

import firebase_admin
from fastapi import FastAPI, Header
from firebase_admin import auth
from google.cloud import firestore, storage

from tests.benchmarks.peers.unkeyed import CREDENTIALS

BUCKETS = {
    "reference_image_path": "nuumee-images",
    "motion_video_path": "nuumee-videos",
    "output_video_path": "nuumee-outputs",
}

firebase_admin.initialize_app(options={"projectId": os.environ["GOOGLE_CLOUD_PROJECT"]})
database = firestore.Client()
app = FastAPI()


def user_of(authorization: str) -> str:
    return str(auth.verify_id_token(authorization.removeprefix("Bearer "))["uid"])


def signed(bucket: str, path: str) -> str:
    blob = storage.Client().bucket(bucket).blob(path)
    return str(blob.generate_signed_url(timedelta(hours=1), version="v4", credentials=CREDENTIALS))


@app.get("/jobs")
def list_jobs(
    authorization: Annotated[str, Header()], page: int = 1, page_size: int = 20, include: str = ""
) -> dict[str, Any]:
    mine = database.collection("jobs").where(filter=firestore.FieldFilter("user_id", "==", user_of(authorization)))
    jobs = [{"id": snapshot.id, **(snapshot.to_dict() or {})} for snapshot in mine.stream()]
    live = [job for job in jobs if not job.get("deleted_at")]
    live.sort(key=lambda job: job["created_at"], reverse=True)
    shown = live[(page - 1) * page_size : page * page_size]
    if include == "media":
        for job in shown:
            job["media"] = {path: signed(bucket, job[path]) for path, bucket in BUCKETS.items() if job.get(path)}
    return {"jobs": shown, "total": len(live)}


@app.delete("/jobs/{job_id}")
def delete_job(job_id: str, authorization: Annotated[str, Header()]) -> dict[str, Any]:
    user = user_of(authorization)
    job = database.collection("jobs").document(job_id)
    assert (job.get().to_dict() or {})["user_id"] == user
    for bucket in BUCKETS.values():
        for blob in storage.Client().list_blobs(bucket, prefix=f"{user}/{job_id}/"):
            blob.delete()
    job.update({"deleted_at": firestore.SERVER_TIMESTAMP})
    return {"message": "deleted", "job_id": job_id}


@app.get("/public/video/{short_id}")
def share_video(short_id: str) -> dict[str, Any]:
    (job,) = database.collection("jobs").where(filter=firestore.FieldFilter("short_id", "==", short_id)).get()
    job.reference.update({"view_count": firestore.Increment(1)})
    return {"video_url": signed("nuumee-outputs", (job.to_dict() or {})["output_video_path"])}
