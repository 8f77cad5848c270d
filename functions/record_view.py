"""Consumes video-viewed: counts one view of a shared video, and makes its link lasting"""

from __future__ import annotations

from shared.messaging.events import VideoViewed
from shared.messaging.subscriber import subscriber
from shared.services import Services


@subscriber(VideoViewed)
def record_view(event: VideoViewed, services: Services) -> None:
    """Write what share_video may not: it answers strangers. count_views finds the view."""
    if event.unsettled:
        services.shares.settle(event.unsettled, services.now())
    services.views.add(event.job_id)  # last, because what fails after it would have it counted again
