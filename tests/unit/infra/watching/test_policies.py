"""Each alert can be raised: its queries name what exists, and together the alerts watch every function."""

from __future__ import annotations

import re
from typing import Any

import pytest
from google.api.distribution_pb2 import Distribution  # type: ignore[import-untyped]
from google.api.metric_pb2 import MetricDescriptor  # type: ignore[import-untyped]
from google.protobuf.json_format import ParseDict

from infra.cloud.topics import kept_for
from infra.functions import EVERY_MINUTE, table
from shared.outages import ANSWER_WITHIN
from shared.sharing.short_links import is_short_id
from tests.unit.infra.watching.events import all_logged
from tests.unit.infra.watching.files import ALL_METRICS, FROM_LOG, POLICIES, UPTIME, conditions, watched_events
from tests.unit.infra.watching.filters import FROM_THE_LOG, clauses, faults, faults_of_duration, metric_of, named

THRESHOLDS = conditions("conditionThreshold")
FUNCTIONS = table().functions.values()
FOR_USERS = [function.account for function in FUNCTIONS if function.routes]
COUNT = 'resource.type = "cloud_run_revision" AND metric.type = "run.googleapis.com/request_count"'
SUM = {"alignmentPeriod": "60s", "perSeriesAligner": "ALIGN_DELTA", "crossSeriesReducer": "REDUCE_SUM"}


def queries(policy: str) -> list[tuple[str, Any]]:
    found = []
    for one in THRESHOLDS[policy]:
        (aggregation,) = one["aggregations"]
        found.append((one["filter"], aggregation))
        if "denominatorFilter" in one:
            (aggregation,) = one["denominatorAggregations"]
            found.append((one["denominatorFilter"], aggregation))
    return found


def watched(policy: str, label: str) -> list[str]:
    return [name for text, _ in queries(policy) for name in named(clauses(text)[f"resource.labels.{label}"])]


@pytest.mark.parametrize("policy", THRESHOLDS)
def test_a_threshold_is_on_a_metric_that_exists_and_is_put_together_as_it_may_be(policy: str) -> None:
    assert [fault for query in queries(policy) for fault in faults(*query, ALL_METRICS)] == []
    assert [fault for one in THRESHOLDS[policy] for fault in faults_of_duration(one["duration"])] == []


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        (COUNT.replace("count", "counts"), {}, "there is no metric run.googleapis.com/request_counts"),
        (COUNT.replace("cloud_run_revision", "uptime_url"), {}, "request_count is written for cloud_run_revision"),
        (f'{COUNT} AND metric.labels.code = "5xx"', {}, "request_count has no metric.code"),
        (COUNT, {"groupByFields": ["resource.label.service"]}, "request_count has no resource.service"),
        (COUNT, {"perSeriesAligner": "ALIGN_MAX"}, "ALIGN_MAX is not for DELTA INT64"),
        (COUNT, {"crossSeriesReducer": "REDUCE_COUNT_FALSE"}, "REDUCE_COUNT_FALSE makes no number of it"),
        (COUNT.replace("count", "latencies"), {}, "REDUCE_SUM makes no number of it"),
        (COUNT, {"alignmentPeriod": "90s"}, "alignmentPeriod is 90s, which is no whole number of minutes"),
    ],
)
def test_a_query_that_could_never_raise_an_alert_is_noticed(text: str, changes: Any, said: str) -> None:
    (fault,) = faults(text, {**SUM, **changes})
    assert fault.endswith(said)


def test_a_filter_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="not of the form"):
        clauses('resource.type = "cloud_run_revision" metric.type = "run.googleapis.com/request_count"')


@pytest.mark.parametrize("policy", ["server-errors", "latency", "turned-away"])
def test_every_function_that_users_call_is_watched(policy: str) -> None:
    # The names, because other services of the project are not this product's.
    assert {*watched(policy, "service_name")} == {*FOR_USERS}
    for _, aggregation in queries(policy):
        assert aggregation["groupByFields"] == ["resource.label.service_name"]


def test_every_function_that_receives_events_is_watched_by_what_waits_or_by_what_is_missing() -> None:
    receiving = {function.account: function for function in FUNCTIONS if function.topic}
    each_minute = {name for name, function in receiving.items() if function.topic == EVERY_MINUTE}
    assert {*watched("every-minute", "service_name")} == each_minute
    # A subscription has its function's name.
    assert {*watched("backlog", "subscription_id")} == receiving.keys() - each_minute


def test_what_waits_is_told_before_it_is_lost() -> None:
    subscribers = {function.account: function for function in FUNCTIONS}
    for one in THRESHOLDS["backlog"]:
        told = one["thresholdValue"] + int(one["duration"][:-1])
        names = named(clauses(one["filter"])["resource.labels.subscription_id"])
        assert {name: told for name in names if told >= kept_for(subscribers[name])} == {}


def test_slow_is_less_than_what_is_given_up() -> None:
    (slow,) = THRESHOLDS["latency"]
    assert slow["thresholdValue"] < 1000 * ANSWER_WITHIN


