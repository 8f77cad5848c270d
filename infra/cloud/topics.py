"""Topics, their dead letters, and the subscriptions that push events to the functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.cloud.deployment import Refused
from infra.cloud.project import LABEL, LABEL_TEXT, PUSHER, Project
from infra.functions import Function
from shared.settings import dead_letters

_LABELS = f"--labels={LABEL_TEXT}"
_MIN_DELAY, _MAX_DELAY = 60, 600
"""Seconds between two deliveries of an event that failed. 600 is the most that Pub/Sub allows."""
_SHORTEST = 600
"""Seconds that Pub/Sub keeps a message at least: https://cloud.google.com/pubsub/docs/subscription-properties"""
_GONE = "_deleted-topic_"
"""What Pub/Sub tells of a topic that was deleted: https://cloud.google.com/pubsub/docs/delete-topic"""
_WEEK = 7 * 86_400
_FORMAT = {"attributes", "pubsubWrapper"}
"""What Pub/Sub may add to how it pushes: the format that ours has by default.
https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions#pushconfig
"""


def kept_for(function: Function) -> int:
    """Seconds that an event waits for a function at most."""
    return _WEEK if function.retry else _SHORTEST


class Topics:
    """Its methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._gcloud = project.gcloud

    def look(self) -> None:
        """Raises Refused if a subscription of one of our names is another topic's: nothing would receive ours."""
        there = self.subscriptions()
        uploads = self._project.deployment.object_finalized_topic
        for name, topic in self.wanted().items():
            delete = self._gcloud.typed(f"pubsub subscriptions delete {name}")
            again = "sweeps ask again for deletions and restores"
            if topic in (uploads, dead_letters(uploads)):
                again = "infra.announce --send (docs/tools.md) tells of all uploads again, after that run"
            if name in there and there[name]["topic"] == _GONE:
                raise Refused(
                    f"the topic {topic} was deleted, so its subscription {name} receives nothing any more. What "
                    f"it holds is lost with it, but {again}. Delete it, and "
                    f"run deploy.sh again: {delete}"
                )
            if name in there and there[name]["topic"] != self._project.topic_path(topic):
                raise Refused(
                    f"the subscription {name} is of {there[name]['topic']} and should be of {topic}. What comes "
                    f"until the new one is there is lost, but {again}. Once it is empty, delete it, and run "
                    f"deploy.sh again: {delete}"
                )

    def make(self) -> None:
        """The topics, and what keeps their dead letters."""
        dead = self._project.dead_letter_topics
        there = {topic["name"] for topic in self._gcloud.read("pubsub", "topics", "list")}
        for topic in (*self._project.topics.values(), *dead):
            if self._project.topic_path(topic) not in there:
                self._gcloud.create("pubsub", "topics", "create", topic, _LABELS)
        subscriptions = self.subscriptions()
        deadline = self._project.table.dead_letters_ack_deadline
        for topic in dead:
            kept = (f"--message-retention-duration={_WEEK}s", "--expiration-period=never")
            flags = (f"--ack-deadline={deadline}", *kept)
            wanted = {
                "ackDeadlineSeconds": deadline,
                "messageRetentionDuration": f"{_WEEK}s",
                "expirationPolicy": {},
            }
            self._bring_about(topic, topic, flags, wanted, subscriptions.get(topic))

    def push(self, addresses: Mapping[str, str]) -> None:
        """After `look`: have each background function receive its topic's events at its service's address."""
        subscriptions = self.subscriptions()
        for function in self._project.functions:
            if function.topic:
                self._push(function, addresses[function.account], subscriptions.get(function.account))

    def wanted(self) -> dict[str, str]:
        """The subscriptions that there should be, each with its topic."""
        pushed = {one.account: self._project.topics[one.topic] for one in self._project.functions if one.topic}
        return {**pushed, **{topic: topic for topic in self._project.dead_letter_topics}}

    def subscriptions(self) -> dict[str, dict[str, Any]]:
        """All of the project's, by name."""
        listed = self._gcloud.read("pubsub", "subscriptions", "list")
        return {one["name"].rpartition("/")[2]: one for one in listed}

    def push_flags(self, address: str, audience: str, topic: str) -> tuple[str, ...]:
        """The event's source is the topic in the path. The audience is the service's own address, even if one of
        its revisions is called: https://cloud.google.com/run/docs/configuring/custom-audiences
        """
        return (
            f"--push-endpoint={address}/{self._project.topic_path(topic)}",
            f"--push-auth-service-account={self._project.email(PUSHER)}",
            f"--push-auth-token-audience={audience}",
        )

    def _push(self, function: Function, address: str, there: dict[str, Any] | None) -> None:
        topic = self._project.topics[function.topic or ""]
        deadline, kept = self._project.table.ack_deadline, kept_for(function)
        flags = [
            *self.push_flags(address, address, topic),
            *(
                f"--ack-deadline={deadline}",
                f"--min-retry-delay={_MIN_DELAY}s",
                f"--max-retry-delay={_MAX_DELAY}s",
            ),
            *(f"--message-retention-duration={kept}s", "--expiration-period=never"),
        ]
        wanted: dict[str, Any] = {
            "pushConfig": {
                "pushEndpoint": f"{address}/{self._project.topic_path(topic)}",
                "oidcToken": {"serviceAccountEmail": self._project.email(PUSHER), "audience": address},
            },
            "ackDeadlineSeconds": deadline,
            "retryPolicy": {"minimumBackoff": f"{_MIN_DELAY}s", "maximumBackoff": f"{_MAX_DELAY}s"},
            "messageRetentionDuration": f"{kept}s",
            "expirationPolicy": {},
        }
        wanted["deadLetterPolicy"] = None
        if function.retry:
            dead, attempts = dead_letters(topic), self._project.table.attempts
            flags += [f"--dead-letter-topic={dead}", f"--max-delivery-attempts={attempts}"]
            wanted["deadLetterPolicy"] = {
                "deadLetterTopic": self._project.topic_path(dead),
                "maxDeliveryAttempts": attempts,
            }
        self._bring_about(function.account, topic, tuple(flags), wanted, there)

    def _bring_about(
        self,
        name: str,
        topic: str,
        flags: tuple[str, ...],
        wanted: Mapping[str, Any],
        there: dict[str, Any] | None,
    ) -> None:
        if there is None:
            created = ("pubsub", "subscriptions", "create", name, f"--topic={topic}")
            self._gcloud.create(*created, *flags, _LABELS)
            return
        wanted = {**wanted, "labels": {**there.get("labels", {}), LABEL[0]: LABEL[1]}}
        pushed = {key: value for key, value in there.get("pushConfig", {}).items() if key not in _FORMAT}
        found = {**there, "pushConfig": pushed}
        if any(found.get(key) != value for key, value in wanted.items()):
            kept = wanted.get("deadLetterPolicy") or not there.get("deadLetterPolicy")
            cleared = () if kept else ("--clear-dead-letter-policy",)
            self._gcloud.run(
                "pubsub", "subscriptions", "update", name, *flags, *cleared, f"--update-labels={LABEL_TEXT}"
            )
