"""An uploaded output completes its job, through Storage's notifications and the staged functions."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import requests
from google.cloud import firestore, storage

from infra.local.client import Client
from infra.local.stack import Stack
from infra.local.users import Account
from infra.stage import ROOT
from shared.deletion.deletions import Deletions
from shared.deletion.ledger import Ledger
from shared.errors import Contended, NotCompleted
from shared.jobs.job import JobPrefix
from shared.posters.posters import LARGEST_POSTER
from shared.sharing.completion import Completions
from shared.sharing.shares import NoSuchVideo, Shares
from shared.sharing.short_links import new_short_id
from tests.fake_firestore import SWEEP_AFTER
from tests.integration.subscribed import subscribed
from tests.jobs import NOW, document, new_id, put_all, read, read_entry
from tests.waiting import wait_until

OUTPUTS = "nuumee-outputs"
RACES = 100
UNDER_WAY = {"status": "processing", "completed_at": None}
MP4 = b"\0\0\0\x18ftypmp42" + bytes(12)
VIDEO = next((ROOT / "infra/local/media").glob("output-*.mp4"))


@pytest.fixture
def put(database: firestore.Client) -> Callable[..., str]:
    def make(user_id: str, **changes: Any) -> str:
        job_id = new_id()
        fields = document(user_id, **{**UNDER_WAY, **changes})
        database.collection("jobs").document(job_id).set(fields)
        return job_id

    return make


def upload(
    buckets: storage.Client, name: str, content: bytes = MP4, content_type: str = "application/octet-stream"
) -> None:
    buckets.bucket(OUTPUTS).blob(name).upload_from_string(content, content_type=content_type)


def test_an_output_completes_its_job_and_its_link_opens(
    stack: Stack, database: firestore.Client, buckets: storage.Client, account: Account, put: Callable[..., str]
) -> None:
    job_id = put(account.user_id)
    upload(buckets, f"{account.user_id}/{job_id}/output.mp4")
    wait_until(lambda: read(database, job_id)["status"] == "completed")
    job = Client(stack.url, account.token).get(f"/jobs/{job_id}")
    assert job["output_video_path"] == f"{account.user_id}/{job_id}/output.mp4"
    assert job["completed_at"] is not None
    shared = requests.get(f"{stack.url}/public/video/{job['short_id']}", timeout=10)
    assert (shared.status_code, shared.json()["short_id"]) == (200, job["short_id"])


def test_what_is_no_output_completes_nothing(
    database: firestore.Client, buckets: storage.Client, put: Callable[..., str], log_lines: list[str]
) -> None:
    empty, text, compressed, foreign = (put(user_id) for user_id in ("me", "me", "me", "you"))
    failed = put("me", status="failed")
    before = {job_id: read(database, job_id) for job_id in (empty, text, compressed, foreign, failed)}
    upload(buckets, f"me/{empty}/output.mp4", b"")
    upload(buckets, f"me/{text}/output.mp4", b"<html>", "text/html")
    upload(buckets, f"me/{compressed}/output.mp4", gzip.compress(MP4), "video/mp4")
    upload(buckets, f"me/{foreign}/output.mp4")
    upload(buckets, f"me/{failed}/output.mp4")

    def seen(job_id: str) -> bool:
        return any("event_done" in line and job_id in line for line in list(log_lines))

    for job_id in before:
        wait_until(partial(seen, job_id))
    assert {job_id: read(database, job_id) for job_id in before} == before


def test_completion_and_delete_race_and_every_job_is_in_one_state_or_the_other(
    database: firestore.Client,
) -> None:
    """Both begin at once, in either order, a hundred times."""
    completions, deletions = Completions(database, 8), Deletions(Ledger(database), SWEEP_AFTER)
    dice = random.Random(2026)
    jobs = put_all(database, [document("me", **UNDER_WAY) for _ in range(RACES)])
    too_late: set[str] = set()

    def complete(job_id: str) -> None:
        try:
            completions.complete(JobPrefix("me", job_id), f"me/{job_id}/output.mp4", NOW)
        except Contended:
            too_late.add(job_id)

    def race(job_id: str) -> None:
        acts: list[Callable[[], object]] = [
            partial(complete, job_id),
            lambda: deletions.mark("me", job_id, NOW),
        ]
        dice.shuffle(acts)
        with ThreadPoolExecutor(2) as threads:
            for done in [threads.submit(act) for act in acts]:
                done.result()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(race, jobs))
    completed = 0
    documents, entries = (read_all(database, name, jobs) for name in ("jobs", "deletions"))
    links = [(link.get("job_id"), link.id) for link in database.collection("short_links").stream()]
    for job_id in jobs:
        fields = documents[job_id]
        assert fields["deleted_at"] == NOW, "no delete is ever lost"
        assert entries[job_id]["state"] == "pending"
        own = [link for of, link in links if of == job_id]
        assert own == ([fields["short_id"]] if fields.get("short_id") else [])
        assert (fields["status"] == "completed") == bool(fields.get("short_id"))
        assert (fields["status"] == "completed") == (job_id not in too_late), "what comes too late is told"
        completed += fields["status"] == "completed"
    assert 0 < completed < RACES, "both orders have been seen"


def test_completion_and_reports_of_the_worker_and_the_owner_race_and_no_link_is_wrong(
    database: firestore.Client,
) -> None:
    """Three begin at once: the output, the worker's report, and an owner who ends or renews the link."""
    completions, shares = Completions(database, 8), Shares(database, 8)
    dice = random.Random(2026)
    report = {"status": "completed", "completed_at": NOW, "credits_charged": 5}
    ids = iter([new_short_id(8) for _ in range(RACES)])

    def race(job_id: str) -> None:
        acts: list[Callable[[], object]] = [
            lambda: completions.complete(JobPrefix("me", job_id), f"me/{job_id}/output.mp4", NOW),
            lambda: completions.complete(JobPrefix("me", job_id), f"me/{job_id}/output.mp4", NOW),
            lambda: database.collection("jobs").document(job_id).update({**report, "short_id": next(ids)}),
            lambda: shares.revoke("me", job_id, NOW) if dice.random() < 0.5 else _renewed(shares, job_id),
        ]
        dice.shuffle(acts)
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(act) for act in acts]:
                done.result()

    jobs = put_all(database, [document("me", **UNDER_WAY) for _ in range(RACES // 2)])
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(race, jobs))
    ended = 0
    for job_id, fields in read_all(database, "jobs", jobs).items():
        assert (fields["status"], fields["credits_charged"]) == ("completed", 5)
        assert fields["output_video_path"] == f"me/{job_id}/output.mp4"
        if fields.get("share_revoked_at"):
            ended += 1
            with pytest.raises(NoSuchVideo):
                shares.resolve(str(fields["short_id"]), NOW)
        else:
            assert shares.resolve(fields["short_id"], NOW).job.id == job_id
    assert 0 < ended < len(jobs), "both ends have been seen"


def _renewed(shares: Shares, job_id: str) -> None:
    with suppress(NotCompleted):
        shares.renew("me", job_id, NOW, None)


def test_pictures_are_made_and_purged_with_their_job(
    stack: Stack, database: firestore.Client, buckets: storage.Client, account: Account, put: Callable[..., str]
) -> None:
    with subscribed(stack, "make_posters"):
        job_id = put(account.user_id)
        upload(buckets, f"{account.user_id}/{job_id}/output.mp4", VIDEO.read_bytes())
        wait_until(lambda: read(database, job_id).get("previews"), 240)
    client = Client(stack.url, account.token)
    wait_until(lambda: client.get(f"/jobs/{job_id}")["status"] == "completed")
    media = client.get(f"/jobs/{job_id}/thumbnails")
    poster = requests.get(media["output_poster_url"], timeout=10)
    assert (poster.headers["Content-Type"], poster.content[8:12]) == ("image/webp", b"WEBP")
    assert len(poster.content) <= LARGEST_POSTER
    preview = requests.get(media["output_preview_url"], timeout=10)
    assert (preview.headers["Content-Type"], len(preview.content) < 150_000) == ("video/mp4", True)
    assert media["reference_poster_url"] is None

    client.delete(f"/jobs/{job_id}")
    wait_until(lambda: read_entry(database, job_id)["state"] == "done")
    prefix = f"{account.user_id}/{job_id}/"
    wait_until(lambda: not list(buckets.list_blobs(OUTPUTS, prefix=prefix, versions=True)))


def read_all(database: firestore.Client, collection: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """The fields of each document; empty if there is none."""
    found = database.get_all([database.collection(collection).document(one) for one in ids])
    return {one.id: one.to_dict() or {} for one in found}
