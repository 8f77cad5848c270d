"""The staged functions over HTTP and Pub/Sub, exactly as `make dev` runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.cloud import firestore, storage

from infra.local.client import Client
from infra.local.stack import Stack
from infra.local.users import Account
from tests.jobs import document, new_id, read, read_entry
from tests.waiting import wait_until

FILES = (
    ("nuumee-images", "reference.png", b"picture"),
    ("nuumee-videos", "motion.mp4", b"motion!"),
    ("nuumee-outputs", "output.mp4", b"0123456789"),
)


@pytest.fixture
def client(stack: Stack, account: Account) -> Client:
    return Client(stack.url, account.token)


@pytest.fixture
def put_job(database: firestore.Client, buckets: storage.Client) -> Callable[..., str]:
    """Make a job with its three files."""

    def put(user_id: str, **changes: Any) -> str:
        job_id = new_id()
        for bucket, name, content in FILES:
            buckets.bucket(bucket).blob(f"{user_id}/{job_id}/{name}").upload_from_string(content)
        database.collection("jobs").document(job_id).set(document(user_id, **changes))
        return job_id

    return put


def names(buckets: storage.Client, prefix: str) -> list[str]:
    return [
        blob.name for bucket, _, _ in FILES for blob in buckets.list_blobs(bucket, prefix=prefix, versions=True)
    ]


def test_every_url_that_is_handed_out_gives_the_file(
    client: Client, account: Account, put_job: Callable[..., str]
) -> None:
    job_id = put_job(account.user_id)
    (job,) = client.get("/jobs", include="media")["jobs"]
    media = client.get(f"/jobs/{job_id}/thumbnails")
    assert job["media"]["motion_video_url"] == media["motion_video_url"]
    for field, (_, _, content) in zip(("reference_image", "motion_video", "output_video"), FILES, strict=True):
        answer = requests.get(media[f"{field}_url"], timeout=10)
        assert (answer.status_code, answer.content) == (200, content)
    part = requests.get(media["output_video_url"], headers={"Range": "bytes=2-4"}, timeout=10)
    assert (part.status_code, part.content) == (206, b"234")


def test_a_download_is_saved_under_its_name(client: Client, account: Account, put_job: Callable[..., str]) -> None:
    job_id = put_job(account.user_id)
    output = client.get(f"/jobs/{job_id}/output")
    answer = requests.get(output["download_url"], timeout=10)
    assert answer.content == FILES[2][2]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{output["filename"]}"'


def test_a_deleted_job_is_gone_from_everywhere_and_its_neighbours_are_not(
    client: Client,
    account: Account,
    put_job: Callable[..., str],
    database: firestore.Client,
    buckets: storage.Client,
) -> None:
    doomed, neighbour = put_job(account.user_id), put_job(account.user_id)
    shared_input = f"{account.user_id}/{neighbour}/motion.mp4"
    database.collection("jobs").document(doomed).update(
        {"motion_video_path": shared_input, "source_job_id": neighbour}
    )
    answer = client.delete(f"/jobs/{doomed}")
    assert (answer["job_id"], answer["purge"]) == (doomed, "pending")
    assert client.status(f"/jobs/{doomed}") == 404
    assert [job["id"] for job in client.get("/jobs")["jobs"]] == [neighbour]
    assert client.get("/jobs", ids=f"{doomed},{neighbour}")["total"] == 1

    wait_until(lambda: read_entry(database, doomed)["state"] == "done")
    fields = read(database, doomed)
    assert fields["deleted_by"] == account.user_id
    purge = read_entry(database, doomed)
    assert set(purge["buckets"]) == {bucket for bucket, _, _ in FILES}
    # If a file's notification comes after the delete, the file may count as a late upload, or as both.
    removed = sum(record["objects"] for record in purge["buckets"].values())
    assert removed + purge.get("late_objects", 0) >= len(FILES)
    assert names(buckets, f"{account.user_id}/{doomed}/") == []
    assert len(names(buckets, f"{account.user_id}/{neighbour}/")) == 3
    again = client.delete(f"/jobs/{doomed}")
    assert (again["deleted_at"], again["purge"]) == (answer["deleted_at"], "done")


def test_the_log_of_a_delete_and_of_its_purge_is_one_trace(
    stack: Stack, account: Account, put_job: Callable[..., str], log_lines: list[str]
) -> None:
    job_id, trace = put_job(account.user_id), new_id().replace("-", "")
    headers = {"Authorization": f"Bearer {account.token}", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    requests.delete(f"{stack.url}/jobs/{job_id}", headers=headers, timeout=30).raise_for_status()

    def told() -> dict[str, str]:
        """The messages' ids, by what the lines of this trace tell of the job."""
        lines = [json.loads(line[line.index("{") :]) for line in log_lines if f"/traces/{trace}" in line]
        return {line["message"]: line["message_id"] for line in lines if line.get("job_id") == job_id}

    wait_until(lambda: set(told()) == {"job_deleted", "purged", "event_done"})
    assert len(set(told().values())) == 1


def test_a_page_can_be_revalidated_through_the_gateway(stack: Stack, account: Account) -> None:
    headers = {"Authorization": f"Bearer {account.token}", "Origin": stack.url}
    first = requests.get(f"{stack.url}/jobs", headers=headers, timeout=10)
    second = requests.get(
        f"{stack.url}/jobs", headers={**headers, "If-None-Match": first.headers["ETag"]}, timeout=10
    )
    assert (first.status_code, second.status_code, second.content) == (200, 304, b"")
    assert second.headers["Access-Control-Allow-Origin"] == stack.url


@pytest.mark.parametrize("prefix", ["", "/api/v1", "/list_jobs"])
def test_a_function_answers_at_its_own_url_with_any_prefix(stack: Stack, account: Account, prefix: str) -> None:
    headers = {"X-Forwarded-Authorization": f"Bearer {account.token}", "Authorization": "Bearer gateway"}
    answer = requests.get(f"{stack.function_url('list_jobs')}{prefix}/jobs", headers=headers, timeout=10)
    assert answer.status_code == 200
    assert answer.json()["jobs"] == []


def test_a_preflight_of_a_delete_is_answered_through_the_gateway(stack: Stack) -> None:
    headers = {"Origin": stack.url, "Access-Control-Request-Method": "DELETE"}
    answer = requests.options(f"{stack.url}/jobs/some-job", headers=headers, timeout=10)
    assert answer.status_code == 204
    assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]
