"""The rules of Firestore: https://firebase.google.com/docs/reference/rules/rest"""

from __future__ import annotations

import json
import re
from typing import Any

from infra.cloud.deployment import Refused
from infra.cloud.fetch import Answer, Fetch, Request
from infra.cloud.gcloud import Mode
from infra.cloud.project import Project

FILE = "infra/cloud/firestore.rules"
_NAME = "nuumee-jobs.rules"
"""What the file is called in a ruleset, by which an earlier version of ours is known."""
_ALLOW = re.compile(r"\ballow\b[^:;]*(?::\s*if\s*([^;]*))?;")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


class Rules:
    """Raises Refused if the API refuses, and Failed."""

    def __init__(self, project: Project, fetch: Fetch) -> None:
        self._project = project
        self._gcloud = project.gcloud
        self._fetch = fetch
        self._parent = f"projects/{project.deployment.project}"
        self._release = f"{self._parent}/releases/cloud.firestore"
        self._ours = (project.root / FILE).read_text()
        self._token = ""
        self._there: list[dict[str, str]] | None = None

    def look(self, *, replace: bool) -> None:
        """Raises Refused over rules that are somebody else's, unless they are to be replaced."""
        self._token = self._gcloud.reveal("auth", "print-access-token").strip()
        if self._gcloud.mode is Mode.DRY_RUN:
            return
        found = self._call("GET", self._release, may_lack=True)
        if found is None:
            return
        self._there = self._call("GET", found["rulesetName"])["source"]["files"]
        if not replace and not self._may_be_replaced(self._there):
            raise Refused(
                "Firestore has rules that are not from here. Ours let no browser read or write anything: bring "
                f"both together in {FILE}, or replace them with --replace-rules"
            )

    def publish(self) -> None:
        """After `look`: unless they are what is there."""
        if self._gcloud.mode is Mode.DRY_RUN or self._is_served():
            return
        if self._gcloud.mode is Mode.CHECK:
            self._gcloud.changes += 1
            print(f"publish {FILE}")
            return
        file = {"name": _NAME, "content": self._ours}
        made = self._call("POST", f"{self._parent}/rulesets", {"source": {"files": [file]}})
        release = {"name": self._release, "rulesetName": made["name"]}
        if self._there is None:
            self._call("POST", f"{self._parent}/releases", release)
        else:
            self._call("PATCH", self._release, {"release": release})
        print(f"deploy.sh: published {FILE}")

    def _is_served(self) -> bool:
        return self._there is not None and [file["content"] for file in self._there] == [self._ours]

    def _may_be_replaced(self, files: list[dict[str, str]]) -> bool:
        """Whether they are ours, or let nobody in: then nobody depends on them."""
        return self._is_served() or all(file["name"] == _NAME or _is_closed(file["content"]) for file in files)

    def _call(self, method: str, name: str, body: object = None, *, may_lack: bool = False) -> Any:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "X-Goog-User-Project": self._project.deployment.project,
            "Content-Type": "application/json",
        }
        request = Request(
            method=method,
            url=f"https://firebaserules.googleapis.com/v1/{name}",
            headers=headers,
            body=None if body is None else json.dumps(body).encode(),
        )
        answer = self._answer(request)
        if answer.status == 404 and may_lack:
            return None
        if answer.status != 200:
            raise Refused(f"the rules of Firestore could not be read or published: {method} {name}: {answer}")
        return answer.json()

    def _answer(self, request: Request) -> Answer:
        """An API that was turned on just now is known everywhere only after some time."""
        for _ in self._gcloud.attempts("the API of Firebase's rules answers"):
            answer = self._fetch(request)
            if answer.status and answer.status < 500 and b"SERVICE_DISABLED" not in answer.body:
                break
        return answer


def _is_closed(rules: str) -> bool:
    """Whether each permission has the condition `false`."""
    return all(condition.strip() == "false" for condition in _ALLOW.findall(_COMMENT.sub("", rules)))
