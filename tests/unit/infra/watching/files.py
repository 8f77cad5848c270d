"""The files that Cloud Monitoring and Cloud Logging get: alerts, metrics from the log, the dashboard."""

from __future__ import annotations

import json
import re
from typing import Any

from infra.stage import ROOT
from tests.unit.infra.watching.filters import FROM_THE_LOG, METRICS, Metric

CLOUD = ROOT / "infra/cloud"
POLICIES: dict[str, Any] = {file.stem: json.loads(file.read_text()) for file in (CLOUD / "alerts").glob("*.json")}
FROM_LOG: dict[str, Any] = {file.stem: json.loads(file.read_text()) for file in (CLOUD / "metrics").glob("*.json")}
UPTIME: dict[str, Any] = {file.stem: json.loads(file.read_text()) for file in (CLOUD / "uptime").glob("*.json")}
DASHBOARD: Any = json.loads((CLOUD / "dashboard.json").read_text())

ALL_METRICS = METRICS | {
    FROM_THE_LOG + name: Metric(
        "cloud_run_revision", one["metricDescriptor"]["metricKind"], one["metricDescriptor"]["valueType"]
    )
    for name, one in FROM_LOG.items()
}


def conditions(kind: str) -> dict[str, list[Any]]:
    """Each policy's conditions of a kind, where it has any."""
    found = {name: [one[kind] for one in policy["conditions"] if kind in one] for name, policy in POLICIES.items()}
    return {name: some for name, some in found.items() if some}


def watched_events() -> dict[str, set[str]]:
    """The events that each policy on the log waits for."""
    return {
        name: {*re.findall(r'"(\w+)"', log["filter"].partition("jsonPayload.message=")[2])}
        for name, (log,) in conditions("conditionMatchedLog").items()
    }
