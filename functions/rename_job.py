"""PATCH /jobs/{id}"""

from __future__ import annotations

from typing import Any

from shared import log
from shared.access.user import User
from shared.jobs.names import requested_name
from shared.services import Services
from shared.web.endpoint import Request, endpoint


@endpoint("PATCH", "/jobs/{job_id}", check_revoked=True, takes_body=True)
def rename_job(request: Request, user: User, services: Services) -> dict[str, Any]:
    """Give the job a name, or take its name away."""
    job = services.renaming.rename(user.id, str(request.job_id), requested_name(request.json()))
    log.info("job_renamed", job_id=job.id)
    return job.as_json(services.settings.share_origin)
