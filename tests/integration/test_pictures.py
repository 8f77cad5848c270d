"""What most people upload, from the upload to what the page is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import requests
from google.cloud import firestore, storage
from PIL import Image

from infra.local.client import Client
from infra.local.stack import Stack
from infra.local.users import Account
from tests.integration.subscribed import subscribed
from tests.jobs import document, new_id, read
from tests.waiting import wait_until

MEDIA = Path(__file__).parent.parent / "unit/posters/media"
SHIRT = {"x": 0.5, "y": 0.69}
"""Where a person's red shirt is, as parts of the picture's width and height."""


@pytest.fixture(scope="module")
def _making(stack: Stack) -> Iterator[None]:
    with subscribed(stack, "make_posters"):
        yield


@pytest.mark.usefixtures("_making")
@pytest.mark.parametrize(
    ("file", "bucket", "name", "medium", "stand_in"),
    [
        ("iphone-hlg.MOV", "nuumee-videos", "motion.MOV", "motion_video", "motion_preview_url"),
        ("iphone.heic", "nuumee-images", "Reference.HEIC", "reference_image", "reference_view_url"),
        ("comfy-ztxt-1mb.png", "nuumee-images", "reference.png", "reference_image", None),
    ],
)
def test_what_most_people_upload_is_seen_in_the_tile_and_opens(
    stack: Stack,
    database: firestore.Client,
    buckets: storage.Client,
    account: Account,
    file: str,
    bucket: str,
    name: str,
    medium: str,
    stand_in: str | None,
) -> None:
    job_id = new_id()
    path = f"{account.user_id}/{job_id}/{name}"
    fields = document(account.user_id, **{"status": "processing", f"{medium}_path": path})
    database.collection("jobs").document(job_id).set(fields)
    buckets.bucket(bucket).blob(path).upload_from_filename(str(MEDIA / file))
    wait_until(lambda: medium in (read(database, job_id).get("posters") or {}), 240)
    media = Client(stack.url, account.token).get(f"/jobs/{job_id}/thumbnails")
    assert media["playable"][medium] == (stand_in is None)
    answer = requests.get(media[f"{medium.partition('_')[0]}_poster_url"], timeout=10)
    assert_red(Image.open(BytesIO(answer.content)))
    if stand_in is None:
        assert media["reference_view_url"] is None
        return
    opened = requests.get(media[stand_in], timeout=10)
    if medium == "reference_image":
        assert_red(Image.open(BytesIO(opened.content)))
    else:
        assert b"ftyp" in opened.content[:12]


def assert_red(image: Image.Image) -> None:
    x, y = round(SHIRT["x"] * image.width), round(SHIRT["y"] * image.height)
    red, green, blue = image.convert("RGB").crop((x, y, x + 1, y + 1)).tobytes()
    assert red > 180
    assert max(green, blue) < 60
