"""GET /jobs/{id}/output"""

from __future__ import annotations

from typing import Any

from shared.access.user import User
from shared.errors import NotCompleted, NotFound
from shared.services import Services
from shared.web.endpoint import Request, endpoint


@endpoint("GET", "/jobs/{job_id}/output", signs=True, bounded=True)
def get_output(request: Request, user: User, services: Services) -> dict[str, Any]:
    """A signed URL that makes a browser save the job's output video."""
    job = services.repository.get(user.id, str(request.job_id))
    if not job.is_completed:
        raise NotCompleted(job.status)
    download = services.media.download(job, services.now())
    if download is None:
        raise NotFound("This job has no output video.")
    return {
        "job_id": job.id,
        "download_url": download.url,
        "expires_in_seconds": download.validity.expires_in,
        "filename": download.filename,
    }
