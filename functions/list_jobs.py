"""GET /jobs and GET /jobs/{id}"""

from __future__ import annotations

from typing import Any

from shared.auth import User
from shared.endpoint import Request, endpoint
from shared.pagination import ListQuery, Page, encode_cursor
from shared.services import Services


@endpoint("GET", "/jobs", "/jobs/{job_id}", cacheable=True)
def list_jobs(request: Request, user: User, services: Services) -> dict[str, Any]:
    """A page of the user's jobs, some of them by id, or one."""
    share_origin = services.settings.share_origin
    if request.job_id is not None:
        return services.repository.get(user.id, request.job_id).as_json(share_origin)

    query = ListQuery.parse(request.query, user.id)
    if query.ids is None:
        page = services.repository.page(query)
    else:
        found = services.repository.get_many(user.id, query.ids)
        jobs = [job for job in found if not query.statuses or job.status in query.statuses]
        page = Page(jobs, len(jobs), 1, None)

    shown = [job.as_json(share_origin) for job in page.jobs]
    if query.with_media:
        media = services.media.urls(page.jobs, services.now())
        shown = [{**job, "media": urls.as_json()} for job, urls in zip(shown, media, strict=True)]
    return {
        "jobs": shown,
        "total": page.total,
        "page": page.number,
        "page_size": query.page_size,
        "next_cursor": page.next and encode_cursor(page.next, user.id, query.statuses),
    }
