"""The project that is deployed to, and what a deployment's parts are called there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from infra.cloud.deployment import Deployment, Refused
from infra.cloud.gcloud import Denied, Gcloud, NoAnswer
from infra.functions import EVERY_MINUTE, TOPICS, Function, Role, Table
from shared.settings import dead_letters

LABEL = ("product", "nuumee-jobs")
"""Marks the services, subscriptions, topics and the secret of a deployment."""
LABEL_TEXT = "=".join(LABEL)
"""As gcloud's flags have it."""
DESCRIPTION = "Part of NuuMee Jobs"
"""Marks what has no labels: accounts and schedules."""
SIGNER = "url-signer"
"""The account whose permission signed URLs carry."""
PUSHER = "event-pusher"
"""The account in whose name Pub/Sub calls the functions that receive events."""
BUILDER = "image-builder"
"""The account that builds the functions' image."""
REPOSITORY = "nuumee-jobs"
"""Of images."""

_Found = TypeVar("_Found")


def is_labelled(labels: Mapping[str, str]) -> bool:
    """Whether these are labels of a part of a deployment."""
    key, value = LABEL
    return labels.get(key) == value


class Project:
    """Raises Refused if a topic or a bucket has two meanings."""

    def __init__(self, gcloud: Gcloud, deployment: Deployment, table: Table, root: Path) -> None:
        """`root` is the checkout."""
        self.gcloud = gcloud
        self.deployment = deployment
        self.table = table
        self.root = root
        self._unseen: set[str] = set()
        """The buckets that could not be looked at, as was told."""
        self.topics = {name: str(getattr(table if name == EVERY_MINUTE else deployment, name)) for name in TOPICS}
        """The topics' names, by what the table calls them."""
        if len(set(self.topics.values())) < len(self.topics):
            chosen = " and ".join(name.upper() for name in TOPICS if name != EVERY_MINUTE)
            raise Refused(f"{chosen} must be different topics, and none may be {table.every_minute_topic}")
        if len({*self.buckets.values()}) < len(self.buckets):
            raise Refused(f"{', '.join(map(str.upper, self.buckets))} must be different buckets")

    @cached_property
    def number(self) -> str:
        """Raises Failed, and NoAnswer if the project is not known."""
        described = ("projects", "describe", self.deployment.project)
        for _ in self.gcloud.attempts(f"gcloud {' '.join(described)} has an answer"):
            if answer := self.gcloud.read(*described, placeholder={"projectNumber": "PROJECT_NUMBER"}):
                return str(answer["projectNumber"])
        raise NoAnswer(f"there is no answer to gcloud {' '.join(described)}: run deploy.sh again later")

    @property
    def functions(self) -> tuple[Function, ...]:
        """Consumers of events before producers: what is sent can be received from the first event on."""

        def rank(function: Function) -> int:
            return 0 if function.retry else 1 if function.topic else 2

        return tuple(sorted(self.table.functions.values(), key=rank))

    @property
    def accounts(self) -> dict[str, str]:
        """The accounts that a deployment has, each with what it is for."""
        return {
            **{function.account: f"Function {function.name}" for function in self.table.functions.values()},
            **({} if self.deployment.keyless else {SIGNER: "Signs URLs of media"}),
            PUSHER: "Pushes events to functions",
            BUILDER: "Builds the functions' image",
        }

    @property
    def region(self) -> str:
        return f"--region={self.deployment.region}"

    @property
    def build_bucket(self) -> str:
        """Holds builds' sources and logs, and the records of releases."""
        return self.deployment.build_bucket or f"{self.deployment.project}-nuumee-build"

    @property
    def buckets(self) -> dict[str, str]:
        """All, by the settings that name them."""
        media = ("images_bucket", "videos_bucket", "outputs_bucket")
        return {**dict(zip(media, self.deployment.buckets, strict=True)), "build_bucket": self.build_bucket}

    def own_buckets(self) -> set[str]:
        """The names of all buckets that are the project's. Anybody may have taken one that the settings name:
        https://cloud.google.com/storage/docs/buckets#naming. Raises Failed.
        """
        return {bucket["name"] for bucket in self.gcloud.read("storage", "buckets", "list")}

    def seen_on(self, bucket: str, look: Callable[[str], Iterable[_Found]]) -> list[_Found]:
        """What `look` finds on one of them. Raises Failed.

        Whoever may not look at one that the settings do not name finds nothing there, and is told so once.
        """
        try:
            return list(look(bucket))
        except Denied:
            if bucket in self.buckets.values():
                raise
            if bucket not in self._unseen:
                self._unseen.add(bucket)
                what = f"whether a deployment left anything on gs://{bucket} is not known"
                print(f"deploy.sh: {what}: your account may not see it", file=sys.stderr)
            return []

    def email(self, account: str) -> str:
        return f"{account}@{self.deployment.project}.iam.gserviceaccount.com"

    def role_name(self, role: Role) -> str:
        """As policies have it: https://cloud.google.com/iam/docs/roles-overview#role-types"""
        is_custom = role.name in self.table.custom_roles
        return f"projects/{self.deployment.project}/roles/{role.name}" if is_custom else role.name

    @property
    def dead_letter_topics(self) -> list[str]:
        """Those of the topics whose events are finally kept. Each has a subscription of its own name."""
        return [dead_letters(self.topics[topic]) for topic in self.table.retried_topics]

    def topic_path(self, topic: str) -> str:
        return f"projects/{self.deployment.project}/topics/{topic}"
