"""The minimum for a new instance of each function: import what it needs and make the function's calls."""

from __future__ import annotations

import os
from typing import Any

import flask

PROJECT = os.environ["GOOGLE_CLOUD_PROJECT"]


def get_thumbnails(request: flask.Request) -> dict[str, Any]:
    _check_token(request)
    return {"job": _job(request).get().id}


get_output = get_thumbnails


def delete_job(request: flask.Request) -> dict[str, Any]:
    _check_token(request, check_revoked=True)
    job = _job(request)
    job.update({"deleted_by": job.get().id})
    return {"message": _publish("job-deleted")}


def share_job(request: flask.Request) -> dict[str, Any]:
    _check_token(request, check_revoked=True)
    job = _job(request)
    job.update({"short_id": job.get().id})
    return {}


def share_video(request: flask.Request) -> dict[str, Any]:
    from google.cloud import firestore

    client = firestore.Client(project=PROJECT)
    link = client.document(f"short_links/{request.path.rpartition('/')[2]}").get()
    job = client.document(f"jobs/{(link.to_dict() or {})['job_id']}").get()
    return {"job": job.id, "view": _publish("video-viewed")}


def _publish(topic: str) -> str:
    from google.cloud import pubsub_v1

    publisher = pubsub_v1.PublisherClient(pubsub_v1.types.BatchSettings(max_messages=1))
    message_id: str = publisher.publish(f"projects/{PROJECT}/topics/{topic}", b"{}").result()
    return message_id


def _check_token(request: flask.Request, *, check_revoked: bool = False) -> None:
    import firebase_admin
    from firebase_admin import auth

    firebase_admin.initialize_app(options={"projectId": PROJECT})
    auth.verify_id_token(request.headers["Authorization"].removeprefix("Bearer "), check_revoked=check_revoked)


def _job(request: flask.Request) -> Any:
    from google.cloud import firestore

    return firestore.Client(project=PROJECT).document(f"jobs/{request.path.split('/')[2]}")
