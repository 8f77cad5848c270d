"""POST and DELETE /jobs/{id}/share"""

from __future__ import annotations

from typing import Any

from shared import log
from shared.access.user import User
from shared.services import Services
from shared.web.endpoint import Request, endpoint


@endpoint("POST, DELETE", "/jobs/{job_id}/share", check_revoked=True)
def share_job(request: Request, user: User, services: Services) -> dict[str, Any]:
    """POST gives the job a new link and ends the previous one; DELETE ends the current link."""
    job_id = str(request.job_id)
    if request.method == "POST":
        job = services.shares.renew(user.id, job_id, services.now())
        log.info("share_renewed", job_id=job_id)
    else:
        job = services.shares.revoke(user.id, job_id, services.now())
        log.info("share_revoked", job_id=job_id)
    return {
        "job_id": job.id,
        "short_id": job.short_id,
        "share_url": job.share_url(services.settings.share_origin),
    }
