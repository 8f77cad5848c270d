"""GET /jobs, GET /jobs/erasure, GET /jobs/{id} and GET /jobs/{id}/deletion"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.access.user import User
from shared.deletion.receipt import receipt
from shared.errors import NotFound
from shared.jobs.pagination import JobPage, ListQuery, encode_cursor
from shared.services import Services
from shared.storage.finding import listings
from shared.web.endpoint import Request, Versioned, endpoint, in_time

RECEIPT = "/jobs/{job_id}/deletion"
ERASURE = "/jobs/erasure"
READS = 20
"""How many documents a request of a user may read. One that reads more counts as several."""
LISTING = 8
"""How many documents' reads a listing of Cloud Storage costs as much as, in a multi-region. In a single region, it
costs twice as many: https://cloud.google.com/firestore/pricing https://cloud.google.com/storage/pricing"""


@endpoint("GET", "/jobs", ERASURE, "/jobs/{job_id}", RECEIPT, cacheable=True, signs=True, bounded=True)
def list_jobs(request: Request, user: User, services: Services) -> Mapping[str, Any] | Versioned:
    """One job, the receipt of its deletion, the progress of an erasure, or a page of jobs.

    The page has the live ones, perhaps filtered, searched by id or name, or with given ids; or those in the trash.
    """
    # A receipt and the trash on another thread: the first of them makes a client of Storage, which may take long.
    if request.path == RECEIPT:
        return in_time(services, _receipt, user.id, str(request.job_id), services)
    if request.path == ERASURE:
        return _erasure(user.id, services)
    if request.job_id is not None:
        return services.repository.get(user.id, request.job_id).as_json(services.settings.share_origin)
    query = ListQuery.parse(request.query, user.id)
    if query.deleted:
        return in_time(services, _trash, query, services)
    if query.with_media and not services.has("media"):
        in_time(services, lambda: services.media)  # its signer may look for credentials
    reads = 0
    passed: list[int] = []
    try:
        page = services.repository.page(query, passed.append)
        reads = _reads(query, page)
    finally:
        _charge(query, reads, sum(passed), services)
    version = _version(query, page, services)
    if version is None:
        return _answer(query, page, services)
    return Versioned(version, lambda: _answer(query, page, services))


def _trash(query: ListQuery, services: Services) -> dict[str, Any]:
    page = services.trash.page(query, services.retention.of_all(), services.now())
    _charge(query, 2 * len(page.jobs), 0, services)
    return {
        "jobs": [deleted.as_json(services.settings.share_origin) for deleted in page.jobs],
        "total": page.total,
        "page": page.number,
        "page_size": query.page_size,
        "next_cursor": page.next and encode_cursor(page.next, query),
    }


def _reads(query: ListQuery, page: JobPage) -> int:
    looked_up = LISTING * sum(map(listings, page.jobs)) if query.with_media else 0
    return looked_up + (len(page.jobs) if query.ids is None else len(query.ids))


def _charge(query: ListQuery, reads: int, passed: int, services: Services) -> None:
    """Count the request as several if it took as much as several. `reads` is what the jobs on the page took, and
    `passed` what it passed over, such as deleted jobs. The jobs before a page asked for by number count too.

    At most half of what comes back in ten seconds, so that whoever polls as often does not meet the limit. A list
    that reads more than that, such as a deep page by number, costs more than it counts.
    """
    if reads and query.ids is None and query.after is None:
        reads += (query.page - 1) * query.page_size
    most = services.settings.requests_per_minute // 12
    if more := min(max(reads - 1, 0) // READS + passed // READS, most):
        services.users.charge(query.user_id, more, services.now().timestamp())


def _receipt(user_id: str, job_id: str, services: Services) -> dict[str, Any]:
    entry = services.deletions.entry(user_id, job_id)
    return receipt(job_id, entry, services.settings.bucket_names, services.retention.of)


def _erasure(user_id: str, services: Services) -> dict[str, Any]:
    erasure = services.erasures.latest(user_id)
    if erasure is None:
        raise NotFound("It was never asked to delete all jobs.")
    return erasure.as_json()


def _answer(query: ListQuery, page: JobPage, services: Services) -> dict[str, Any]:
    shown = [job.as_json(services.settings.share_origin) for job in page.jobs]
    if query.with_media:
        media = services.media.urls(page.jobs, services.now())
        shown = [{**job, "media": urls.as_json()} for job, urls in zip(shown, media, strict=True)]
    answer = {
        "jobs": shown,
        "total": page.total,
        "page": page.number,
        "page_size": query.page_size,
        "next_cursor": page.next and encode_cursor(page.next, query),
    }
    return answer if page.counts is None else {**answer, "counts": page.counts}


def _version(query: ListQuery, page: JobPage, services: Services) -> str | None:
    """What is different as soon as the answer is. None if nothing short of the answer itself can tell."""
    if page.versions is None:
        return None
    media = services.media.version(page.jobs, services.now()) if query.with_media else ""
    if media is None:
        return None
    settings = services.settings
    return repr((query, page.versions, page.counts, media, settings.share_origin, settings.revision))
