"""The page: built for the functions' addresses, and put on Firebase Hosting."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.cloud.deployment import Refused
from infra.cloud.fetch import Fetch
from infra.cloud.firebase import Firebase, tell
from infra.cloud.gcloud import Mode
from infra.cloud.project import Project
from infra.cloud.services import Service, Services
from infra.stage_page import stage

ADDRESSES = "frontend/.env.production.local"
"""Next.js reads it when it builds, and it wins over .env.production:
https://nextjs.org/docs/app/guides/environment-variables
"""
_OWN = "frontend/.env.production"
_SETTINGS = "frontend/lib/settings.ts"
_TOOLS = "infra/local/auth"
"""Has firebase-tools in its lock file."""
_STAGED = "build/page"
Run = Callable[[Sequence[str]], int]


def run(command: Sequence[str]) -> int:
    """Run a program in the current folder, and return its exit code."""
    return subprocess.run(command, check=False).returncode


def write_settings(project: Project, services: Mapping[str, Service], web_app: Mapping[str, str]) -> bool:
    """Print the buckets of the page's media, how many days they keep what is deleted, the addresses that the page
    calls and the settings of its web app, and keep them for its build. Returns whether any but the last is another
    than what was kept before.

    It only reads unless commands are run. What a person has set in `frontend/.env.production` holds instead of the
    web app's. Raises Refused and Failed.
    """
    days = _days_kept(project)
    if project.gcloud.mode is not Mode.RUN:
        return False
    lines = []
    for name in re.findall(r'endpoint\("([A-Z_]+)_URL"\)', (project.root / _SETTINGS).read_text()):
        service = services.get(project.table.functions[name.lower()].account)
        if service is None:
            raise Refused(f"the function {name.lower()} is not deployed: run ./deploy.sh first")
        lines.append(f"NEXT_PUBLIC_{name}_URL={service.url}\n")
    lines.append(f"NEXT_PUBLIC_BUCKETS={','.join(project.deployment.buckets)}\n")
    lines.append(f"NEXT_PUBLIC_SOFT_DELETE_DAYS={days}\n")
    kept = project.root / ADDRESSES
    moved = kept.is_file() and not {*lines} <= {*kept.read_text().splitlines(keepends=True)}
    file = project.root / _OWN
    own = file.read_text() if file.is_file() else ""
    for name, value in web_app.items():
        if not re.search(rf"^NEXT_PUBLIC_FIREBASE_{name}=\S", own, re.MULTILINE):
            lines.append(f"NEXT_PUBLIC_FIREBASE_{name}={value}\n")
    print("".join(lines), end="")
    kept.write_text("".join(lines))
    return moved


def _days_kept(project: Project) -> int:
    """Whole days for which all buckets keep what is deleted: https://cloud.google.com/storage/docs/soft-delete"""
    find = project.gcloud.find
    there = [find("storage", "buckets", "describe", f"gs://{bucket}") for bucket in project.deployment.buckets]
    policies = [(bucket or {}).get("soft_delete_policy") or {} for bucket in there]
    return min(int(policy.get("retentionDurationSeconds") or 0) for policy in policies) // 86_400


class Page:
    def __init__(self, project: Project, fetch: Fetch, run: Run) -> None:
        self._project = project
        self._firebase = Firebase(project, fetch)
        self._run = run

    def deploy(self) -> None:
        """Raises Refused, NoAnswer and Failed."""
        self._firebase.make()
        tell(self._firebase.steps)
        if not self._firebase.web_app and not (self._project.root / _OWN).is_file():
            raise Refused(
                f"there is no web app, and {_OWN} is not there: copy frontend/.env.example and fill it in"
            )
        write_settings(self._project, Services(self._project).there(), self._firebase.web_app)
        # The build tools are development dependencies: install them even if the environment says production.
        self._need("npm", "ci", "--prefix", "frontend", "--include=dev")
        self._need("npm", "run", "build", "--prefix", "frontend")
        try:
            staged = stage(self._project.deployment.region, Path(_STAGED), Path("frontend/out"))
        except ValueError as error:
            raise Refused(str(error)) from None
        self._need("npm", "ci", "--prefix", _TOOLS)
        self._need(
            *(f"{_TOOLS}/node_modules/.bin/firebase", "deploy", "--only", "hosting", "--non-interactive"),
            *("--project", self._project.deployment.project, "--config", str(staged / "firebase.json")),
        )

    def _need(self, *command: str) -> None:
        try:
            ended = self._run(command)
        except FileNotFoundError:
            raise Refused(f"{command[0]} is not installed") from None
        if ended:
            raise Refused(f"this has failed, see above: {' '.join(command)}")
