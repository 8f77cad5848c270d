"""Visits share links, with fake services."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from functions.share_video import share_video
from tests.calls import call
from tests.fakes import FakeServices
from tests.jobs import document

ID = "25ca1d0f"
PAGE, VIDEO, POSTER, DATA = f"/v/{ID}", f"/v/{ID}/video.mp4", f"/v/{ID}/poster.webp", f"/public/video/{ID}"
SEEN, PICTURE, BRAND = f"/v/{ID}/seen", f"/v/{ID}/picture.jpg", f"/v/{ID}/nuumee.jpg"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


def visit(services: FakeServices, path: str = PAGE, method: str = "GET", **headers: str) -> Any:
    """Send a request without a token. `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return call(share_video, services, path, method=method, user=None, headers={"User-Agent": CHROME, **named})


def watch(services: FakeServices, **headers: str) -> Any:
    """Report that the page has been shown for two seconds, as its script does."""
    return visit(services, SEEN, **{"Sec_Fetch_Site": "same-origin", **headers})


def saved_as(services: FakeServices) -> str:
    """What a browser is told to save the shared download as. Its URL is made as in the cloud."""
    fake = services.__dict__.pop("media")
    try:
        address: str = visit(services, f"{VIDEO}?download").headers["Location"]
    finally:
        services.__dict__["media"] = fake
    (disposition,) = parse_qs(urlsplit(address).query)["response-content-disposition"]
    return disposition


def shared_job() -> FakeServices:
    """Services with one job that has a link, an output and a poster."""
    made = FakeServices()
    posters = {"output_video": "me/job-1/poster.webp"}
    made.add("job-1", document("me", short_id=ID, output_video_path="me/job-1/output.mp4", posters=posters))
    made.fake_shares.links[ID] = "job-1"
    return made
