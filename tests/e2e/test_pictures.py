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

FOLDER = ROOT / ("docs" if os.environ.get("RENEW_PICTURES") else "artifacts/screenshots")
MOST = 60_000
"""Bytes, for each picture."""
DESKTOP: ViewportSize = {"width": 1280, "height": 840}
PHONE: ViewportSize = {"width": 390, "height": 840}
OLDER = 24


@pytest.fixture
def account(users: Users) -> Account:
    """A user with an e-mail address that looks good in the page's header."""
    return users.add("pictures", "ann@nuumee.test", PASSWORD)


def add(
    shelf: Shelf, job_id: str, status: str, age: timedelta, character: str, motion: str, **changes: Any
) -> str:
    created_at = datetime.now(UTC) - age
    return shelf.add(
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
    minutes, hours = (lambda n: timedelta(minutes=n)), (lambda n: timedelta(hours=n))
    shelf.add_many(OLDER)
    add(shelf, "1be32acf-5f0e-4d4b-9f0a-7d9f2c4e8a61", "completed", hours(3), "violet", "jump", resolution="480p")
    add(shelf, "c40d9f13-2a77-4c15-8f3e-0b6a1d5e9c24", "failed", hours(2), "ember", "jump", credits_charged=0)
    add(
        shelf,
        "8a6f0e52-91b4-4e0d-b7c8-35f2d1a90e47",
        "completed",
        minutes(41),
        "ember",
        "dance",
        job_type="upscale",
    )
    shown = add(shelf, "70eb9a0a-9626-4ae6-85e8-18fac0433cbd", "completed", minutes(12), "nova", "wave")
    add(shelf, "d27c5b90-4f1e-4b6a-a1d3-6e8c0f9b2a75", "processing", minutes(2), "violet", "wave")
    page = jobs_page.page

    page.set_viewport_size(DESKTOP)
    jobs_page.open()
    jobs_page.expect_counts(all=OLDER + 5, processing=1, completed=OLDER + 3, failed=1)
    settle(page)
    assert save(page, "jobs") <= MOST

    page.set_viewport_size(PHONE)
    jobs_page.button(shown, "Details").click()
    expect(jobs_page.dialog.get_by_text("Anyone with this link can watch the video:")).to_be_visible()
    settle(page)
    assert save(page, "details") <= MOST
