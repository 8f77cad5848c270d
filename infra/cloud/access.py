"""Who may what: the accounts of a deployment, and their roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from infra.cloud.deployment import Refused
from infra.cloud.project import BUILDER, DESCRIPTION, PUSHER, SIGNER, Project
from infra.functions import Function, Role
from shared.jobs.job import PictureKind
from shared.settings import dead_letters

SECRET = "url-signing-key"  # noqa: S105 - its name
_SIGN_AS_ITSELF = "roles/iam.serviceAccountTokenCreator"
_PICTURES_ONLY = "title=pictures,expression=" + "||".join(
    f'resource.name.endsWith("/{kind.object_name}")' for kind in PictureKind
)
"""What decodes uploads writes pictures alone: https://cloud.google.com/iam/docs/conditions-resource-attributes"""


@dataclass(frozen=True)
class Resource:
    group: tuple[str, ...]
    """The words before `get-iam-policy`."""
    name: str
    more: tuple[str, ...] = ()
    """Further flags that name it."""
    has_conditions: bool = False
    """Whether gcloud must be told of each binding's condition."""


@dataclass(frozen=True)
class Binding:
    on: Resource
    member: str
    role: str
    condition: str | None = None
    """As gcloud takes it."""

    @property
    def flags(self) -> tuple[str, ...]:
        conditional = (f"--condition={self.condition}",) if self.on.has_conditions else ()
        return (f"--member={self.member}", f"--role={self.role}", "--format=none", *conditional)


