"""What a deployment leaves behind: parts that are no longer in the data, or all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from infra.cloud.access import SECRET, Access, Binding
from infra.cloud.budget import Budget
from infra.cloud.channels import Channels
from infra.cloud.gcloud import Failed
from infra.cloud.measuring import CHECK_PREFIX, METRIC_PREFIX, Measuring
from infra.cloud.project import DESCRIPTION, REPOSITORY, Project, is_labelled
from infra.cloud.roles import Roles
from infra.cloud.services import Services
from infra.cloud.signing import KeyInSecret
from infra.cloud.smoke import PROBES
from infra.cloud.topics import Topics
from infra.cloud.watching import ALERT_PREFIX, Watching


@dataclass(frozen=True)
class Leftover:
    what: str
    remove: Callable[[], None]


class Removal:
    """Its methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._gcloud = project.gcloud
        self._location = f"--location={project.deployment.region}"
        self._watching = Watching(project)
        self._measuring = Measuring(project)
        self._alert_channels = Channels(project)
        self._topics = Topics(project)
        self._access = Access(project)

    def leftovers(self, *, everything: bool = False) -> list[Leftover]:
        """What is a deployment's and is no longer in the data; or `everything` that a deployment made and that can
        be made anew. What sends comes before what receives. Databases are never among it.
        """
        found = [*self._schedules(everything), *self._notifications(everything), *self._alerts(everything)]
        found += [*self._channels(everything), *self._measures(everything), *self._budgets(everything)]
        found += [*self._subscriptions(everything), *self._services(everything)]
        if everything:
            return [*found, *self._foundation()]
        found += [*self._topics_there(everything), *map(self._binding, self._access.surplus())]
        return [*found, *self._roles(everything), *self._accounts(everything)]

    def _schedules(self, everything: bool) -> Iterator[Leftover]:
        for name, job in self._watching.schedules().items():
            wanted = name == self._project.table.every_minute_topic
            is_ours = self._watching.is_ours(job) if wanted else job.get("description") == DESCRIPTION
            if is_ours and (everything or not wanted):
                yield self._command(f"schedule {name}", "scheduler", "jobs", "delete", name, self._location)

    def _notifications(self, everything: bool) -> Iterator[Leftover]:
        """Of a deployment are those of its own buckets, to topics that it made and to the one there should be. Of
        buckets that are not in the settings, or no longer, they are those to topics that it made.
        """
        listed = self._gcloud.read("pubsub", "topics", "list")
        ours = {topic["name"] for topic in listed if is_labelled(topic.get("labels", {}))}
        wanted = {self._project.topic_path(self._project.deployment.object_finalized_topic)}
        going = ours | wanted if everything else ours - wanted
        for bucket in sorted(self._project.own_buckets()):
            for one in self._project.seen_on(bucket, self._watching.notifications):
                if one.topic in (going if bucket in self._project.deployment.buckets else ours):
                    what = f"notification of gs://{bucket} to {one.topic}"
                    yield self._command(what, "storage", "buckets", "notifications", "delete", one.name)

    def _alerts(self, everything: bool) -> Iterator[Leftover]:
        wanted = self._watching.alert_names()
        for name, policy in self._watching.alerts().items():
            if name.startswith(ALERT_PREFIX) and (everything or name not in wanted):
                yield self._command(f"alert {name}", "alpha", "monitoring", "policies", "delete", policy["name"])

    def _channels(self, everything: bool) -> Iterator[Leftover]:
        """After the alerts. With --force it goes even if somebody else's alert names it."""
        for name, channel in self._alert_channels.there():
            if everything or name not in self._alert_channels.wanted():
                deleting = ("beta", "monitoring", "channels", "delete", channel, "--force")
                yield self._command(f"notification channel {name}", *deleting)

    def _measures(self, everything: bool) -> Iterator[Leftover]:
        measuring = self._measuring
        for name, check in measuring.checks().items():
            if name.startswith(CHECK_PREFIX) and (everything or name not in measuring.check_names()):
                yield self._command(f"uptime check {name}", "monitoring", "uptime", "delete", check["name"])
        if everything and (dashboard := measuring.dashboard()):
            what = f"dashboard {dashboard['displayName']}"
            yield self._command(what, "monitoring", "dashboards", "delete", dashboard["name"])
        for name in measuring.metrics():
            if name.startswith(METRIC_PREFIX) and (everything or name not in measuring.metric_names()):
                yield self._command(f"metric {name}", "logging", "metrics", "delete", name)

    def _budgets(self, everything: bool) -> Iterator[Leftover]:
        if everything or not self._project.deployment.has_budget:
            for name in Budget(self._project).there():
                yield self._command(f"budget {name}", "billing", "budgets", "delete", name)

    def _subscriptions(self, everything: bool) -> Iterator[Leftover]:
        wanted = self._topics.wanted()
        for name, subscription in self._topics.subscriptions().items():
            if is_labelled(subscription.get("labels", {})) and (everything or name not in wanted):
                yield self._command(f"subscription {name}", "pubsub", "subscriptions", "delete", name)

    def _topics_there(self, everything: bool) -> Iterator[Leftover]:
        wanted = {*self._project.topics.values(), *self._project.dead_letter_topics, PROBES}
        for topic in self._gcloud.read("pubsub", "topics", "list"):
            name = topic["name"].rpartition("/")[2]
            if is_labelled(topic.get("labels", {})) and (everything or name not in wanted):
                yield self._command(f"topic {name}", "pubsub", "topics", "delete", name)

    def _accounts(self, everything: bool) -> Iterator[Leftover]:
        """After the bindings, which would stay, and name nobody any more."""
        wanted = set(map(self._project.email, self._project.accounts))
        for account in self._gcloud.read("iam", "service-accounts", "list"):
            email = account["email"]
            if account.get("description") == DESCRIPTION and (everything or email not in wanted):
                yield self._command(f"account {email}", "iam", "service-accounts", "delete", email)

    def _services(self, everything: bool) -> Iterator[Leftover]:
        wanted = {function.account for function in self._project.functions}
        for name, service in Services(self._project).there().items():
            if everything or (service.is_marked and name not in wanted):
                yield self._command(f"service {name}", "run", "services", "delete", name, self._project.region)

    def _binding(self, binding: Binding) -> Leftover:
        condition = f" under {binding.condition}" if binding.condition not in (None, "None") else ""
        what = f"role {binding.role} of {binding.member} on {binding.on.name}{condition}"
        return Leftover(what, lambda: self._access.revoke(binding))

    def _roles(self, everything: bool) -> Iterator[Leftover]:
        """After the bindings: those of a role that is deleted stay, without an effect."""
        for role in sorted(Roles(self._project).there()):
            if everything or role not in self._project.table.custom_roles:
                yield self._command(f"the project's role {role}", "iam", "roles", "delete", role)

    def _foundation(self) -> Iterator[Leftover]:
        # Those on what goes anyway go with it.
        yield from map(self._binding, self._access.held())
        yield from self._roles(everything=True)
        yield from self._topics_there(everything=True)
        signing = KeyInSecret(self._project)
        for key in signing.hmac_keys():
            access_id = key["accessId"]
            yield Leftover(f"HMAC key {access_id}", partial(signing.delete_key, access_id))
        if signing.is_ours():
            yield self._command(f"secret {SECRET}", "secrets", "delete", SECRET)
        if self._gcloud.find("artifacts", "repositories", "describe", REPOSITORY, self._location):
            deleting = ("artifacts", "repositories", "delete", REPOSITORY, self._location)
            yield self._command(f"images in {REPOSITORY}", *deleting)
        yield from self._accounts(everything=True)
        own = self._project.own_buckets()
        for bucket in self._project.buckets.values():
            if bucket in own and self._is_empty(bucket):
                yield self._command(f"empty bucket {bucket}", "storage", "buckets", "delete", f"gs://{bucket}")

    def _is_empty(self, bucket: str) -> bool:
        """Older generations count, and so do soft-deleted ones, which users may restore: they would be lost with a
        new bucket of the same name. https://cloud.google.com/storage/docs/use-soft-deleted-buckets
        """
        listing = ("storage", "objects", "list", f"gs://{bucket}/**", "--limit=1", "--exhaustive")
        return not self._gcloud.find(*listing) and not self._gcloud.find(*listing, "--soft-deleted")

    def _command(self, what: str, *words: str) -> Leftover:
        return Leftover(what, lambda: self._gcloud.run(*words))


def remove(leftovers: list[Leftover]) -> list[str]:
    """Remove as much as can be, and return what could not."""
    failed = []
    for leftover in leftovers:
        try:
            leftover.remove()
        except Failed:
            failed.append(leftover.what)
    return failed
