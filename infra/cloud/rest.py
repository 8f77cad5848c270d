"""Google's APIs for which gcloud has no commands, called with the operator's own access."""

from __future__ import annotations

import json
import sys
from typing import Any

from infra.cloud.deployment import Refused
from infra.cloud.fetch import Answer, Fetch, Request
from infra.cloud.gcloud import Mode
from infra.cloud.project import Project

_UNTRUSTED = b"CERTIFICATE_VERIFY_FAILED"
"""What Python says where it has no certificates, as on a Mac before its "Install Certificates" was run."""


class NotAllowed(Refused):
    """The operator may not do this."""


class Rest:
    def __init__(self, project: Project, fetch: Fetch, *, api: str, failing: str) -> None:
        """`api` is its name, and `failing` what cannot be done if it refuses. Both are for people."""
        self._project = project
        self._gcloud = project.gcloud
        self._fetch = fetch
        self._api, self._failing = api, failing
        self._token = ""

    def begin(self) -> None:
        """Before the first call, and again after an hour: a token does not last longer. Raises Failed."""
        self._token = self._gcloud.reveal("auth", "print-access-token").strip()

    def foretell(self, *changes: str) -> None:
        """Say what a run would do without gcloud. Standard output is for commands alone."""
        for change in changes:
            print(f"deploy.sh: would also {change}, unless it is so", file=sys.stderr)

    def call(self, method: str, base: str, name: str, body: object = None, *, may_lack: bool = False) -> Any:
        """The answer, decoded; None for what does not exist, if it may lack. Raises NotAllowed and Refused."""
        headers = {
            "Authorization": f"Bearer {self._token}",
            "X-Goog-User-Project": self._project.deployment.project,
            "Content-Type": "application/json",
        }
        content = None if body is None else json.dumps(body).encode()
        answer = self._answer(Request(method=method, url=f"{base}{name}", headers=headers, body=content))
        is_off = self._gcloud.mode is Mode.CHECK and b"SERVICE_DISABLED" in answer.body
        if may_lack and (answer.status == 404 or is_off):
            return None
        if answer.status != 200:
            error = NotAllowed if answer.status == 403 else Refused
            reason = f": {answer.reason}" if answer.reason else ""
            raise error(f"{self._failing}: {method} {name}: {answer}{reason}")
        return answer.json()

    def _answer(self, request: Request) -> Answer:
        """An API that was turned on just now is known everywhere only after some time.

        What makes something is not repeated if its answer is lost: it would be made twice.
        """
        for _ in self._gcloud.attempts(f"{self._api} answers"):
            answer = self._fetch(request)
            is_lost = not answer.status or answer.status >= 500
            if not answer.status and _UNTRUSTED in answer.body:
                break
            if not (is_lost and request.method != "POST") and b"SERVICE_DISABLED" not in answer.body:
                break
        return answer
