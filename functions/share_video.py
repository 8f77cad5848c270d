"""GET /v/{short_id}, the paths under it, and GET /public/video/{short_id}"""

from __future__ import annotations

from concurrent.futures import Future, wait
from typing import Any, TypeVar

from shared import log
from shared.errors import Unavailable
from shared.jobs.job import rfc3339
from shared.messaging.events import VideoViewed
from shared.outages import COUNTED_WITHIN
from shared.services import Services
from shared.sharing.shares import NoSuchVideo, SharedVideo
from shared.storage.media import SharedUrls
from shared.web.html_page import HtmlPage
from shared.web.public_endpoint import Answer, Redirect, Visit, public_endpoint

T = TypeVar("T")
_PAGE = "/v/{short_id}"
_VIDEO = "/v/{short_id}/video.mp4"
_POSTER = "/v/{short_id}/poster.webp"
_DATA = "/public/video/{short_id}"


@public_endpoint(_PAGE, _VIDEO, _POSTER, _DATA, signs=True)
def share_video(visit: Visit, services: Services) -> Answer:
    """What a share link shows: the page, its data, or the video or poster at a lasting address."""
    video = services.shares.resolve(visit.short_id)
    if visit.path == _VIDEO and "download" in visit.options:
        download = services.media.download(video.job, services.now())
        return Redirect(_found(download).url)

    urls = _found(services.media.shared(video.job, video.poster, services.now()))
    counting = _counting(video, visit, services) if visit.path in (_PAGE, _DATA) else None
    if counting:
        wait([counting], COUNTED_WITHIN)
    if visit.path == _PAGE:
        return _page(video, urls, embedded="embed" in visit.options)
    if visit.path == _DATA:
        return _data(video, urls)
    return Redirect(urls.video if visit.path == _VIDEO else _poster(video, urls))


def _poster(video: SharedVideo, urls: SharedUrls) -> str:
    _found(video.poster)
    if urls.poster is None:
        raise Unavailable("Cloud Storage")
    return urls.poster


def _found(thing: T | None) -> T:
    if thing is None:
        raise NoSuchVideo
    return thing


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


def _page(video: SharedVideo, urls: SharedUrls, *, embedded: bool) -> HtmlPage:
    shown = {
        "short_id": video.short_id,
        "video": urls.video,
        "poster": urls.poster,
        "views": video.job.view_count,
        "created_at": video.job.created_at,
    }
    media = tuple(url for url in (urls.video, urls.poster) if url)
    template = "player.html" if embedded else "video.html"
    return HtmlPage(template, shown, media=media, framed=embedded)


def _data(video: SharedVideo, urls: SharedUrls) -> dict[str, Any]:
    return {
        "short_id": video.short_id,
        "video_url": urls.video,
        "resolution": video.job.resolution,
        "created_at": rfc3339(video.job.created_at),
        "view_count": video.job.view_count,
        "expires_in_seconds": urls.validity.expires_in,
    }
