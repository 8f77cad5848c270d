"""The dashboard: its form, and that it shows what the alerts measure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.cloud.monitoring_v3 import Aggregation

from infra.functions import table
from tests.unit.infra.watching.files import ALL_METRICS, DASHBOARD, conditions
from tests.unit.infra.watching.filters import clauses, faults, metric_of, named

# https://cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.dashboards
# https://cloud.google.com/monitoring/api/ref_v3/rest/v1/XyChart
FORM: dict[str, Any] = {
    "title": str,
    "xyChart": {
        "dataSets": [
            {
                "timeSeriesQuery": {"timeSeriesFilter": {"filter": str, "aggregation": dict}},
                "plotType": str,
                "legendTemplate": str,
            }
        ],
        "thresholds": [{"value": int, "label": str}],
    },
    "logsPanel": {"filter": str},
}
CHARTS = [widget for widget in DASHBOARD["gridLayout"]["widgets"] if "xyChart" in widget]


def strays(form: Any, part: Any, where: str) -> list[str]:
    """Where a part has something that the form does not."""
    if isinstance(form, list):
        return [stray for one in part for stray in strays(form[0], one, where)]
    if isinstance(form, dict):
        return [
            stray
            for key, value in part.items()
            for stray in (strays(form[key], value, f"{where}.{key}") if key in form else [f"{where}.{key}"])
        ]
    return [] if isinstance(part, form) else [where]


def queries() -> list[tuple[str, Any]]:
    filters = [
        data["timeSeriesQuery"]["timeSeriesFilter"] for one in CHARTS for data in one["xyChart"]["dataSets"]
    ]
    return [(one["filter"], one["aggregation"]) for one in filters]


def test_it_has_the_form_that_cloud_monitoring_documents() -> None:
    assert DASHBOARD.keys() == {"displayName", "gridLayout"}
    assert DASHBOARD["gridLayout"].keys() == {"columns", "widgets"}
    assert strays([FORM], DASHBOARD["gridLayout"]["widgets"], "widget") == []
    plots = {data["plotType"] for one in CHARTS for data in one["xyChart"]["dataSets"]}
    assert plots <= {"LINE", "STACKED_AREA", "STACKED_BAR"}
    for _, aggregation in queries():
        Aggregation.from_json(json.dumps(aggregation), ignore_unknown_fields=False)


@pytest.mark.parametrize(
    "widget", [{"title": 1}, {"xyChart": {"dataSets": [{"timeSeriesQuery": {"filter": ""}}]}}]
)
def test_a_stray_key_or_value_is_noticed(widget: Any) -> None:
    assert len(strays([FORM], [widget], "widget")) == 1


def test_its_charts_are_on_metrics_that_exist() -> None:
    assert [fault for query in queries() for fault in faults(*query, ALL_METRICS)] == []


def test_it_shows_every_function_and_every_metric_that_raises_an_alert() -> None:
    shown = {
        name for text, _ in queries() for name in named(clauses(text).get("resource.labels.service_name", ""))
    }
    assert shown == {function.account for function in table().functions.values()}
    alerting = {metric_of(one["filter"]) for some in conditions("conditionThreshold").values() for one in some}
    assert alerting <= {metric_of(text) for text, _ in queries()}


def test_a_line_in_a_chart_is_where_the_alert_is_raised() -> None:
    thresholds = {
        (metric_of(one["filter"]), one["thresholdValue"])
        for some in conditions("conditionThreshold").values()
        for one in some
    }
    drawn = {
        (metric_of(text), line["value"])
        for chart, (text, _) in zip(CHARTS, queries(), strict=True)
        for line in chart["xyChart"].get("thresholds", [])
    }
    assert len(drawn) == 3
    assert drawn <= thresholds
