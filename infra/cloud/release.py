"""A release is of all services or of none.

Each gets a revision without requests, which is tried. Only if all work, requests are moved. What fails on the way
leaves or puts back all as it was. New revisions are still there then, but after a failed trial without an address.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from infra.cloud.access import Access
from infra.cloud.commit import ID, Stamp
from infra.cloud.deployment import Refused
from infra.cloud.gcloud import Failed, Mode, NoAnswer
from infra.cloud.project import Project
from infra.cloud.releases import Record, Releases, before_present
from infra.cloud.services import TAG, Service, Services
from infra.cloud.signing import KeyInSecret
from infra.cloud.smoke import Smoke
from infra.functions import Function


class Release:
    def __init__(self, project: Project, smoke: Smoke, stamp: Stamp) -> None:
        self._project = project
        self._gcloud = project.gcloud
        self._smoke = smoke
        self._stamp = stamp
        self._services = Services(project)
        self._releases = Releases(project)

    def make(self, image: str, key_version: str) -> dict[str, Service]:
        """Release the image, unless it serves already. Returns the services.

        Raises BadRelease or Failed if nothing was released.
        """
        there = self._services.there()
        if self._gcloud.mode is Mode.DRY_RUN:
            there = {}
        records = self._releases.all()
        try:
            wanted = {
                function: self._candidate(function, image, key_version, there.get(function.account))
                for function in self._project.functions
            }
            access = Access(self._project)
            access.grant(access.of_the_pusher(wanted))
            if self._gcloud.mode is Mode.CHECK:
                return there
            services = self._services.there()
            proven = {revision for record in records for revision in record.revisions.values()}
            new = {function: revision for function, revision in wanted.items() if revision not in proven}
            if new:
                self._smoke.test(new, services, self._stamp.id)
        except BaseException:
            if self._gcloud.mode is Mode.RUN:
                self._hide_candidates()
            raise
        revisions = {function.account: revision for function, revision in wanted.items()}
        self._move(revisions, services)
        if not records or records[-1].revisions != revisions:
            self._record(str(self._stamp), revisions)
        return services

    def serves(self, image: str, key_versions: Sequence[str]) -> bool:
        """Whether all services serve this image with the present settings and one of these keys."""
        serving = {name: service.serving or "" for name, service in self._services.there().items()}
        return all(
            serving.get(function.account, "").startswith(
                tuple(self._services.prefix(function, image, version) for version in key_versions)
            )
            for function in self._project.functions
        )

    def roll_back(self) -> Record:
        """Serve the last whole release before the present one. Returns its record.

        Revisions end with their service, and their records stay: a release of before `destroy` is none to go back
        to. Nor is one that could not sign URLs any more, or would take another's address for its client's. Raises
        Failed, and Refused if there is none.
        """
        services = self._services.there()
        serving = {name: service.serving for name, service in services.items()}
        there = self._usable()
        earlier = [
            record
            for record in before_present(self._releases.all(), serving)
            if (ours := {*record.of_those(services).values()}) and ours <= there
        ]
        if not earlier:
            raise Refused("there is no earlier release that could be gone back to")
        target = earlier[-1]
        self._move(target.of_those(services), services)
        try:
            # What was left is now before what serves: a later rollback must not come to it.
            self._record(target.state, target.revisions)
        except Failed:
            print(
                f"deploy.sh: {target.state} serves again, but this could not be recorded, see above: "
                "to repeat the rollback would go back further",
                file=sys.stderr,
            )
            raise
        return target

    def _record(self, state: str, revisions: Mapping[str, str]) -> None:
        """After requests were moved."""
        self._releases.add(Record(self._stamp.id, state, revisions, self._stamp.now().strftime(ID)))

    def _usable(self) -> set[str]:
        """The names of the revisions that could sign as they are set up to, with a key or as themselves, and that
        find their client's address where it is now: who may reach them is the service's, and does not go back.
        """
        there = self._services.revisions()
        can = {"key": KeyInSecret(self._project).is_there, "keyless": Access(self._project).may_sign_as_itself}
        ways = {variables.get("SIGNING") for variables in there.values()}
        unable = {way for way, is_able in can.items() if way in ways and not is_able()}
        public = {function.name for function in self._project.functions if function.public}
        return {
            name
            for name, variables in there.items()
            if variables.get("SIGNING") not in unable
            and (
                variables.get("FUNCTION_TARGET") not in public
                or variables.get("FORWARDED_HOPS") == self._project.deployment.forwarded_hops
            )
        }

    def _candidate(self, function: Function, image: str, key_version: str, there: Service | None) -> str:
        """The revision that should serve. It is made unless it is there."""
        prefix = self._services.prefix(function, image, key_version)
        if there and there.serving and there.serving.startswith(prefix):
            self._services.settle(function, there)
            return there.serving
        if there and there.candidate and there.candidate.startswith(prefix) and there.candidate == there.ready:
            self._services.settle(function, there)
            return there.candidate
        dry = self._gcloud.mode is Mode.DRY_RUN
        revision = f"{function.account}-REVISION" if dry else f"{prefix}{self._stamp.id}"
        self._services.deploy(function, image, revision, self._stamp, is_new=there is None)
        return revision

    def _hide_candidates(self) -> None:
        """Try to take from each the address at which the internet can reach it. Names those that keep theirs."""
        try:
            tagged = [service.name for service in self._services.there().values() if service.candidate]
        except Failed:
            print("deploy.sh: new revisions may still have their addresses, see above", file=sys.stderr)
            return
        if tagged:
            names = ", ".join(tagged)
            print(f"deploy.sh: taking their addresses from the new revisions of {names}", file=sys.stderr)
        stuck = [name for name in tagged if not self._is_untagged(name)]
        if stuck:
            print(f"deploy.sh: these still have theirs, see above: {', '.join(stuck)}", file=sys.stderr)

    def _is_untagged(self, name: str) -> bool:
        try:
            self._gcloud.run(
                "run", "services", "update-traffic", name, self._project.region, f"--remove-tags={TAG}"
            )
        except (Failed, NoAnswer):
            return False
        return True

    def _move(self, revisions: Mapping[str, str], services: Mapping[str, Service]) -> None:
        """Raises Failed, or is interrupted, after having put all back."""
        moved: list[Service] = []
        try:
            for name, revision in revisions.items():
                service = services[name]
                if service.serving != revision or service.candidate:
                    moved.append(service)
                    self._serve(name, {revision: 100}, f"--remove-tags={TAG}" if service.candidate else None)
        except (Failed, KeyboardInterrupt):
            print("deploy.sh: not all requests could be moved to the new revisions: going back", file=sys.stderr)
            stuck = [service.name for service in reversed(moved) if not self._is_put_back(service)]
            if stuck:
                print(f"deploy.sh: these did not go back, see above: {', '.join(stuck)}", file=sys.stderr)
            raise

    def _is_put_back(self, service: Service) -> bool:
        try:
            if service.traffic:
                self._serve(service.name, service.traffic, None)
        except Failed:
            return False
        return True

    def _serve(self, name: str, traffic: Mapping[str, int], tags: str | None) -> None:
        shares = ",".join(f"{revision}={percent}" for revision, percent in traffic.items())
        flags = (f"--to-revisions={shares}", *((tags,) if tags else ()))
        self._gcloud.run("run", "services", "update-traffic", name, self._project.region, *flags)
