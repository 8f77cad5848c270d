"""Tries new revisions before they get anybody's requests."""

from __future__ import annotations

from collections.abc import Mapping, Set

from infra.cloud.fetch import Answer, Fetch, Request
from infra.cloud.gcloud import Failed, Mode
from infra.cloud.project import LABEL_TEXT, Project
from infra.cloud.services import Service
from infra.cloud.topics import Topics
from infra.functions import Function, Route

_NOBODY = "smoke-test-no-such-id"
"""Takes the place of each id in a path: no job and no link has it."""
PROBES = "release-probe"
LET_IN = frozenset({200, 400, 404})
"""Answers to a token that holds. 400: a body is missing, which a function says only to those whose token holds."""
_PATIENCE = 180.0
"""Seconds until a new revision must answer."""


class BadRelease(Exception):
    """A new revision does not work. The message names it."""


def harmless(function: Function) -> list[Route]:
    """What may be asked for with a real token, because it changes nothing: reads, and what nobody has."""
    return [route for route in function.routes if route.method == "GET" or "{" in route.path]


class Smoke:
    """Functions with routes are asked over HTTP, and those that receive events by a message with the attribute
    `probe`, which they log instead of handling it.
    """

    def __init__(self, project: Project, fetch: Fetch, token: str | None) -> None:
        """`token` is an ID token of Firebase, with which functions are asked as a signed-in user too."""
        self._project = project
        self._gcloud = project.gcloud
        self._fetch = fetch
        self._token = token

    def test(self, revisions: Mapping[Function, str], services: Mapping[str, Service], probe: str) -> None:
        """`probe` names this release. Raises BadRelease and Failed."""
        receiving = {function: revision for function, revision in revisions.items() if function.topic}
        if receiving:
            self._send_probe(receiving, services, probe)
        for function, revision in revisions.items():
            if not function.topic and self._gcloud.mode is Mode.RUN:
                self._ask(function, services[function.account].address_of(revision), revision)

    def _ask(self, function: Function, address: str, revision: str) -> None:
        if function.public and self._project.deployment.forwarded_hops == "2":
            print(
                f"deploy.sh: {revision} can be reached through its load balancer alone: only its start is tested"
            )
            return
        # Of pages, only those under /public/ have errors that are problem documents.
        route = next((one for one in function.routes if one.path.startswith("/public/")), function.routes[0])
        status = 404 if function.public else 401
        self._expect(route, address, revision, {}, {status})
        if self._token and not function.public:
            for route in harmless(function)[:1]:
                self._expect(route, address, revision, {"Authorization": f"Bearer {self._token}"}, LET_IN)

    def _expect(
        self, route: Route, address: str, revision: str, headers: Mapping[str, str], statuses: Set[int]
    ) -> None:
        path = "/".join(_NOBODY if part.startswith("{") else part for part in route.path.split("/"))
        request = Request(method=route.method, url=f"{address}{path}", headers=headers)
        for _ in self._gcloud.attempts(f"{revision} answers", _PATIENCE):
            answer = self._fetch(request)
            if answer.status in statuses and (answer.status == 200 or _is_ours(answer)):
                return
        wanted = " or ".join(map(str, sorted(statuses)))
        raise BadRelease(f"{revision} answers {route.method} {path} with {answer}, and not with our {wanted}")

    def _send_probe(self, revisions: Mapping[Function, str], services: Mapping[str, Service], probe: str) -> None:
        create, topics = self._gcloud.create, Topics(self._project)
        label = f"--labels={LABEL_TEXT}"
        create("pubsub", "topics", "create", PROBES, label)
        try:
            for function, revision in revisions.items():
                service = services[function.account]
                create(
                    *(
                        "pubsub",
                        "subscriptions",
                        "create",
                        f"probe-{function.account}",
                        f"--topic={PROBES}",
                        label,
                    ),
                    *topics.push_flags(service.address_of(revision), service.url, PROBES),
                )
            self._gcloud.run("pubsub", "topics", "publish", PROBES, "--message={}", f"--attribute=probe={probe}")
            self._wait_for_answers(set(revisions.values()), probe)
        finally:
            for function in revisions:
                self._forget(f"probe-{function.account}")

    def _forget(self, subscription: str) -> None:
        """One that stays does no harm: nobody publishes to its topic, and the next release takes it away."""
        try:
            self._gcloud.run("pubsub", "subscriptions", "delete", subscription)
        except Failed:
            print(f"deploy.sh: the subscription {subscription} is still there: the next run deletes it")

    def _wait_for_answers(self, revisions: set[str], probe: str) -> None:
        lines = 'resource.type="cloud_run_revision" AND jsonPayload.message="probe_answered"'
        asked = f'{lines} AND jsonPayload.probe="{probe}"'
        for _ in self._gcloud.attempts("the probe is answered", _PATIENCE):
            entries = self._gcloud.read("logging", "read", asked, "--freshness=1h")
            missing = revisions - {entry["resource"]["labels"]["revision_name"] for entry in entries}
            if not missing or self._gcloud.mode is not Mode.RUN:
                return
        raise BadRelease(f"{', '.join(sorted(missing))} has not answered the probe {probe}")


def _is_ours(answer: Answer) -> bool:
    """Whether it is a problem document of this product, and not an error of Google's front end."""
    try:
        return answer.content_type == "application/problem+json" and "request_id" in answer.json()
    except ValueError:
        return False