class Access:
    """Its methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._gcloud = project.gcloud

    def look(self) -> None:
        """Raises Refused if an account of one of our names is somebody else's."""
        ours = {self._project.email(account) for account in self._project.accounts}
        for one in self._gcloud.read("iam", "service-accounts", "list"):
            email, description = one["email"], one.get("description")
            if email in ours and description and description != DESCRIPTION:
                update = f"iam service-accounts update {email} --description={DESCRIPTION!r}"
                raise Refused(
                    f"the account {email} may be another product's, because its description is {description!r}. "
                    f"If it is not: {self._gcloud.typed(update)}"
                )

    def make_accounts(self) -> set[str]:
        """After `look`. Accounts that earlier versions made have no description. Returns the names of those that
        were missing.
        """
        accounts = ("iam", "service-accounts")
        there = {one["email"]: one.get("description") for one in self._gcloud.read(*accounts, "list")}
        mark = f"--description={DESCRIPTION}"
        missing = set()
        for account, what in self._project.accounts.items():
            email = self._project.email(account)
            if email not in there:
                self._gcloud.create(*accounts, "create", account, f"--display-name={what}", mark)
                missing.add(account)
            elif there[email] != DESCRIPTION:
                self._gcloud.run(*accounts, "update", email, mark)
        return missing

    def grant(self, bindings: Iterable[Binding]) -> None:
        """Make those that are missing."""
        wanted = list(bindings)
        for resource in dict.fromkeys(binding.on for binding in wanted):
            there = set(self.bindings_on(resource))
            for binding in wanted:
                if binding.on == resource and binding not in there:
                    self._gcloud.run_once_known(
                        *(*resource.group, "add-iam-policy-binding", resource.name, *resource.more),
                        *binding.flags,
                    )

    def revoke(self, binding: Binding) -> None:
        self._gcloud.run(
            *(*binding.on.group, "remove-iam-policy-binding", binding.on.name, *binding.on.more), *binding.flags
        )

    def bindings_on(self, resource: Resource) -> Iterator[Binding]:
        policy = self._gcloud.find(*resource.group, "get-iam-policy", resource.name, *resource.more) or {}
        for one in policy.get("bindings", ()):
            for member in one["members"]:
                yield Binding(resource, member, one["role"], _condition(one.get("condition"), resource))

    def of_functions(self) -> Iterator[Binding]:
        """What the functions' accounts may do, except that they may be called."""
        for function in self._project.functions:
            for role in function.roles:
                for resource, condition in self._places(role):
                    yield self._binding(resource, function.account, self._project.role_name(role), condition)
        signing = [function for function in self._project.functions if function.signs]
        if self._project.deployment.keyless:
            yield from map(self._signing_as_itself, signing)
            return
        for function in signing:
            yield self._binding(self._secret, function.account, "roles/secretmanager.secretAccessor")
        for bucket in self._project.deployment.buckets:
            # Unlike objectViewer, this role lists no names.
            yield self._binding(_bucket(bucket), SIGNER, "roles/storage.legacyObjectReader")

    def of_the_builder(self) -> Binding:
        """https://cloud.google.com/build/docs/securing-builds/configure-user-specified-service-accounts"""
        return self._binding(self._whole, BUILDER, "roles/cloudbuild.builds.builder")

    def of_the_pusher(self, functions: Iterable[Function]) -> Iterator[Binding]:
        """Pub/Sub alone may call the functions that receive events."""
        for function in functions:
            if function.topic:
                resource = Resource(("run", "services"), function.account, (self._project.region,))
                yield self._binding(resource, PUSHER, "roles/run.invoker")

    def of_dead_letters(self) -> Iterator[Binding]:
        """It is Pub/Sub that moves a dead letter: https://cloud.google.com/pubsub/docs/handling-failures"""
        agent = f"serviceAccount:service-{self._project.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
        for function in self._project.functions:
            if function.retry and function.topic:
                dead = dead_letters(self._project.topics[function.topic])
                yield Binding(_topic(dead), agent, "roles/pubsub.publisher")
                yield Binding(_subscription(function.account), agent, "roles/pubsub.subscriber")

    def let_buckets_tell(self) -> None:
        """Cloud Storage's own account publishes what buckets tell, and a topic that was made anew knows no roles.
        Asking for that account makes it: https://cloud.google.com/storage/docs/projects#service-agents
        """
        agent = f"serviceAccount:service-{self._project.number}@gs-project-accounts.iam.gserviceaccount.com"
        topic = _topic(self._project.deployment.object_finalized_topic)
        wanted = Binding(topic, agent, "roles/pubsub.publisher")
        if wanted not in self.bindings_on(topic):
            self._gcloud.create("storage", "service-agent")
            self.grant([wanted])

    def forbid_signing_as_itself(self) -> None:
        """Take away what SIGNING=keyless grants, and earlier versions did, under whatever conditions."""
        for function in self._project.functions:
            if function.signs and not self._project.deployment.keyless:
                wanted = self._signing_as_itself(function)
                there = self.bindings_on(wanted.on)
                if any((one.member, one.role) == (wanted.member, wanted.role) for one in there):
                    self._gcloud.run(
                        *("iam", "service-accounts", "remove-iam-policy-binding", wanted.on.name),
                        *(*wanted.flags[:3], "--all"),
                    )

    def may_sign_as_itself(self) -> bool:
        """Whether each function that signs has the role of SIGNING=keyless."""
        bindings = map(self._signing_as_itself, (one for one in self._project.functions if one.signs))
        return all(binding in self.bindings_on(binding.on) for binding in bindings)

    def wanted(self) -> set[Binding]:
        pushed = self.of_the_pusher(self._project.functions)
        return {*self.of_functions(), self.of_the_builder(), *pushed, *self.of_dead_letters()}

    def surplus(self) -> list[Binding]:
        """Those of a deployment's accounts that are no longer in the data, on the resources that are and on the
        project's own buckets, which earlier settings may have named.
        """
        wanted = self.wanted()
        return [one for one in self._ours({binding.on for binding in wanted}) if one not in wanted]

    def held(self) -> list[Binding]:
        """All of a deployment's accounts on the project and on its own buckets."""
        return self._ours({self._whole})

    def _ours(self, resources: set[Resource]) -> list[Binding]:
        """All of a deployment's accounts on these resources and on the project's own buckets."""
        listed = self._gcloud.read("iam", "service-accounts", "list")
        ours = {f"serviceAccount:{one['email']}" for one in listed if one.get("description") == DESCRIPTION}
        own = sorted(self._project.own_buckets())
        others = resources.difference(map(_bucket, own))
        there = [binding for resource in sorted(others, key=str) for binding in self.bindings_on(resource)]
        for bucket in own:
            there += self._project.seen_on(bucket, lambda name: self.bindings_on(_bucket(name)))
        return [binding for binding in there if binding.member in ours]

    def _binding(self, on: Resource, account: str, role: str, condition: str | None = None) -> Binding:
        return Binding(on, f"serviceAccount:{self._project.email(account)}", role, condition or _no(on))

    def _signing_as_itself(self, function: Function) -> Binding:
        itself = Resource(("iam", "service-accounts"), self._project.email(function.account), has_conditions=True)
        return self._binding(itself, function.account, _SIGN_AS_ITSELF)

    @property
    def _whole(self) -> Resource:
        return Resource(("projects",), self._project.deployment.project, has_conditions=True)

    @property
    def _secret(self) -> Resource:
        return Resource(("secrets",), SECRET, has_conditions=True)

    def _places(self, role: Role) -> Iterator[tuple[Resource, str | None]]:
        """The resources that the table means, each with a condition."""
        deployment = self._project.deployment
        match role.on:
            case "project":
                yield self._whole, None
            case "dead-letters":
                for topic in self._project.dead_letter_topics:
                    yield _subscription(topic), None
            case "outputs":
                yield _bucket(deployment.outputs_bucket), None
            case "buckets" | "pictures":
                for bucket in deployment.buckets:
                    yield _bucket(bucket), _PICTURES_ONLY if role.on == "pictures" else None
            case topic:
                yield _topic(self._project.topics[topic]), None


def _bucket(name: str) -> Resource:
    return Resource(("storage", "buckets"), f"gs://{name}", has_conditions=True)


def _topic(name: str) -> Resource:
    return Resource(("pubsub", "topics"), name)


def _subscription(name: str) -> Resource:
    return Resource(("pubsub", "subscriptions"), name)


def _no(on: Resource) -> str | None:
    return "None" if on.has_conditions else None


def _condition(found: dict[str, Any] | None, on: Resource) -> str | None:
    return f"title={found['title']},expression={found['expression']}" if found else _no(on)
