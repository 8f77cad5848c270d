"""What Cloud Monitoring knows of the metrics that alerts and the dashboard read, and what is wrong with a query.

Neither gcloud nor the types of the API look into a filter: a metric that does not exist raises no alert, ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Any, NamedTuple

# https://cloud.google.com/monitoring/api/resources
RESOURCES = {
    "cloud_run_revision": {"project_id", "service_name", "revision_name", "location", "configuration_name"},
    "pubsub_subscription": {"project_id", "subscription_id"},
    "uptime_url": {"project_id", "host"},
}


class Metric(NamedTuple):
    resource: str
    kind: str
    value: str
    labels: frozenset[str] = frozenset()


_ANSWERS = frozenset({"response_code", "response_code_class"})
_CHECKS = frozenset({"check_id", "checked_resource_id", "checker_location", "checker_type"})
# https://cloud.google.com/monitoring/api/metrics_gcp_p_z
METRICS = {
    "run.googleapis.com/request_count": Metric("cloud_run_revision", "DELTA", "INT64", _ANSWERS),
    "run.googleapis.com/request_latencies": Metric("cloud_run_revision", "DELTA", "DISTRIBUTION", _ANSWERS),
    "run.googleapis.com/container/instance_count": Metric(
        "cloud_run_revision", "GAUGE", "INT64", frozenset({"state"})
    ),
    "pubsub.googleapis.com/subscription/oldest_unacked_message_age": Metric(
        "pubsub_subscription", "GAUGE", "INT64"
    ),
    "pubsub.googleapis.com/subscription/num_undelivered_messages": Metric("pubsub_subscription", "GAUGE", "INT64"),
    "monitoring.googleapis.com/uptime_check/check_passed": Metric("uptime_url", "GAUGE", "BOOL", _CHECKS),
}
FROM_THE_LOG = "logging.googleapis.com/user/"

# https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#aligner
_PERCENTILES = {"ALIGN_PERCENTILE_99", "ALIGN_PERCENTILE_95", "ALIGN_PERCENTILE_50"}
_ALIGNERS = {
    ("GAUGE", "INT64"): {"ALIGN_MAX", "ALIGN_MIN", "ALIGN_MEAN", "ALIGN_NEXT_OLDER"},
    ("GAUGE", "BOOL"): {"ALIGN_NEXT_OLDER", "ALIGN_COUNT_FALSE", "ALIGN_FRACTION_TRUE"},
    ("DELTA", "INT64"): {"ALIGN_DELTA", "ALIGN_RATE"},
    ("DELTA", "DISTRIBUTION"): {"ALIGN_DELTA", *_PERCENTILES},
}
# The reducers that leave a number: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#reducer
_REDUCERS: dict[str, Set[str | None]] = {
    "a number": {None, "REDUCE_SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_MEAN"},
    "BOOL": {"REDUCE_COUNT_FALSE", "REDUCE_COUNT_TRUE", "REDUCE_FRACTION_TRUE"},
    "DISTRIBUTION": {"REDUCE_PERCENTILE_99", "REDUCE_PERCENTILE_95", "REDUCE_PERCENTILE_50"},
}
_TEXT = r'"([^"\\]+)"'
_CLAUSE = re.compile(
    rf"(?P<key>resource\.type|metric\.type|(resource|metric)\.labels\.[a-z_]+) = "
    rf"(?P<value>{_TEXT}|one_of\({_TEXT}(, {_TEXT})*\)|(starts|ends)_with\({_TEXT}\))"
)


def clauses(text: str) -> dict[str, str]:
    """A filter's conditions. Raises ValueError for what is not of the form that these files use.

    https://cloud.google.com/monitoring/api/v3/filters
    """
    found = [_CLAUSE.fullmatch(clause) for clause in text.split(" AND ")]
    if not all(found):
        raise ValueError(f"not of the form KEY = VALUE AND KEY = VALUE: {text}")
    return {one["key"]: one["value"] for one in found if one}


def named(value: str) -> list[str]:
    """The texts in a condition's value."""
    return re.findall(_TEXT, value)


def metric_of(text: str) -> str:
    (name,) = named(clauses(text).get("metric.type", '""'))
    return name


def faults(text: str, aggregation: Mapping[str, Any], metrics: Mapping[str, Metric] = METRICS) -> list[str]:
    """What Cloud Monitoring would refuse in a query, or would answer with nothing for."""
    conditions = clauses(text)
    name = metric_of(text)
    if name not in metrics:
        return [f"there is no metric {name}"]
    metric = metrics[name]
    found = []
    if named(conditions["resource.type"]) != [metric.resource]:
        found.append(f"{name} is written for {metric.resource}")
    labels: dict[str, Set[str]] = {"resource": RESOURCES[metric.resource], "metric": metric.labels}
    keys = [key.split(".labels.") for key in conditions if ".labels." in key]
    keys += [field.split(".label.") for field in aggregation.get("groupByFields", [])]
    found += [f"{name} has no {'.'.join(key)}" for key in keys if key[-1] not in labels.get(key[0], ())]
    aligner, reducer = aggregation["perSeriesAligner"], aggregation.get("crossSeriesReducer")
    if aligner not in _ALIGNERS[metric.kind, metric.value]:
        found.append(f"{aligner} is not for {metric.kind} {metric.value}")
    is_aligned_to_number = metric.value == "INT64" or aligner in _PERCENTILES
    if reducer not in _REDUCERS["a number" if is_aligned_to_number else metric.value]:
        found.append(f"{reducer} makes no number of it")
    return found + _faults_of_time("alignmentPeriod", aggregation["alignmentPeriod"], least=60)


def _faults_of_time(what: str, duration: str, least: int) -> list[str]:
    """Whole minutes: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies"""
    seconds = re.fullmatch("([0-9]+)s", duration)
    is_sound = seconds and int(seconds[1]) % 60 == 0 and int(seconds[1]) >= least
    return [] if is_sound else [f"{what} is {duration}, which is no whole number of minutes"]


def faults_of_duration(duration: str) -> list[str]:
    return _faults_of_time("duration", duration, least=0)
