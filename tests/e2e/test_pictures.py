"""The two pictures in the README. `make pictures` renews them in docs/; an ordinary run leaves docs/ alone."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, ViewportSize, expect

from infra.local.users import Account, Users
from infra.stage import ROOT
from tests.conftest import PASSWORD
from tests.e2e.jobs_page import JobsPage
from tests.e2e.shelf import MEDIA, MOTION, OUTPUT, REFERENCE, Shelf
from tests.e2e.states import settle

pytestmark = pytest.mark.motion

FOLDER = ROOT / ("docs" if os.environ.get("RENEW_PICTURES") else "artifacts/screenshots")
MOST = 60_000
"""Bytes, for each picture."""
DESKTOP: ViewportSize = {"width": 1280, "height": 842}
PHONE: ViewportSize = {"width": 412, "height": 915}
OLDER = 24
SHOWN = "70eb9a0a-9626-4ae6-85e8-18fac0433cbd"


@pytest.fixture
def account(users: Users) -> Account:
    """A user with an e-mail address that looks good in the page's header."""
    return users.add("pictures", "ann@nuumee.test", PASSWORD)


def add(shelf: Shelf, job_id: str, status: str, character: str, motion: str, minutes: int, **changes: Any) -> None:
    """Add a job created `minutes` ago, with the media of this character and motion."""
    created_at = datetime.now(UTC) - timedelta(minutes=minutes)
    shelf.add(
        status,
        id=job_id,
        instead={
            REFERENCE: next(MEDIA.glob(f"reference-{character}.*")),
            MOTION: MEDIA / f"motion-{motion}.mp4",
            OUTPUT: MEDIA / f"output-{character}-{motion}.mp4",
        },
        created_at=created_at,
        completed_at=created_at + timedelta(minutes=4) if status == "completed" else None,
        **changes,
    )


def save(page: Page, name: str) -> int:
    """Save the window's contents as WebP. Returns the size in bytes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name}.webp"
    with Image.open(io.BytesIO(page.screenshot(animations="disabled"))) as picture:
        picture.save(file, "WEBP", quality=85, method=6)
    return file.stat().st_size


def test_the_readmes_pictures_are_small(jobs_page: JobsPage, shelf: Shelf) -> None:
    shelf.add_many(OLDER)
    add(shelf, SHOWN, "completed", "nova", "wave", 12)
    add(shelf, "d27c5b90-4f1e-4b6a-a1d3-6e8c0f9b2a75", "processing", "violet", "wave", 2)
    add(shelf, "c40d9f13-2a77-4c15-8f3e-0b6a1d5e9c24", "failed", "ember", "jump", 41, credits_charged=0)
    page = jobs_page.page

    page.set_viewport_size(DESKTOP)
    jobs_page.open()
    jobs_page.expect_counts(all=OLDER + 3, processing=1, completed=OLDER + 1, failed=1)
    settle(page)
    assert save(page, "jobs") <= MOST

    page.set_viewport_size(PHONE)
    jobs_page.button(SHOWN, "Details").click()
    expect(jobs_page.dialog.get_by_text("Anyone with this link can watch the video:")).to_be_visible()
    settle(page)
    assert save(page, "details") <= MOST
