"""Consumes video-viewed: counts one view of a shared video"""

from __future__ import annotations

from shared.messaging.events import VideoViewed
from shared.messaging.subscriber import subscriber
from shared.services import Services


@subscriber(VideoViewed)
def record_view(event: VideoViewed, services: Services) -> None:
    """Write the view where count_views finds it. The function that answers strangers may write nothing itself."""
    services.views.add(event.job_id)
