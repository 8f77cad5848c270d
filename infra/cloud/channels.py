"""Who hears of alerts: https://cloud.google.com/monitoring/alerts/using-channels-api"""

from __future__ import annotations

from infra.cloud.gcloud import Mode, NoAnswer
from infra.cloud.project import LABEL_TEXT, Project, is_labelled

_GROUP = ("beta", "monitoring", "channels")


class Channels:
    """Its methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._gcloud = project.gcloud
        self._deployment = project.deployment

    def ensure(self) -> list[str]:
        """The full names of those that the settings mean. The one of ALERT_EMAIL is made unless it is there.
        Raises NoAnswer.
        """
        named = self._deployment.alert_channels
        channels = [] if named == "none" else named.split(",")
        return [*channels, *map(self._mailing, self.wanted())]

    def there(self) -> list[tuple[str, str]]:
        """Those that a deployment made: the name for people, which several may have, and the full name."""
        listed = self._gcloud.find(*_GROUP, "list") or ()
        ours = (one for one in listed if is_labelled(one.get("userLabels", {})))
        return [(one["displayName"], one["name"]) for one in ours]

    def wanted(self) -> list[str]:
        """The name for people of the one that there should be, if there should be one. It has the address, because
        what is read back of a channel may leave that out.
        """
        email = self._deployment.alert_email
        return [] if email == "none" else [f"NuuMee Jobs to {email}"]

    def _mailing(self, name: str) -> str:
        if found := dict(self.there()).get(name):
            return found
        self._gcloud.run(
            *(*_GROUP, "create", f"--display-name={name}", f"--user-labels={LABEL_TEXT}", "--type=email"),
            f"--channel-labels=email_address={self._deployment.alert_email}",
        )
        for _ in self._gcloud.attempts("the notification channel can be found"):
            if found := dict(self.there()).get(name):
                return found
            if self._gcloud.mode is not Mode.RUN:
                return f"projects/{self._deployment.project}/notificationChannels/CHANNEL"
        raise NoAnswer(f"the notification channel {name} was made and cannot be found: run deploy.sh again later")
