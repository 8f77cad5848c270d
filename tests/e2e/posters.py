"""Adds or removes posters and previews in responses, as a test needs, whatever has really been made."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, Route

from tests.e2e.signing import signed_anew

POSTERS = ("reference_poster_url", "motion_poster_url", "output_poster_url")
PREVIEWS = ("motion_preview_url", "output_preview_url")
ALL = (*POSTERS, *PREVIEWS)
VIEW, STORYBOARD = "reference_view_url", "output_storyboard_url"

_ANSWERS_WITH_MEDIA = re.compile(r"/api/v1/jobs(\?|/[^/]+/thumbnails$)")
_ORIGINALS = {"reference": "reference_image_url", "motion": "motion_video_url", "output": "output_video_url"}


def tell_of(page: Page, fields: Mapping[str, Collection[str]], *, playable: bool | None = None) -> None:
    """Make responses give URLs for each job's pictures and null for its others, and say this of all its media.

    `fields` has each job's pictures by its id; jobs that are not in it stay as they are. Each response has
    different URLs.
    """
    answers = itertools.count()

    def answer(route: Route) -> None:
        response = route.fetch()
        body = response.json()
        number = next(answers)
        for job_id, media in _media(route.request, body).items():
            if job_id in fields:
                for name in (*ALL, VIEW, STORYBOARD):
                    media[name] = _url(page, media, name, number) if name in fields[job_id] else None
                media["playable"] = dict.fromkeys(media["playable"], playable)
        route.fulfill(response=response, json=body)

    page.route(_ANSWERS_WITH_MEDIA, answer)


def _media(request: Request, body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The media in the answer to this request, by their job's id."""
    if "jobs" in body:  # a look for newer jobs asks for no media
        return {job["id"]: job["media"] for job in body["jobs"] if "media" in job}
    return {urlsplit(request.url).path.split("/")[-2]: body}


def _url(page: Page, media: dict[str, Any], field: str, number: int) -> str | None:
    medium, what, _ = field.split("_")
    original = media[_ORIGINALS[medium]]
    name = "preview.mp4" if what == "preview" else f"{what}.webp"
    return original and signed_anew(page, original, name=name, mark=f"answer={number}")
