"""The process's Cloud Storage client."""

from __future__ import annotations

import google.cloud.storage

from shared.settings import Settings
from shared.storage.connections import keep_alive


def storage_client(settings: Settings, connections: int) -> google.cloud.storage.Client:
    client = google.cloud.storage.Client(project=settings.project)
    keep_alive(client._http, connections)
    return client