def test_few_requests_raise_no_alert_by_a_single_failure() -> None:
    (failing,) = THRESHOLDS["server-errors"]
    (aggregation,) = failing["aggregations"]
    windows = int(failing["duration"][:-1]) / int(aggregation["alignmentPeriod"][:-1])
    assert windows >= 2
    assert failing["evaluationMissingData"] == "EVALUATION_MISSING_DATA_INACTIVE"


def test_an_event_that_comes_back_until_it_is_a_dead_letter_is_no_backlog() -> None:
    (waiting, _) = THRESHOLDS["backlog"]
    retried = {function.account for function in FUNCTIONS if function.retry}
    assert {*named(clauses(waiting["filter"])["resource.labels.subscription_id"])} == retried
    # The pauses between deliveries are ten minutes at most, and the deliveries themselves are short.
    assert waiting["thresholdValue"] >= 60 * (60 + 120 + 240 + 480 + 600) / 60


def test_the_age_of_a_purge_that_raises_an_alert_is_exact() -> None:
    # Within a bucket, a percentile is only a guess.
    (late,) = THRESHOLDS["pending-purge"]
    bounds = FROM_LOG["nuumee_jobs_oldest_pending_purge"]["bucketOptions"]["explicitBuckets"]["bounds"]
    assert late["thresholdValue"] in bounds


def test_no_sweep_for_ten_minutes_and_no_count_for_an_hour_raise_an_alert() -> None:
    missing = {
        named(clauses(one["filter"])["resource.labels.service_name"])[0]: one for one in THRESHOLDS["every-minute"]
    }
    assert {name: one["duration"] for name, one in missing.items()} == {
        "sweep-purges": "600s",
        "count-views": "3600s",
    }
    for one in missing.values():
        assert (one["comparison"], one["thresholdValue"]) == ("COMPARISON_LT", 1)
        assert named(clauses(one["filter"])["metric.labels.response_code_class"]) == ["2xx"]
        # If no run succeeds, there may be points of zero, or no points at all.
        assert one["evaluationMissingData"] == "EVALUATION_MISSING_DATA_ACTIVE"
        # Each deploy creates a revision with its own counts, and those of the last one end.
        assert one["aggregations"][0]["crossSeriesReducer"] == "REDUCE_SUM"


@pytest.mark.parametrize("name", FROM_LOG)
def test_a_metric_from_the_log_is_as_cloud_logging_has_it_and_an_alert_reads_it(name: str) -> None:
    # https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.metrics
    metric = FROM_LOG[name]
    known = {"description", "filter", "metricDescriptor", "labelExtractors", "valueExtractor", "bucketOptions"}
    assert metric.keys() <= known
    ParseDict(metric["metricDescriptor"], MetricDescriptor())
    ParseDict(metric.get("bucketOptions", {}), Distribution.BucketOptions())
    assert re.fullmatch("[a-z_]{1,100}", name)
    assert FROM_THE_LOG + name in {metric_of(text) for policy in THRESHOLDS for text, _ in queries(policy)}


def test_a_metric_from_the_log_reads_a_field_that_is_logged() -> None:
    metric = FROM_LOG["nuumee_jobs_oldest_pending_purge"]
    (event,) = re.findall(r'jsonPayload.message="(\w+)"', metric["filter"])
    (field,) = re.findall(r"EXTRACT\(jsonPayload\.(\w+)\)", metric["valueExtractor"])
    assert [one.level for one in all_logged() if one.event == event and field in one.fields] == ["info"]


def test_the_labels_of_an_alert_on_the_log_are_read_from_its_lines() -> None:
    fields = {field for one in all_logged() for field in one.fields} | {"message", "message_id"}
    for policy, (log,) in conditions("conditionMatchedLog").items():
        assert len(POLICIES[policy]["conditions"]) == 1  # Cloud Monitoring takes no other beside it
        for extractor in log.get("labelExtractors", {}).values():
            (path,) = re.findall(r"EXTRACT\((.+)\)", extractor)
            assert path == "resource.labels.service_name" or path.removeprefix("jsonPayload.") in fields


def test_no_notice_is_for_each_job_or_message() -> None:
    # Each combination of labels is a rule of its own, with a notice an hour of its own:
    # https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#LogMatch
    few = {"EXTRACT(jsonPayload.message)", "EXTRACT(resource.labels.service_name)"}
    for (log,) in conditions("conditionMatchedLog").values():
        assert {*log.get("labelExtractors", {}).values()} <= few


def test_an_alert_on_several_events_says_which_of_them() -> None:
    logs = conditions("conditionMatchedLog")
    several = [policy for policy, events in watched_events().items() if len(events) > 1]
    assert several
    assert {logs[policy][0]["labelExtractors"]["event"] for policy in several} == {"EXTRACT(jsonPayload.message)"}


def test_the_checks_from_outside_ask_for_the_page_and_for_a_link_that_can_never_be() -> None:
    assert UPTIME["page"]["--path"] == "/jobs/"
    path = UPTIME["share"]["--path"].removeprefix("/public/video/")
    # Well formed, so Firestore is asked; longer than any id that is given out.
    assert is_short_id(path)
    assert len(path) > 16
    assert {one["--status-codes"] for one in UPTIME.values()} == {"200", "404"}
    assert {(one["--protocol"], one["--validate-ssl"]) for one in UPTIME.values()} == {("https", "true")}
