"""GET /jobs/{id}/thumbnails"""

from __future__ import annotations

from typing import Any

from shared.access.user import User
from shared.services import Services
from shared.web.endpoint import Request, endpoint


@endpoint("GET", "/jobs/{job_id}/thumbnails", cacheable=True, signs=True, bounded=True)
def get_thumbnails(request: Request, user: User, services: Services) -> dict[str, Any]:
    """Signed URLs of the job's media."""
    job = services.repository.get(user.id, str(request.job_id))
    (urls,) = services.media.urls([job], services.now())
    return urls.as_json()
