"""What is on Google Cloud after a deployment, and the order in which it gets there."""

from __future__ import annotations

from collections.abc import Sequence

from infra.cloud.access import Access
from infra.cloud.budget import Budget
from infra.cloud.build import Build
from infra.cloud.commit import Stamp
from infra.cloud.deployment import Refused
from infra.cloud.fetch import Fetch
from infra.cloud.firebase import Firebase, tell
from infra.cloud.foundation import Foundation
from infra.cloud.measuring import Measuring
from infra.cloud.page import write_settings
from infra.cloud.project import SIGNER, Project
from infra.cloud.release import Release
from infra.cloud.roles import Roles
from infra.cloud.rules import Rules
from infra.cloud.services import Service, Services
from infra.cloud.signing import KeyInSecret
from infra.cloud.smoke import Smoke
from infra.cloud.topics import Topics
from infra.cloud.watching import Watching


class Deploy:
    """Makes what is missing and changes what differs; or, in another mode, only shows how."""

    def __init__(self, project: Project, fetch: Fetch, stamp: Stamp, token: str | None) -> None:
        """`token` is for the smoke tests."""
        self._project = project
        self._access = Access(project)
        self._foundation = Foundation(project)
        self._build = Build(project)
        self._firebase = Firebase(project, fetch)
        self._key = KeyInSecret(project)
        self._release = Release(project, Smoke(project, fetch, token), stamp)
        self._roles = Roles(project)
        self._rules = Rules(project, fetch)
        self._services = Services(project)
        self._topics = Topics(project)
        self._measuring = Measuring(project)
        self._watching = Watching(project)
        self._budget = Budget(project)

    def everything(self, *, replace_rules: bool) -> int:
        """Returns how many changes there were besides those to Firebase. Raises Failed, NoAnswer, Refused and
        BadRelease.
        """
        self._foundation.enable()
        # All that can be refused is looked at before anything is made.
        self._refuse_functions_of_before()
        self._foundation.look()
        self._access.look()
        self._services.look()
        self._topics.look()
        self._watching.look()
        if not self._project.deployment.keyless:
            self._key.look()
        self._rules.look(replace=replace_rules)
        # Accounts and roles as early as can be: a new one can be given only after some seconds.
        new_accounts = self._access.make_accounts()
        self._roles.make()
        self._foundation.make()
        self._rules.publish()
        self._topics.make()
        if not self._project.deployment.keyless:
            self._key.ensure(account_is_new=SIGNER in new_accounts)
        self._access.grant([*self._access.of_functions(), self._access.of_the_builder()])
        self._build.prepare()
        image = self._build.image()
        self._foundation.wait_for_indexes()
        services = self._release.make(image, self._key_version())
        # Only now, because what was deployed before may sign with this role.
        self._access.forbid_signing_as_itself()
        # What makes events comes after what consumes them.
        self._topics.push({one.account: _url(services, one.account) for one in self._project.functions})
        self._access.grant(self._access.of_dead_letters())
        self._access.let_buckets_tell()
        self._watching.notify()
        self._watching.schedule()
        # Alerts read metrics.
        self._measuring.make()
        self._watching.alert()
        steps = self._firebase.steps
        if self.has_old_key():
            steps.append("The secret still has an old signing key. Run ./deploy.sh rotate-signing-key again")
        steps += self._budget.make()
        changes = self._project.gcloud.changes
        try:
            try:
                self._firebase.make()
            finally:
                if write_settings(self._project, services, self._firebase.web_app):
                    steps.append("Run ./deploy.sh page: it still has other addresses, buckets or days")
        finally:
            tell(steps)
        return changes

    def served_image(self, key_versions: Sequence[str]) -> str | None:
        """The image of the present source, if it is served with the present settings and one of these keys."""
        image = self._build.known()
        return image if image and self._release.serves(image, key_versions) else None

    def again(self, image: str) -> None:
        """Release what is served now with the newest signing key. Raises Failed, NoAnswer and BadRelease."""
        self._release.make(image, self._key_version())

    def has_old_key(self) -> bool:
        """Whether a rotation of the signing key is not finished."""
        return not self._project.deployment.keyless and self._key.is_being_rotated()

    def _key_version(self) -> str:
        return "" if self._project.deployment.keyless else self._key.version

    def _refuse_functions_of_before(self) -> None:
        """A function that `gcloud functions` deployed is a service of the same name, which that API goes on to
        manage, and its trigger would deliver each event a second time. Detaching it keeps the service, its address
        and the trigger: https://cloud.google.com/functions/docs/managing#detach
        """
        region = self._project.deployment.region
        enabled = self._project.gcloud.read("services", "list", "--enabled")
        if all(one["config"]["name"] != "cloudfunctions.googleapis.com" for one in enabled):
            return
        listed = self._project.gcloud.find("functions", "list", f"--regions={region}") or []
        names = {one["name"].rpartition("/")[2] for one in listed} & {*self._project.table.functions}
        if not names:
            return
        typed = self._project.gcloud.typed
        commands = "\n".join(typed(f"functions detach {name} {self._project.region}") for name in sorted(names))
        raise Refused(
            "these were deployed with gcloud functions, and must become services of Cloud Run alone. Run\n"
            f"{commands}\nand then ./deploy.sh again. After it, delete the triggers of the functions that receive "
            f"events, which deliver them a second time: {typed(f'eventarc triggers list --location={region}')}"
        )


def _url(services: dict[str, Service], name: str) -> str:
    return services[name].url if name in services else f"https://URL_OF_{name}"
