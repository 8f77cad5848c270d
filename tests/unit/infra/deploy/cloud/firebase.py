"""Firebase: its projects, web apps, Hosting and Authentication."""

from __future__ import annotations

import json
import re
from typing import Any

from infra.cloud.fetch import Answer, Request

_PROJECT = "projects/nuumee-test"
_FOR = re.compile(
    r"https://(firebase|firebasehosting|identitytoolkit)\.googleapis\.com/(v1beta1|admin/v2)/([^?]+)"
)


class Firebase:
    def __init__(self) -> None:
        self.firebase: dict[str, Any] | None = None
        self.web_apps: list[dict[str, Any]] = []
        self.sites: list[dict[str, str]] = []
        self.sites_taken: set[str] = set()
        """The names of other projects' sites."""
        self.auth: dict[str, Any] | None = None
        """The configuration of Authentication, once somebody has turned that on."""
        self.providers: list[dict[str, Any]] = []
        self.denied: str | None = None
        """A path that contains this is nothing for the operator's account."""
        self.operation_error: str | None = None
        self.slow = 1
        """How often an operation is found unfinished."""
        self.operations: list[list[Any]] = []
        """What is left of each one's slowness, and what it makes."""

    def is_about_firebase(self, request: Request) -> bool:
        return _FOR.match(request.url) is not None

    def answer_about_firebase(self, request: Request) -> Answer:
        found = _FOR.match(request.url)
        assert found
        if self.denied and self.denied in found[3]:
            return as_json({"error": {"status": "PERMISSION_DENIED"}}, 403)
        if found[1] == "firebasehosting":
            return self._answer_about_sites(request)
        body = json.loads(request.body or b"null")
        content: Any
        match request.method, found[3].removeprefix(_PROJECT):
            case "GET", "":
                content = self.firebase
            case "POST", ":addFirebase":
                assert self.firebase is None
                self.firebase = {"projectId": "nuumee-test"}
                content = self._begin(self.firebase)
            case "GET", "/webApps":
                content = {"apps": self.web_apps} if self.web_apps else {}
            case "POST", "/webApps":
                self.web_apps.append({**body, "appId": f"1:123456:web:{len(self.web_apps)}"})
                content = self._begin(self.web_apps[-1])
            case "GET", "/config":
                content = self.auth
            case "PATCH", "/config":
                assert self.auth is not None
                assert request.url.endswith("?updateMask=authorizedDomains")
                self.auth |= body
                content = self.auth
            case "GET", "/defaultSupportedIdpConfigs":
                content = {"defaultSupportedIdpConfigs": self.providers} if self.providers else {}
            case "GET", path if path.startswith("operations/"):
                content = self._operation(path)
            case "GET", path if path.startswith("/webApps/") and path.endswith("/config"):
                content = {"apiKey": "key", "projectId": "nuumee-test", "authDomain": "nuumee-test.test"}
            case method, path:
                raise AssertionError(f"no such request is expected: {method} {path}")
        return as_json({}, 404) if content is None else as_json(content)

    def _answer_about_sites(self, request: Request) -> Answer:
        assert self.firebase
        if request.method == "GET":
            return as_json({"sites": self.sites} if self.sites else {})
        name = request.url.partition(f"/{_PROJECT}/sites?siteId=")[2]
        if name in self.sites_taken:
            message = f"Invalid name: `{name}` is reserved by another project"
            return as_json({"error": {"message": message}}, 400)
        self.sites.append({"name": f"{_PROJECT}/sites/{name}", "type": "DEFAULT_SITE"})
        return as_json(self.sites[-1])

    def _begin(self, made: Any) -> Any:
        self.operations.append([self.slow, made])
        return {"name": f"operations/{len(self.operations) - 1}"}

    def _operation(self, name: str) -> Any:
        operation = self.operations[int(name.rpartition("/")[2])]
        operation[0] -= 1
        if operation[0] >= 0:
            return {"name": name}
        ended = (
            {"error": {"message": self.operation_error}} if self.operation_error else {"response": operation[1]}
        )
        return {"name": name, "done": True, **ended}


def as_json(content: object, status: int = 200) -> Answer:
    return Answer(status, "application/json", json.dumps(content).encode())
