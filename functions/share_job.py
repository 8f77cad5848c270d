"""POST, PATCH and DELETE /jobs/{id}/share"""

from __future__ import annotations

from typing import Any

from shared import log
from shared.access.user import User
from shared.jobs.job import rfc3339
from shared.services import Services
from shared.sharing.wishes import requested_end, requested_wishes
from shared.web.endpoint import Request, endpoint


@endpoint("POST, PATCH, DELETE", "/jobs/{job_id}/share", check_revoked=True, takes_body=True)
def share_job(request: Request, user: User, services: Services) -> dict[str, Any]:
    """POST gives the job a new link and ends the previous one; PATCH changes its wishes; DELETE ends it."""
    job_id, now = str(request.job_id), services.now()
    if request.method == "POST":
        end = requested_end(request.json_if_any(), now)
        job = services.shares.renew(user.id, job_id, now, end)
        log.info("share_renewed", job_id=job_id)
    elif request.method == "PATCH":
        wishes = requested_wishes(request.json(), now)
        job = services.shares.change(user.id, job_id, now, wishes)
        log.info("share_changed", job_id=job_id, fields=sorted(wishes))
    else:
        job = services.shares.revoke(user.id, job_id, now)
        log.info("share_revoked", job_id=job_id)
    return {
        "job_id": job.id,
        "short_id": job.short_id,
        "share_url": job.share_url(services.settings.share_origin),
        "expires_at": rfc3339(job.share_expires_at),
        "share_name": job.share_name,
    }
