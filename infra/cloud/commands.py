"""What each command of deploy.sh does."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from infra.cloud.commit import ID, Stamp
from infra.cloud.deploy import Deploy
from infra.cloud.deployment import Refused, Request
from infra.cloud.fetch import Fetch
from infra.cloud.gcloud import Mode
from infra.cloud.page import Page, Run
from infra.cloud.project import Project
from infra.cloud.release import Release
from infra.cloud.releases import Releases
from infra.cloud.removal import Leftover, Removal, remove
from infra.cloud.services import Services
from infra.cloud.signing import KeyInSecret
from infra.cloud.smoke import Smoke
from shared.settings import Settings

_URLS_LAST = timedelta(seconds=Settings.url_lifetime, minutes=15)
"""How long URLs of the old key are needed: as long as they last, and the time that instances of the old revisions
may take to end.
"""


class Commands:
    def __init__(self, project: Project, stamp: Stamp, fetch: Fetch, run: Run, ask: Callable[[str], str]) -> None:
        self._project = project
        self._stamp = stamp
        self._fetch = fetch
        self._run = run
        self._ask = ask
        self._token = os.environ.get("SMOKE_TOKEN") or None

    def carry_out(self, request: Request) -> int:
        """Returns the exit code. Raises Failed, NoAnswer, Refused and BadRelease."""
        match request.command:
            case "page":
                Page(self._project, self._fetch, self._run).deploy()
            case "rollback":
                self._roll_back()
            case "check":
                return self._check(prune="prune" in request.options)
            case "rotate-signing-key":
                self._rotate(leaked="leaked" in request.options)
            case "destroy":
                return self._destroy()
            case _:
                self._deploy().everything(replace_rules="replace-rules" in request.options)
        return 0

    def _deploy(self) -> Deploy:
        return Deploy(self._project, self._fetch, self._stamp, self._token)

    def _roll_back(self) -> None:
        release = Release(self._project, Smoke(self._project, self._fetch, self._token), self._stamp)
        print(f"deploy.sh: this release serves again: {release.roll_back().state}")

    def _check(self, *, prune: bool) -> int:
        """1 if something differs, or stays although it is no longer in the data."""
        deploy = self._deploy()
        # Rules of others are told of like all that differs.
        besides_firebase = deploy.everything(replace_rules=True)
        differs = self._project.gcloud.changes > 0 or deploy.has_old_key()
        removal = Removal(self._project)
        leftovers = removal.leftovers()
        self._show("no longer in the data", leftovers)
        # Firebase needs no leftover, and its steps may be left to a person for long.
        if prune and leftovers and besides_firebase:
            print("deploy.sh: nothing was removed, because what is served may need it: run ./deploy.sh first")
        elif prune and leftovers and self._ask("Remove all of these? Type yes: ") == "yes":
            self._project.gcloud.mode = Mode.RUN
            if not (failed := remove(leftovers)):
                return int(differs)
            print(f"deploy.sh: could not be removed: {', '.join(failed)}")
        return int(differs or bool(leftovers))

    def _destroy(self) -> int:
        removal = Removal(self._project)
        leftovers = removal.leftovers(everything=True)
        self._show("will be removed", leftovers)
        name = self._project.deployment.project
        print("Firestore and buckets with objects stay.")
        for region in Services(self._project).elsewhere():
            print(f"Services in {region} stay too: run destroy again with --region={region}.")
        if self._ask(f"Type the project's id to remove all of these from {name}: ") != name:
            raise Refused("nothing was removed")
        failed = remove(leftovers)
        if failed:
            print(f"deploy.sh: could not be removed, run destroy again: {', '.join(failed)}")
        return int(bool(failed))

    def _rotate(self, *, leaked: bool) -> None:
        """Each step is known from what is there, so a run goes on where the last one ended."""
        if self._project.deployment.keyless:
            raise Refused("with SIGNING=keyless there is no key to exchange")
        key = KeyInSecret(self._project)
        numbers = key.numbers()
        if not numbers:
            raise Refused("there is no key yet: run ./deploy.sh first")
        deploy = self._deploy()
        image = deploy.served_image(numbers)
        if image is None:
            raise Refused(
                "this checkout, with these settings, is not what is served, and a rotation would release it. Take "
                "the commit that the log lines tell, or run ./deploy.sh first. No key was exchanged"
            )
        if len(numbers) == 1 or not key.can_sign():
            key.add()
        deploy.again(image)
        records = Releases(self._project).all()
        taken = datetime.strptime(records[-1].served_at, ID).replace(tzinfo=UTC)
        if not leaked and self._stamp.time < taken + _URLS_LAST:
            when = (taken + _URLS_LAST).strftime("%H:%M")
            print("deploy.sh: the functions sign with the new key")
            print(f"deploy.sh: run this again after {when} UTC: it deletes the old key")
            return
        key.retire_old()

    def _show(self, what: str, leftovers: list[Leftover]) -> None:
        for leftover in leftovers:
            print(f"{what}: {leftover.what}")
