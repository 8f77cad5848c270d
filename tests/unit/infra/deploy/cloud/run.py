"""Builds, images, and services with their revisions; and what they answer."""

from __future__ import annotations

import json
from typing import Any

from infra.cloud.fetch import Answer, Request
from infra.functions import table
from tests.unit.infra.deploy.cloud.command import AlreadyThere, Command, only
from tests.unit.infra.deploy.cloud.firebase import Firebase, as_json

PUBLIC = {function.account for function in table().functions.values() if function.public}
_RUN = "run.googleapis.com"
LOCATION = "cloud.googleapis.com/location"
PROBLEM = "application/problem+json"


class Run(Firebase):
    def __init__(self) -> None:
        super().__init__()
        self.repository: dict[str, Any] | None = None
        self.images: dict[str, str] = {}
        """Digests by tag."""
        self.services: dict[str, dict[str, Any]] = {}
        self.variables: dict[str, list[dict[str, Any]]] = {}
        """What each revision gets, the key among it, without what differs in each run."""
        self.broken: set[str] = set()
        """Services whose latest revision answers nothing properly."""
        self.late = 0
        """How often a new revision answers like Google's front end that does not know it."""
        self.logs: list[dict[str, Any]] = []
        self.requests: list[Request] = []
        self.rules: list[dict[str, str]] | None = None
        """The released files."""
        self.other_rules: dict[str, list[dict[str, str]]] = {}
        """Those of other releases than Firestore's, by their names. A page lists one of them."""
        self.rulesets: list[list[dict[str, str]]] = []

    def on_artifacts_repositories_describe(self, command: Command) -> Any:
        return only(self.repository)

    def on_artifacts_repositories_create(self, command: Command) -> None:
        self.repository = {"name": command.named[0], "format": "DOCKER"}

    def on_artifacts_repositories_set_cleanup_policies(self, command: Command) -> None:
        assert self.repository
        self.repository["cleanupPolicies"] = {"delete-old": {}}

    def on_artifacts_repositories_delete(self, command: Command) -> None:
        self.repository, self.images = None, {}

    def on_artifacts_docker_images_describe(self, command: Command) -> Any:
        return {"image_summary": {"digest": only(self.images.get(command.named[0]))}}

    def on_builds_submit(self, command: Command) -> None:
        self.images[command.pairs("--pack")["image"]] = f"sha256:{len(self.images) + 1:064x}"

    def on_run_services_list(self, command: Command) -> Any:
        """Those of all regions unless one is named."""
        region = command.flags.get("--region")
        return [one for one in self.services.values() if region in (None, one["metadata"]["labels"].get(LOCATION))]

    def on_run_revisions_list(self, command: Command) -> Any:
        names = (name for service in self.services.values() for name in service["status"]["revisions"])
        return [
            {"metadata": {"name": name}, "spec": {"containers": [{"env": self.variables.get(name, [])}]}}
            for name in names
        ]

    def on_run_deploy(self, command: Command) -> None:
        name, flags = command.named[0], command.flags
        is_new = name not in self.services
        assert is_new != ("--no-traffic" in flags), "gcloud refuses --no-traffic for a new service"
        revision = f"{name}-{flags['--revision-suffix']}"
        if is_new:
            about: dict[str, Any] = {"name": name, "annotations": {}, "labels": {LOCATION: flags["--region"]}}
            self.services[name] = {"metadata": about, "status": {"url": f"https://{name}.run.app", "traffic": []}}
        service = self.services[name]
        service["spec"] = {"template": {"spec": {"serviceAccountName": flags["--service-account"]}}}
        if any(one["revisionName"] == revision for one in service["status"]["traffic"]):
            raise AlreadyThere
        service["metadata"]["labels"].update(command.pairs("--labels"))
        given = (one.split("=", 1) for one in flags["--set-env-vars"].removeprefix("^@^").split("@"))
        self.variables[revision] = [{"name": name, "value": value} for name, value in given if name != "RELEASE"]
        for variable, secret in command.pairs("--set-secrets").items():
            source = {"secretKeyRef": {"name": secret.partition(":")[0], "key": secret.partition(":")[2]}}
            self.variables[revision].append({"name": variable, "valueFrom": source})
        service["status"]["latestReadyRevisionName"] = revision
        service["status"].setdefault("revisions", []).append(revision)
        if is_new:
            self._serve(name, {revision: 100})
        self._tag(name, flags["--tag"], revision)
        self.on_run_services_update(command)

    def on_run_services_update(self, command: Command) -> None:
        annotations, flags = self.services[command.named[0]]["metadata"]["annotations"], command.flags
        annotations[f"{_RUN}/ingress"] = flags["--ingress"]
        annotations[f"{_RUN}/invoker-iam-disabled"] = str("--no-invoker-iam-check" in flags).lower()

    def on_run_services_update_traffic(self, command: Command) -> None:
        name = command.named[0]
        traffic = {revision: int(percent) for revision, percent in command.pairs("--to-revisions").items()}
        assert set(traffic) <= {*self.services[name]["status"]["revisions"]}
        if tag := command.flags.get("--remove-tags"):
            self._tag(name, tag, None)
        if traffic:
            self._serve(name, traffic)

    def on_run_services_delete(self, command: Command) -> None:
        del self.services[command.named[0]]

    def on_logging_read(self, command: Command) -> Any:
        asked = command.named[0]
        assert 'jsonPayload.message="probe_answered"' in asked
        return [entry for entry in self.logs if f'jsonPayload.probe="{entry["jsonPayload"]["probe"]}"' in asked]

    def serving(self) -> dict[str, str]:
        """The revision that gets all requests, by service."""
        return {name: self._shares(name)[0] for name in self.services if len(self._shares(name)) == 1}

    def _shares(self, name: str) -> list[str]:
        return [one["revisionName"] for one in self.services[name]["status"]["traffic"] if one.get("percent")]

    def _serve(self, name: str, traffic: dict[str, int]) -> None:
        status = self.services[name]["status"]
        tagged = [one for one in status["traffic"] if "tag" in one]
        entries = [{"revisionName": revision, "percent": percent} for revision, percent in traffic.items()]
        status["traffic"] = [*entries, *tagged]

    def _tag(self, name: str, tag: str, revision: str | None) -> None:
        status = self.services[name]["status"]
        status["traffic"] = [one for one in status["traffic"] if one.get("tag") != tag]
        if revision:
            url = f"https://{tag}---{name}.run.app"
            status["traffic"].append({"revisionName": revision, "tag": tag, "url": url})

    def deliver_probe(self, address: str, probe: str) -> None:
        """What a function does with a message that is pushed to it."""
        name, revision = self._called(address)
        if name not in self.broken:
            about = {"labels": {"service_name": name, "revision_name": revision}}
            fields = {"message": "probe_answered", "probe": probe}
            self.logs.append({"resource": about, "jsonPayload": fields})

    def _called(self, address: str) -> tuple[str, str]:
        host = address.removeprefix("https://").partition("/")[0].removesuffix(".run.app")
        tag, _, name = host.rpartition("---")
        for one in self.services[name]["status"]["traffic"]:
            if one.get("tag") == (tag or None):
                return name, one["revisionName"]
        raise AssertionError(f"nothing is at {address}")

    def fetch(self, request: Request) -> Answer:
        self.requests.append(request)
        if request.url.startswith("https://firebaserules.googleapis.com/v1/"):
            return self._answer_about_rules(request)
        if self.is_about_firebase(request):
            return self.answer_about_firebase(request)
        if self.late > 0:
            self.late -= 1
            return Answer(404, "text/html", b"<html>")
        name, _ = self._called(request.url)
        if name in self.broken:
            return Answer(500, "text/html", b"<html>")
        status = 404 if name in PUBLIC or "Authorization" in request.headers else 401
        return Answer(status, PROBLEM, b'{"request_id": "1"}')

    def _list_releases(self, first: int) -> Answer:
        releases = []
        for release, files in self.other_rules.items():
            self.rulesets.append(files)
            number = len(self.rulesets) - 1
            name = f"projects/nuumee-test/releases/{release}"
            releases.append({"name": name, "rulesetName": f"projects/nuumee-test/rulesets/{number}"})
        more = {"nextPageToken": str(first + 1)} if first + 1 < len(releases) else {}
        return as_json({"releases": releases[first : first + 1], **more} if releases else {})

    def _answer_about_rules(self, request: Request) -> Answer:
        name = request.url.partition("/v1/")[2]
        body = json.loads(request.body or b"{}")
        if request.method == "GET" and "/releases?" in name:
            return self._list_releases(int(name.rpartition("=")[2] or 0))
        match request.method, "releases" if "/releases" in name else "rulesets":
            case "GET", "rulesets":
                return as_json({"source": {"files": self.rulesets[int(name.rpartition("/")[2])]}})
            case "GET", _:
                if self.rules is None:
                    return Answer(404, "application/json", b"{}")
                if self.rules not in self.rulesets:
                    self.rulesets.append(self.rules)
                number = self.rulesets.index(self.rules)
                return as_json({"rulesetName": f"projects/nuumee-test/rulesets/{number}"})
            case "POST", "rulesets":
                self.rulesets.append(body["source"]["files"])
                return as_json({"name": f"projects/nuumee-test/rulesets/{len(self.rulesets) - 1}"})
            case "POST", _:
                assert self.rules is None, "a release that is there is patched"
            case "PATCH", _:
                assert self.rules is not None
                body = body["release"]
        self.rules = self.rulesets[int(body["rulesetName"].rpartition("/")[2])]
        return as_json({})
