"""The functions as services of Cloud Run: what each should be, and what is there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from infra.cloud.access import SECRET
from infra.cloud.commit import Stamp
from infra.cloud.deployment import Deployment, Refused
from infra.cloud.gcloud import Mode
from infra.cloud.project import LABEL, LABEL_TEXT, Project, is_labelled
from infra.functions import Function
from shared.settings import Settings

TAG = "candidate"
"""Names a revision that gets no requests but those to an address of its own:
https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration#tags
"""
_KNOWN = {one.name for one in fields(Settings)} - {"project"} | {"signing"}
_SETTINGS_OF_FUNCTIONS = tuple(one.name for one in fields(Deployment) if one.name in _KNOWN)
_ANNOTATION = "run.googleapis.com"


@dataclass(frozen=True)
class Service:
    """A service as Cloud Run describes it: https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services"""

    name: str
    url: str
    ingress: str = ""
    is_open: bool = False
    """Whether whoever reaches it may call it, without a role."""
    ready: str = ""
    """The latest revision that could start."""
    traffic: Mapping[str, int] = field(default_factory=dict)
    """The percentage of requests that each revision gets."""
    candidate: str | None = None
    """The revision that is tagged."""
    candidate_url: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
    """The email of the account that it runs as."""
    region: str = ""

    @property
    def is_marked(self) -> bool:
        return is_labelled(self.labels)

    @property
    def serving(self) -> str | None:
        """The revision that gets all requests."""
        return next(iter(self.traffic)) if len(self.traffic) == 1 else None

    def address_of(self, revision: str) -> str:
        return self.candidate_url if revision == self.candidate else self.url

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        about, status = found["metadata"], found.get("status", {})
        annotations, labels = about.get("annotations", {}), about.get("labels", {})
        entries = status.get("traffic", ())
        tagged: Mapping[str, Any] = next((one for one in entries if one.get("tag") == TAG), {})
        return cls(
            about["name"],
            status.get("url", ""),
            annotations.get(f"{_ANNOTATION}/ingress", "all"),
            annotations.get(f"{_ANNOTATION}/invoker-iam-disabled") == "true",
            status.get("latestReadyRevisionName", ""),
            {one["revisionName"]: one["percent"] for one in entries if one.get("percent")},
            tagged.get("revisionName"),
            tagged.get("url", ""),
            labels,
            found["spec"]["template"]["spec"].get("serviceAccountName", ""),
            labels.get("cloud.googleapis.com/location", ""),
        )


class Services:
    """Its methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._gcloud = project.gcloud
        self._names = {function.account for function in project.functions}

    def look(self) -> None:
        """Raises Refused if a service of one of our names is somebody else's, or ours are in another region too:
        there they would go on answering, with old code.
        """
        here = self._listed(self._project.region)
        if away := self._away():
            elsewhere = _regions(away)
            where = f"services of this product are in {', '.join(elsewhere)} too, and would go on answering there"
            if any(map(self._is_ours, here)):
                # All but the services is the whole project's, so nothing else of theirs may go.
                commands = "\n".join(
                    self._gcloud.typed(f"run services delete {service.name} --region={service.region}")
                    for service in away
                )
                raise Refused(f"{where}, with old code. Delete them:\n{commands}")
            raise Refused(
                f"{where}, with old code. Run ./deploy.sh destroy --region={elsewhere[0]}, which leaves Firestore "
                "and buckets with objects, then this again, then ./deploy.sh page, and then python -m "
                "infra.announce --send for what is uploaded meanwhile"
            )
        for service in here:
            if service.name in self._names and not self._is_ours(service):
                update = f"run services update {service.name} {self._project.region} --update-labels={LABEL_TEXT}"
                raise Refused(
                    f"the service {service.name} may be another product's, because it has no label {LABEL_TEXT} "
                    f"and does not run as {self._project.email(service.name)}. If so, deploy into another "
                    f"project. If not: {self._gcloud.typed(update)}"
                )

    def elsewhere(self) -> list[str]:
        """The other regions in which there are services of ours."""
        return _regions(self._away())

    def there(self) -> dict[str, Service]:
        """Ours in the region, by name; in a dry run all, with placeholders."""
        listed = self._listed(self._project.region)
        if self._gcloud.mode is Mode.DRY_RUN:
            return {function.account: _placeholder(function.account) for function in self._project.functions}
        return {service.name: service for service in listed if self._is_ours(service)}

    def revisions(self) -> dict[str, dict[str, str]]:
        """The names of all revisions, those without requests among them, each with its variables."""
        listed = self._gcloud.read("run", "revisions", "list", self._project.region)
        return {one["metadata"]["name"]: _variables(one) for one in listed}

    def prefix(self, function: Function, image: str, key_version: str) -> str:
        """What names of revisions begin with. It differs if the function must run differently.

        Instances read a secret at their start, so a new key takes a new revision:
        https://cloud.google.com/run/docs/configuring/services/secrets
        """
        words = [*self._running(function, image), key_version if function.signs else ""]
        fingerprint = hashlib.sha256(json.dumps(words).encode()).hexdigest()[:10]
        return f"{function.account}-{fingerprint}-"

    def deploy(self, function: Function, image: str, revision: str, stamp: Stamp, *, is_new: bool) -> None:
        """Make a revision without traffic, unless it is the service's first, which always has it."""
        name, email = function.account, self._project.email(function.account)
        labels = ",".join(f"{key}={value}" for key, value in (LABEL, *stamp.labels.items()))
        self._gcloud.run_once_known(
            *("run", "deploy", name, self._project.region, *self._running(function, image, str(stamp))),
            *(f"--service-account={email}", *self._callers(function), f"--labels={labels}"),
            *(f"--revision-suffix={revision.removeprefix(f'{name}-')}", f"--tag={TAG}"),
            *(() if is_new else ("--no-traffic",)),
        )

    def settle(self, function: Function, service: Service) -> None:
        """Give a service whose revision stays as it is the callers that it should have."""
        if (service.ingress, service.is_open) != (self.ingress(function), not function.topic):
            callers = [word for word in self._callers(function) if word != "--no-allow-unauthenticated"]
            self._gcloud.run("run", "services", "update", function.account, self._project.region, *callers)

    def ingress(self, function: Function) -> str:
        """Which networks reach it: https://cloud.google.com/run/docs/securing/ingress"""
        if function.topic:
            return "internal"
        # Behind a load balancer nobody may go round it: they could write X-Forwarded-For themselves.
        behind = function.public and self._project.deployment.forwarded_hops == "2"
        return "internal-and-cloud-load-balancing" if behind else "all"

    def _away(self) -> list[Service]:
        """Ours in other regions."""
        region = self._project.deployment.region
        return [service for service in self._listed() if self._is_ours(service) and service.region != region]

    def _listed(self, *region: str) -> list[Service]:
        """Those of all regions unless one is named."""
        return [*map(Service.of, self._gcloud.read("run", "services", "list", *region))]

    def _is_ours(self, service: Service) -> bool:
        """Earlier versions gave it no label."""
        runs_as_ours = service.name in self._names and service.account == self._project.email(service.name)
        return service.is_marked or runs_as_ours

    def _callers(self, function: Function) -> tuple[str, ...]:
        """Functions with routes verify their caller's token themselves, or want none, so no role is needed to call
        them. That also holds where a policy forbids roles for everybody:
        https://cloud.google.com/run/docs/securing/managing-access#invoker_check
        """
        ingress = f"--ingress={self.ingress(function)}"
        if function.topic:
            return (ingress, "--invoker-iam-check", "--no-allow-unauthenticated")
        return (ingress, "--no-invoker-iam-check")

    def _running(self, function: Function, image: str, stamp: str = "") -> tuple[str, ...]:
        """What runs. gen2 has the system-call filter without which uploads are not decoded."""
        deployment = self._project.deployment
        variables = {
            "FUNCTION_TARGET": function.name,
            "FUNCTION_SIGNATURE_TYPE": "cloudevent" if function.topic else "http",
            "GOOGLE_CLOUD_PROJECT": deployment.project,
            **{name.upper(): getattr(deployment, name) for name in _SETTINGS_OF_FUNCTIONS},
            **function.server,
            **({"RELEASE": stamp} if stamp else {}),
        }
        # The origins hold commas, so @ separates the variables: see gcloud topic escaping.
        environment = "^@^" + "@".join(f"{name}={value}" for name, value in variables.items())
        signs = function.signs and not deployment.keyless
        return (
            *(f"--image={image}", "--execution-environment=gen2", f"--memory={function.memory}"),
            *(f"--cpu={function.cpu}", f"--concurrency={function.concurrency}", f"--timeout={function.timeout}s"),
            *(f"--max-instances={deployment.max_instances}", f"--set-env-vars={environment}"),
            f"--set-secrets=SIGNING_KEY={SECRET}:latest" if signs else "--clear-secrets",
        )


def _regions(services: list[Service]) -> list[str]:
    return sorted({service.region for service in services})


def _variables(revision: Mapping[str, Any]) -> dict[str, str]:
    """Without secrets: https://cloud.google.com/run/docs/reference/rest/v1/namespaces.revisions"""
    # Others' services are listed too, and may have several containers.
    variables = (one for container in revision["spec"].get("containers", ()) for one in container.get("env", ()))
    return {one["name"]: one.get("value", "") for one in variables}


def _placeholder(name: str) -> Service:
    """What a dry run takes for a service with its first revision."""
    url = f"URL_OF_{name}"
    return Service(name, f"https://{url}", candidate=f"{name}-REVISION", candidate_url=f"https://{TAG}---{url}")
