"""The plainest function: `stream()` with a limit and one `count()`. The library signs one URL for each job."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import firebase_admin
import flask
from firebase_admin import auth
from google.cloud import firestore

firebase_admin.initialize_app(options={"projectId": os.environ["GOOGLE_CLOUD_PROJECT"]})
database = firestore.Client()


def list_jobs(request: flask.Request) -> dict[str, Any]:
    user = auth.verify_id_token(request.headers["Authorization"].removeprefix("Bearer "))["uid"]
    mine = database.collection("jobs").where(filter=firestore.FieldFilter("user_id", "==", user))
    newest = mine.order_by("created_at", direction="DESCENDING").limit(20)
    jobs = [{"id": snapshot.id, **(snapshot.to_dict() or {})} for snapshot in newest.stream()]
    if request.args.get("include") == "media":
        sign(jobs)
    counting: Any = mine.count()  # its annotations are wrong
    return {"jobs": jobs, "total": counting.get()[0][0].value}


def sign(jobs: list[dict[str, Any]]) -> None:
    # Imported here, so that a start without media is as fast as it can be.
    from google.cloud import storage

    from tests.benchmarks.peers.unkeyed import CREDENTIALS

    bucket = storage.Client().bucket("nuumee-outputs")
    for job in jobs:
        blob = bucket.blob(job["output_video_path"])
        job["media"] = blob.generate_signed_url(timedelta(hours=1), version="v4", credentials=CREDENTIALS)
