"""The rules of Firestore, and whether those of Storage are closed: https://firebase.google.com/docs/reference/rules/rest"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from infra.cloud.deployment import Refused
from infra.cloud.fetch import Fetch
from infra.cloud.gcloud import Mode
from infra.cloud.project import Project
from infra.cloud.rest import Rest

FILE = "infra/cloud/firestore.rules"
_API = "https://firebaserules.googleapis.com/v1/"
_NAME = "nuumee-jobs.rules"
"""What the file is called in a ruleset, by which an earlier version of ours is known."""
_ALLOW = re.compile(r"\ballow\b[^:;]*(?::\s*if\s*([^;]*))?;")
_SAYS_NOTHING = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""", re.DOTALL)
"""Comments and strings: either may hold what begins the other."""


class Rules:
    """Raises Refused if the API refuses, and Failed."""

    def __init__(self, project: Project, fetch: Fetch) -> None:
        self._gcloud = project.gcloud
        self._rest = Rest(
            project,
            fetch,
            api="the API of Firebase's rules",
            failing="the rules of Firestore could not be read or published",
        )
        self._buckets = project.deployment.buckets
        self._parent = f"projects/{project.deployment.project}"
        self._release = f"{self._parent}/releases/cloud.firestore"
        self._ours = (project.root / FILE).read_text()
        self._there: list[dict[str, str]] | None = None

    def look(self, *, replace: bool) -> None:
        """Raises Refused over rules that are somebody else's, unless they are to be replaced.

        Also, whatever is to be replaced, over open rules of our buckets, or of the database under its own name.
        """
        self._rest.begin()
        if self._gcloud.mode is Mode.DRY_RUN:
            self._rest.foretell(f"publish {FILE}")
            return
        self._look_at_firestore(replace=replace)
        self._refuse_open_ones()

    def _look_at_firestore(self, *, replace: bool) -> None:
        found = self._rest.call("GET", _API, self._release, may_lack=True)
        if found is None:
            return
        self._there = self._files(found)
        if not replace and not self._may_be_replaced(self._there):
            raise Refused(
                "Firestore has rules that are not from here. Ours let no browser read or write anything: bring "
                f"both together in {FILE}, or replace them with --replace-rules"
            )

    def _refuse_open_ones(self) -> None:
        """The functions' accounts are not bound by rules, so closed ones harm nothing of ours."""
        owners = {f"{self._release}/(default)": "The database (default)"}
        for bucket in self._buckets:
            owners[f"{self._parent}/releases/firebase.storage/{bucket}"] = f"The bucket {bucket}"
        for release in self._releases():
            owner = owners.get(release["name"])
            if owner and not all(_is_closed(file["content"]) for file in self._files(release)):
                raise Refused(
                    f"{owner} has rules of Firebase that let browsers in, past the functions. Publish rules there "
                    "whose every permission is `if false`"
                )

    def _releases(self) -> Iterator[dict[str, str]]:
        token = ""
        while True:
            name = f"{self._parent}/releases?pageSize=100&pageToken={quote(token, safe='')}"
            page = self._rest.call("GET", _API, name, may_lack=True) or {}
            yield from page.get("releases", [])
            token = page.get("nextPageToken", "")
            if not token:
                return

    def _files(self, release: dict[str, str]) -> list[dict[str, str]]:
        files: list[dict[str, str]] = self._rest.call("GET", _API, release["rulesetName"])["source"]["files"]
        return files

    def publish(self) -> None:
        """After `look`: unless they are what is there."""
        if self._gcloud.mode is Mode.DRY_RUN or self._is_served():
            return
        if self._gcloud.mode is Mode.CHECK:
            self._gcloud.changes += 1
            print(f"publish {FILE}")
            return
        file = {"name": _NAME, "content": self._ours}
        made = self._rest.call("POST", _API, f"{self._parent}/rulesets", {"source": {"files": [file]}})
        release = {"name": self._release, "rulesetName": made["name"]}
        if self._there is None:
            self._rest.call("POST", _API, f"{self._parent}/releases", release)
        else:
            self._rest.call("PATCH", _API, self._release, {"release": release})
        print(f"deploy.sh: published {FILE}")

    def _is_served(self) -> bool:
        return self._there is not None and [file["content"] for file in self._there] == [self._ours]

    def _may_be_replaced(self, files: list[dict[str, str]]) -> bool:
        """Whether they are ours, or let nobody in: then nobody depends on them."""
        return self._is_served() or all(file["name"] == _NAME or _is_closed(file["content"]) for file in files)


def _is_closed(rules: str) -> bool:
    """Whether each permission has the condition `false`. One that is not understood is none."""
    code = _SAYS_NOTHING.sub(" ", rules)
    conditions = _ALLOW.findall(code)
    understood = len(conditions) == len(re.findall(r"\ballow\b", code))
    return understood and all(condition.strip() == "false" for condition in conditions)
