"""Consumes every-minute: moves counted views into their jobs, and ends share links whose time has come"""

from __future__ import annotations

import time

from shared import log
from shared.messaging.events import MinutePassed
from shared.messaging.subscriber import subscriber
from shared.outages import COUNTING_RUN
from shared.services import Services

BATCH = 1000
"""Most shards moved in one run."""
LINKS = 100
"""Most links ended in one run."""


@subscriber(MinutePassed)
def count_views(_: MinutePassed, services: Services) -> None:
    """Views written meanwhile, and views and links beyond the limits, wait for the next minute."""
    until = time.monotonic() + COUNTING_RUN
    shards = views = 0
    for shard in services.views.waiting(BATCH):
        views += services.views.move(shard)
        shards += 1
        if time.monotonic() > until:
            break
    ended = list(services.expiries.end_due(services.now(), LINKS))
    if ended:
        log.info("links_expired", job_ids=ended)
    if shards:
        log.info("views_counted", shards=shards, views=views)
