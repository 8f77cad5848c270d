"""GET /jobs and GET /jobs/{id}"""

from __future__ import annotations

from typing import Any

from shared.access.auth import User
from shared.jobs.pagination import ListQuery, encode_cursor
from shared.services import Services
from shared.web.endpoint import Request, endpoint


@endpoint("GET", "/jobs", "/jobs/{job_id}", cacheable=True)
def list_jobs(request: Request, user: User, services: Services) -> dict[str, Any]:
    """One job, or a page of the user's jobs, optionally limited to given ids or an id prefix."""
    share_origin = services.settings.share_origin
    if request.job_id is not None:
        return services.repository.get(user.id, request.job_id).as_json(share_origin)

    query = ListQuery.parse(request.query, user.id)
    page = services.repository.page(query)
    shown = [job.as_json(share_origin) for job in page.jobs]
    if query.with_media:
        media = services.media.urls(page.jobs, services.now())
        shown = [{**job, "media": urls.as_json()} for job, urls in zip(shown, media, strict=True)]
    answer = {
        "jobs": shown,
        "total": page.total,
        "page": page.number,
        "page_size": query.page_size,
        "next_cursor": page.next and encode_cursor(page.next, user.id, query.statuses, query.id_prefix),
    }
    return answer if page.counts is None else {**answer, "counts": page.counts}
