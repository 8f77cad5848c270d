"""GET /v/{short_id}, the paths under it, and GET /public/video/{short_id}"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, TypeVar

from shared import log
from shared.errors import Unavailable
from shared.jobs.job import rfc3339
from shared.messaging.events import VideoViewed
from shared.outages import COUNTED_WITHIN
from shared.services import Services
from shared.sharing.shares import NoSuchVideo, SharedVideo
from shared.sharing.short_links import is_short_id
from shared.storage.media import SharedUrls
from shared.web.html_page import HtmlPage
from shared.web.public_endpoint import Answer, Nothing, Picture, Redirect, Visit, public_endpoint

T = TypeVar("T")
_PAGE = "/v/{short_id}"
_VIDEO = "/v/{short_id}/video.mp4"
_SEEN = "/v/{short_id}/seen"
"""Requested by a page that has been shown for two seconds."""
_POSTER = "/v/{short_id}/poster.webp"
_PICTURE = "/v/{short_id}/picture.jpg"
"""The picture for a chat's preview."""
_BRAND = "/v/{short_id}/nuumee.jpg"
"""What a preview shows until there is a picture. Its address differs, because chats keep what they have got."""
_DATA = "/public/video/{short_id}"
_BRAND_FILE = Path(__file__).parents[1] / "shared/web/pictures/nuumee.jpg"
_BRAND_SIZE = (1200, 630)


@public_endpoint(_PAGE, _VIDEO, _SEEN, _POSTER, _PICTURE, _BRAND, _DATA, signs=True)
def share_video(visit: Visit, services: Services) -> Answer:
    """What a share link shows: the page, its data, or its media at lasting addresses. Counts the views."""
    if visit.path == _PAGE and visit.ends_in_slash and is_short_id(visit.short_id):
        return Redirect(f"../{visit.short_id}" + (f"?{visit.query}" if visit.query else ""))
    video = services.shares.resolve(visit.short_id, services.now())
    return _ANSWERS[visit.path](video, visit, services)


def _video(video: SharedVideo, visit: Visit, services: Services) -> Redirect:
    if "download" in visit.options:
        return Redirect(_found(services.media.download(video.job, services.now())).url)
    return Redirect(_urls(video, None, services).video)


def _poster(video: SharedVideo, _: Visit, services: Services) -> Redirect:
    return _to_picture(video, video.poster, services)


def _picture(video: SharedVideo, _: Visit, services: Services) -> Redirect:
    return _to_picture(video, _found(video.picture).name, services)


def _to_picture(video: SharedVideo, name: str | None, services: Services) -> Redirect:
    url = _urls(video, _found(name), services).poster
    if url is None:
        raise Unavailable("Cloud Storage")
    return Redirect(url)


def _urls(video: SharedVideo, picture: str | None, services: Services) -> SharedUrls:
    return _found(services.media.shared(video.job, picture, services.now()))


def _found(thing: T | None) -> T:
    if thing is None:
        raise NoSuchVideo
    return thing


def _require_video(video: SharedVideo, services: Services) -> None:
    """Without a video, the link shows nothing. What needs no URL does not wait for one to be signed."""
    if not services.media.has_output(video.job):
        raise NoSuchVideo


def _brand(video: SharedVideo, _: Visit, services: Services) -> Picture:
    _require_video(video, services)
    return Picture(_BRAND_FILE.read_bytes(), "image/jpeg")


def _seen(video: SharedVideo, visit: Visit, services: Services) -> Nothing:
    _require_video(video, services)
    if counting := _counting(video, visit, services):
        wait([counting], COUNTED_WITHIN)
    return Nothing()


def _counting(video: SharedVideo, visit: Visit, services: Services) -> Future[None] | None:
    """Start counting the visit if it is a new view. The answer does not depend on it."""
    now = services.now().timestamp()
    if not visit.may_count or not services.visitors.is_new(visit.visitor, visit.short_id, now):
        return None
    viewed = VideoViewed(video.job.id, None if video.is_settled else video.short_id)
    counting = services.view_queue.begin(_publish, viewed, services)
    if counting is None:
        log.warning("view_not_counted", job_id=video.job.id, error="too many at once")
    return counting


def _publish(event: VideoViewed, services: Services) -> None:
    try:
        services.view_publisher.publish(event)
    except Exception as error:
        log.warning("view_not_counted", job_id=event.job_id, error=type(error).__name__)


def _page(video: SharedVideo, visit: Visit, services: Services) -> HtmlPage:
    urls = _urls(video, video.picture.name if video.picture else video.poster, services)
    embedded = "embed" in visit.options
    shown = {
        "short_id": video.short_id,
        "name": video.job.name,
        "video": urls.video,
        "poster": urls.poster,
        "picture": f"/{'picture' if video.picture else 'nuumee'}.jpg",
        "picture_size": video.picture.size if video.picture else _BRAND_SIZE,
        "video_size": video.size,
        "views": video.job.view_count,
        "created_at": video.job.created_at,
    }
    media = tuple(url for url in (urls.video, urls.poster) if url)
    template = "player.html" if embedded else "video.html"
    return HtmlPage(template, shown, media=media, framed=embedded)


def _data(video: SharedVideo, _: Visit, services: Services) -> dict[str, Any]:
    urls = _urls(video, None, services)
    return {
        "short_id": video.short_id,
        "name": video.job.name,
        "video_url": urls.video,
        "resolution": video.job.resolution,
        "created_at": rfc3339(video.job.created_at),
        "view_count": video.job.view_count,
        "expires_in_seconds": urls.validity.expires_in,
    }


_ANSWERS: dict[str, Callable[[SharedVideo, Visit, Services], Answer]] = {
    _PAGE: _page,
    _VIDEO: _video,
    _SEEN: _seen,
    _POSTER: _poster,
    _PICTURE: _picture,
    _BRAND: _brand,
    _DATA: _data,
}
