"""Firebase: the project's part in it, the page's web app, and the domains from which users sign in.

Authentication itself is turned on by a person. The API could do it, but it makes the project one of Identity
Platform, which cannot be undone and has other prices: https://firebase.google.com/docs/auth#identity-platform
"""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import urlsplit

from infra.cloud.deployment import Refused
from infra.cloud.fetch import Fetch
from infra.cloud.gcloud import Mode, NoAnswer
from infra.cloud.project import Project
from infra.cloud.rest import NotAllowed, Rest

WEB_APP = "NuuMee Jobs"
_MANAGEMENT = "https://firebase.googleapis.com/v1beta1/"
"""https://firebase.google.com/docs/projects/api/workflow_set-up-and-manage-project"""
_AUTH = "https://identitytoolkit.googleapis.com/admin/v2/"
"""https://cloud.google.com/identity-platform/docs/reference/rest/v2/projects"""
_HOSTING = "https://firebasehosting.googleapis.com/v1beta1/"
"""https://firebase.google.com/docs/reference/hosting/rest/v1beta1/projects.sites"""
_CONSOLE = "https://console.firebase.google.com"


class Firebase:
    def __init__(self, project: Project, fetch: Fetch) -> None:
        self._gcloud = project.gcloud
        self._id = project.deployment.project
        self._name = f"projects/{self._id}"
        self._rest = Rest(project, fetch, api="the API of Firebase", failing="Firebase could not be set up")
        hosts = [urlsplit(origin).hostname or "" for origin in project.deployment.allowed_origins.split(",")]
        # The page's SDK reads a domain as a pattern: an address of IPv6 never matches, and in brackets others do.
        # https://github.com/firebase/firebase-js-sdk/blob/main/packages/auth/src/core/util/validate_origin.ts
        self._hosts = [host for host in hosts if ":" not in host]
        self.steps: list[str] = []
        """What is left to a person."""
        self.web_app: dict[str, str] = {}
        """The settings that the page's build needs, by the ends of their names; empty if there is no web app."""

    def make(self) -> None:
        """Make what is missing, as far as it can be. Raises Failed, NoAnswer and Refused."""
        self._rest.begin()
        if self._gcloud.mode is Mode.DRY_RUN:
            self._rest.foretell(
                "add Firebase to the project",
                f"make the web app {WEB_APP}",
                f"make the site {self._id} of Firebase Hosting",
                f"let users sign in on {', '.join(dict.fromkeys(self._hosts))}",
            )
            return
        for part in (self._set_up, self._authorize):
            try:
                part()
            except NotAllowed as error:
                self.steps.append(f"{error}. Your account may not do this, or must accept the terms at {_CONSOLE}")

    def _set_up(self) -> None:
        if not self._add():
            return
        if app := self._app():
            found = self._rest.call("GET", _MANAGEMENT, f"{self._name}/webApps/{app['appId']}/config")
            names = {"API_KEY": "apiKey", "PROJECT_ID": "projectId", "AUTH_DOMAIN": "authDomain"}
            self.web_app = {name: found[key] for name, key in names.items() if key in found}
        self._host()

    def _add(self) -> bool:
        """Whether the project is one of Firebase."""
        if self._rest.call("GET", _MANAGEMENT, self._name, may_lack=True):
            return True
        return self._changes("add Firebase to the project") and bool(self._made(f"{self._name}:addFirebase", {}))

    def _app(self) -> Any:
        listed = self._rest.call("GET", _MANAGEMENT, f"{self._name}/webApps").get("apps", ())
        if there := next((app for app in listed if app.get("displayName") == WEB_APP), None):
            return there
        made = self._changes(f"make the web app {WEB_APP}")
        return self._made(f"{self._name}/webApps", {"displayName": WEB_APP}) if made else None

    def _made(self, name: str, body: object) -> Any:
        """What an operation that takes some time has made."""
        operation = self._rest.call("POST", _MANAGEMENT, name, body)
        for _ in self._gcloud.attempts(f"Firebase has done {name}"):
            operation = self._rest.call("GET", _MANAGEMENT, operation["name"])
            if operation.get("done"):
                break
        if "error" in operation:
            raise Refused(f"Firebase could not be set up: {name}: {operation['error'].get('message')}")
        if not operation.get("done"):
            raise NoAnswer(f"Firebase has not done {name} yet: run deploy.sh again later")
        return operation["response"]

    def _host(self) -> None:
        """Make the default site of Hosting, which adding Firebase does not make. firebase-tools, too, gives it the
        project's id, which another project may have taken as a site's name.
        """
        found = self._rest.call("GET", _HOSTING, f"{self._name}/sites?pageSize=100", may_lack=True) or {}
        if any(
            one.get("type") == "DEFAULT_SITE" or one["name"].rpartition("/")[2] == self._id
            for one in found.get("sites", ())
        ):
            return
        if not self._changes(f"make the site {self._id} of Firebase Hosting"):
            return
        try:
            self._rest.call("POST", _HOSTING, f"{self._name}/sites?siteId={self._id}", {})
        except Refused as error:
            if "Invalid name" not in str(error):
                raise
            console = f"{_CONSOLE}/project/{self._id}/hosting"
            self.steps.append(f"{error}. Choose Get started at {console}, which makes a site of another name")

    def _authorize(self) -> None:
        """Let users sign in on the page: https://firebase.google.com/docs/auth/web/google-signin#before_you_begin"""
        config = self._rest.call("GET", _AUTH, f"{self._name}/config", may_lack=True)
        console = f"{_CONSOLE}/project/{self._id}/authentication"
        providers = f"{console}/providers"
        if config is None:
            self.steps.append(f"Turn on Authentication, and a provider, at {providers}. Then run this again")
            return
        there = config.get("authorizedDomains", [])
        missing = [host for host in dict.fromkeys(self._hosts) if host not in there]
        if missing and self._changes(f"let users sign in on {', '.join(missing)}"):
            domains = {"authorizedDomains": [*there, *missing]}
            self._rest.call("PATCH", _AUTH, f"{self._name}/config?updateMask=authorizedDomains", domains)
        if self._gcloud.mode is Mode.CHECK and (others := self._others(there)):
            self.steps.append(
                f"Users may also sign in on {', '.join(others)}, which ALLOWED_ORIGINS does not have. Unless "
                f"another product of the project needs it, remove it at {console}/settings"
            )
        if not self._has_provider(config):
            self.steps.append(
                f"Turn on a provider at {providers}: the page knows e-mail with password, and Google"
            )

    def _others(self, domains: list[str]) -> list[str]:
        """Old hosts of the page, or another product's: nothing tells them apart, so a person decides. Firebase
        itself adds localhost and its hosting: https://support.google.com/firebase/answer/6400741
        """
        firebases = ("localhost", f"{self._id}.firebaseapp.com", f"{self._id}.web.app")
        return [domain for domain in domains if domain not in (*self._hosts, *firebases)]

    def _has_provider(self, config: Any) -> bool:
        listed = self._rest.call("GET", _AUTH, f"{self._name}/defaultSupportedIdpConfigs")
        others = (one.get("enabled") for one in listed.get("defaultSupportedIdpConfigs", ()))
        return bool(config.get("signIn", {}).get("email", {}).get("enabled")) or any(others)

    def _changes(self, what: str) -> bool:
        """Whether to go on; else says what would be done."""
        self._gcloud.changes += 1
        print(what if self._gcloud.mode is Mode.CHECK else f"deploy.sh: {what}")
        return self._gcloud.mode is Mode.RUN


def tell(steps: list[str]) -> None:
    """Say what is left to a person."""
    for number, step in enumerate(steps, start=1):
        print(f"deploy.sh: left to you, {number}: {step}", file=sys.stderr)
