"""What makes events happen and people hear: buckets' notifications, the schedule, and alerts."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from infra.cloud.channels import Channels
from infra.cloud.deployment import Refused
from infra.cloud.project import DESCRIPTION, Project

ALERT_PREFIX = "NuuMee Jobs: "
"""With which the names of all alerts begin."""
_POLICIES = ("alpha", "monitoring", "policies")
_BODY = "{}"
_NEW, _JSON = "OBJECT_FINALIZE", "JSON_API_V1"
_EVERY_MINUTE = "* * * * *"
_FROM_THE_LOG = "logging.googleapis.com/user/"
_METRICS_TAKE = 600.0
"""Seconds until a new metric from the log is known to alerts, as the error says that comes until then:
https://github.com/GoogleCloudPlatform/cloud-foundation-fabric/pull/3739
"""


@dataclass(frozen=True)
class Notification:
    """What a bucket tells a topic."""

    name: str
    """As gcloud takes it."""
    topic: str
    differs: bool
    """Whether it tells anything but each new object, with a payload of JSON."""

    @classmethod
    def of(cls, bucket: str, found: Mapping[str, Any]) -> Self:
        told = (
            found.get("event_types"),
            found.get("payload_format", _JSON),
            found.get("object_name_prefix") or None,
        )
        name = f"projects/_/buckets/{bucket}/notificationConfigs/{found['id']}"
        return cls(name, found["topic"].partition(".com/")[2], told != ([_NEW], _JSON, None))


class Watching:
    """Its methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._gcloud = project.gcloud
        self._deployment = project.deployment

    def notify(self) -> None:
        """Have the buckets tell of new objects, unless they do: with two configurations one sends two messages.
        One that differs is made anew, because Cloud Storage changes none:
        https://cloud.google.com/storage/docs/json_api/v1/notifications
        """
        group = ("storage", "buckets", "notifications")
        topic = self._project.topic_path(self._deployment.object_finalized_topic)
        for bucket in self._deployment.buckets:
            there = [one for one in self.notifications(bucket) if one.topic == topic]
            if all(one.differs for one in there):
                self._gcloud.run(
                    *(*group, "create", f"gs://{bucket}", f"--topic={topic}"),
                    *(f"--event-types={_NEW}", "--payload-format=json"),
                )
            for one in there:
                if one.differs:
                    self._gcloud.run(*group, "delete", one.name)

    def notifications(self, bucket: str) -> list[Notification]:
        """All of a bucket; none if there is no bucket."""
        listed = self._gcloud.find("storage", "buckets", "notifications", "list", f"gs://{bucket}") or []
        return [Notification.of(bucket, one["Notification Configuration"]) for one in listed]

    def look(self) -> None:
        """Raises Refused if a schedule of our name is somebody else's."""
        name = self._project.table.every_minute_topic
        there = self.schedules().get(name)
        if there and not self.is_ours(there):
            delete = f"scheduler jobs delete {name} --location={self._deployment.region}"
            raise Refused(
                f"the schedule {name} is another product's, because it has neither our description nor our topic. "
                f"If nobody needs it, delete it: {self._gcloud.typed(delete)}"
            )

    def is_ours(self, schedule: Mapping[str, Any]) -> bool:
        """Earlier versions gave it no description."""
        topic = self._project.topic_path(self._project.table.every_minute_topic)
        is_ours: bool = schedule.get("pubsubTarget", {}).get("topicName") == topic
        return is_ours or schedule.get("description") == DESCRIPTION

    def schedule(self) -> None:
        """After `look`."""
        topic = self._project.table.every_minute_topic
        path = self._project.topic_path(topic)
        there = self.schedules().get(topic)
        flags = (
            *(f"--location={self._deployment.region}", f"--schedule={_EVERY_MINUTE}"),
            *(f"--topic={path}", f"--message-body={_BODY}", f"--description={DESCRIPTION}"),
        )
        if there is None:
            self._gcloud.create("scheduler", "jobs", "create", "pubsub", topic, *flags)
            return
        target = there.get("pubsubTarget", {})
        differs = (
            there["schedule"] != _EVERY_MINUTE
            or target.get("topicName") != path
            or base64.b64decode(target.get("data", "")).decode() != _BODY
            or there.get("description") != DESCRIPTION
        )
        if differs:
            self._gcloud.run("scheduler", "jobs", "update", "pubsub", topic, *flags)
        if there.get("state") == "PAUSED":
            self._gcloud.run("scheduler", "jobs", "resume", topic, f"--location={self._deployment.region}")

    def schedules(self) -> dict[str, dict[str, Any]]:
        """All of the region's, by name."""
        listed = self._gcloud.find("scheduler", "jobs", "list", f"--location={self._deployment.region}") or []
        return {one["name"].rpartition("/")[2]: one for one in listed}

    def alert(self) -> None:
        """One policy for each file, known by its name: gcloud would make a second one of the same name. Raises
        NoAnswer.
        """
        channels = Channels(self._project).ensure()
        there = self.alerts()
        for file in self._alert_files():
            content = json.loads(file.read_text())
            policy = there.get(content["displayName"])
            run = self._running(content)
            from_file = f"--policy-from-file={file.relative_to(self._project.root)}"
            if policy is None:
                notified = [f"--notification-channels={','.join(channels)}"] if channels else []
                run(*_POLICIES, "create", from_file, *notified)
                continue
            there_channels = policy.get("notificationChannels", [])
            differs = not has(policy, content) or _labels(policy) != _labels(content)
            if differs or (channels and set(there_channels) != set(channels)):
                # A file takes the place of the whole policy, so its channels are named again.
                hear = ",".join(channels or there_channels)
                run(
                    *(*_POLICIES, "update", policy["name"], *((from_file,) if differs else ())),
                    *((f"--set-notification-channels={hear}",) if hear else ()),
                )

    def alerts(self) -> dict[str, dict[str, Any]]:
        """All policies of the project, by their names for people."""
        return {one["displayName"]: one for one in self._gcloud.find(*_POLICIES, "list") or ()}

    def alert_names(self) -> set[str]:
        """Of the policies that there should be."""
        return {json.loads(file.read_text())["displayName"] for file in self._alert_files()}

    def _running(self, policy: dict[str, Any]) -> Callable[..., None]:
        """How to run a command about a policy: only a metric of ours can be too new."""
        if _FROM_THE_LOG in json.dumps(policy["conditions"]):
            return partial(self._gcloud.run_once_known, patience=_METRICS_TAKE)
        return self._gcloud.run

    def _alert_files(self) -> list[Path]:
        return sorted((self._project.root / "infra/cloud/alerts").glob("*.json"))


def _labels(policy: Mapping[str, Any]) -> list[Any]:
    """What each condition reads from a log line. Google adds none, and one too many notifies more often."""
    return [one.get("conditionMatchedLog", {}).get("labelExtractors", {}) for one in policy.get("conditions", ())]


def has(there: Any, wanted: Any) -> bool:
    """Whether what is there says all that is wanted. Google adds to it, and leaves out zeros."""
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(has(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list) and wanted:
        return isinstance(there, list) and len(there) == len(wanted) and all(map(has, there, wanted))
    return bool(there == wanted) or (there is None and (not wanted or wanted == "0s"))
