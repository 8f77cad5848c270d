"""What the local cloud's Storage adds to gcp-storage-emulator."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import requests
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage

from infra.local.ports import HOST
from infra.local.stack import Stack
from shared.services import Services
from shared.storage.signing import Target, UrlSigner
from tests.jobs import new_id

BUCKET = "nuumee-outputs"


@pytest.fixture
def blob(buckets: storage.Client) -> Any:
    blob = buckets.bucket(BUCKET).blob(f"user/{new_id()}/output.mp4")
    blob.upload_from_string(b"0123456789", content_type="video/mp4")
    return blob


def signed(stack: Stack, name: str, at: datetime) -> str:
    signer: UrlSigner = Services(stack.settings).media._signer
    (url,) = signer.sign([Target(BUCKET, name)], signer.validity(at))
    return url


def test_a_picture_that_was_replaced_is_shown_at_once_though_its_url_is_kept(stack: Stack) -> None:
    objects, name = Services(stack.settings).objects, f"user/{new_id()}/poster.webp"
    assert objects.put(BUCKET, name, b"first", "image/webp", metadata={}, replaces=0)
    url = signed(stack, name, datetime.now(UTC))
    first = requests.get(url, timeout=10)
    assert (first.content, first.headers["Cache-Control"]) == (b"first", "private, no-cache")
    kept = {"If-None-Match": first.headers["ETag"]}
    again = requests.get(url, headers=kept, timeout=10)
    assert (again.status_code, again.content) == (304, b"")
    there = objects.describe(BUCKET, name)
    assert there
    assert objects.put(BUCKET, name, b"second", "image/webp", metadata={}, replaces=there.generation)
    second = requests.get(url, headers=kept, timeout=10)
    assert (second.status_code, second.content) == (200, b"second")


def test_what_nobody_says_is_how_cloud_storage_has_it(stack: Stack, blob: Any) -> None:
    answer = requests.get(signed(stack, blob.name, datetime.now(UTC)), timeout=10)
    assert answer.headers["Cache-Control"] == "private, max-age=0"


def test_a_stalled_connection_holds_up_nobody(stack: Stack, blob: Any) -> None:
    with socket.create_connection((HOST, stack.ports["storage"])) as stalled:
        stalled.sendall(
            b"POST /upload/storage/v1/b/x/o?uploadType=media&name=y HTTP/1.1\r\nContent-Length: 9\r\n\r\n1"
        )
        assert blob.download_as_bytes() == b"0123456789"


def test_a_signed_url_works_and_is_good_for_no_other_verb(stack: Stack, blob: Any) -> None:
    url = signed(stack, blob.name, datetime.now(UTC))
    answer = requests.get(url, timeout=10)
    assert (answer.content, answer.headers["Content-Type"]) == (b"0123456789", "video/mp4")
    head = requests.head(url, timeout=10)
    assert (head.status_code, head.content) == (403, b"")
    assert requests.put(url, data=b"other", timeout=10).status_code == 403
    assert blob.download_as_bytes() == b"0123456789"


def test_a_signed_url_leads_to_no_other_object(stack: Stack, blob: Any) -> None:
    other = f"user/{new_id()}/output.mp4"
    blob.bucket.blob(other).upload_from_string(b"other")
    url = signed(stack, blob.name, datetime.now(UTC))
    assert requests.get(url.replace(blob.name, other), timeout=10).status_code == 403


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-300", 206, b"0123456789"),
        ("bytes=5-99", 206, b"56789"),
        ("bytes=5-2", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
    ],
)
def test_a_part_can_be_asked_for_in_every_form(
    stack: Stack, blob: Any, asked: str, status: int, content: bytes
) -> None:
    answer = requests.get(signed(stack, blob.name, datetime.now(UTC)), headers={"Range": asked}, timeout=10)
    assert (answer.status_code, answer.content) == (status, content)


@pytest.mark.parametrize("asked", ["bytes=0-", "bytes=-3", "bytes=2-4"])
def test_a_part_of_a_missing_object_is_not_found(stack: Stack, asked: str) -> None:
    url = signed(stack, f"user/{new_id()}/output.mp4", datetime.now(UTC))
    assert requests.get(url, headers={"Range": asked}, timeout=10).status_code == 404


def test_a_part_that_begins_after_the_end_is_refused(stack: Stack, blob: Any) -> None:
    url = signed(stack, blob.name, datetime.now(UTC))
    assert requests.get(url, headers={"Range": "bytes=10-"}, timeout=10).status_code == 416


def test_browsers_of_another_origin_may_read(stack: Stack, blob: Any) -> None:
    url = signed(stack, blob.name, datetime.now(UTC))
    preflight = requests.options(url, headers={"Access-Control-Request-Method": "GET"}, timeout=10)
    assert preflight.status_code == 204
    for answer in (preflight, requests.get(url, timeout=10)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("age", [timedelta(hours=1, minutes=1), timedelta(days=400), -timedelta(hours=2)])
def test_a_signed_url_that_has_expired_or_is_not_valid_yet_is_refused(
    stack: Stack, blob: Any, age: timedelta
) -> None:
    answer = requests.get(signed(stack, blob.name, datetime.now(UTC) - age), timeout=10)
    assert answer.status_code == 400
    assert "expired" in answer.text


def test_nothing_is_public(stack: Stack, blob: Any) -> None:
    for method in ("GET", "HEAD", "PUT"):
        answer = requests.request(method, f"{stack.storage_url}/{BUCKET}/{quote(blob.name)}", timeout=10)
        assert answer.status_code == 403


def test_preconditions_hold(blob: Any) -> None:
    with pytest.raises(PreconditionFailed):
        blob.delete(if_generation_match=blob.generation + 1)
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"other", if_generation_match=0)
    assert blob.download_as_bytes() == b"0123456789"
    blob.delete(if_generation_match=blob.generation)
    assert not blob.exists()
    blob.upload_from_string(b"first", if_generation_match=0)
    assert blob.download_as_bytes() == b"first"


def test_every_generation_stays_until_it_is_deleted_by_its_number(buckets: storage.Client, blob: Any) -> None:
    def generations() -> list[int]:
        return [one.generation for one in buckets.list_blobs(BUCKET, prefix=blob.name, versions=True)]

    bucket = buckets.bucket(BUCKET)
    first = blob.generation
    blob.upload_from_string(b"second")
    second = blob.generation
    bucket.blob(blob.name).delete()
    assert not bucket.blob(blob.name).exists()
    assert generations() == [first, second]
    assert bucket.get_blob(blob.name, generation=first).size == 10
    bucket.blob(blob.name, generation=first).delete()
    assert bucket.get_blob(blob.name, generation=first) is None
    assert bucket.get_blob(blob.name, generation=second).size == len(b"second")
    assert generations() == [second]
    with pytest.raises(NotFound):
        bucket.blob(blob.name, generation=first).delete()
    bucket.blob(blob.name, generation=second).delete()
    assert generations() == []


@pytest.fixture
def folder(buckets: storage.Client) -> str:
    """A prefix with nine objects, four of them in two folders. The first has an older generation."""
    folder = f"user/{new_id()}/"
    for name in ("a", "a", "b", "c", "d", "x/1", "x/2", "y/1", "y/2", "z"):
        buckets.bucket(BUCKET).blob(folder + name).upload_from_string(b"x")
    return folder


def listed(buckets: storage.Client, folder: str, **options: Any) -> list[list[str]]:
    pages = buckets.list_blobs(BUCKET, prefix=folder, **options).pages
    return [[*(blob.name.removeprefix(folder) for blob in page), *sorted(page.prefixes)] for page in pages]


def test_a_listing_with_a_page_token_that_is_none_is_refused(stack: Stack) -> None:
    address = f"{stack.storage_url}/storage/v1/b/{BUCKET}/o"
    assert requests.get(address, params={"pageToken": "none"}, timeout=10).status_code == 400


@pytest.mark.parametrize(
    ("options", "pages"),
    [
        ({}, [["a", "b", "c"], ["d", "x/1", "x/2"], ["y/1", "y/2", "z"]]),
        ({"versions": True}, [["a", "a", "b"], ["c", "d", "x/1"], ["x/2", "y/1", "y/2"], ["z"]]),
        ({"start_offset": "d"}, [["d", "x/1", "x/2"], ["y/1", "y/2", "z"]]),
        ({"start_offset": "d", "versions": True}, [["d", "x/1", "x/2"], ["y/1", "y/2", "z"]]),
        ({"delimiter": "/"}, [["a", "b", "c"], ["d", "x/", "y/"], ["z"]]),
    ],
)
def test_each_page_of_a_listing_goes_on_where_the_one_before_it_ended(
    buckets: storage.Client, folder: str, options: dict[str, Any], pages: list[list[str]]
) -> None:
    if "start_offset" in options:
        options = {**options, "start_offset": folder + options["start_offset"]}
    found = listed(buckets, folder, page_size=3, **options)
    assert [[name.removeprefix(folder) for name in page] for page in found] == pages
