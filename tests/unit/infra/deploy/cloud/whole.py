"""All of it, with what goes wrong."""

from __future__ import annotations

import json
from typing import Any

from infra.cloud.gcloud import Call, Ended
from tests.unit.infra.deploy.cloud.access import STORAGE_AGENT, Access
from tests.unit.infra.deploy.cloud.command import AlreadyThere, Command, Denied, NotThere, path
from tests.unit.infra.deploy.cloud.data import Data
from tests.unit.infra.deploy.cloud.measures import Measures
from tests.unit.infra.deploy.cloud.run import Run

_READS = ("describe", "list", "list-configs", "read", "cat", "get-iam-policy", "access", "print-access-token")

_SAID: dict[type[Exception], str] = {
    NotThere: "NOT_FOUND: there is none",
    Denied: "[me] does not have permission to access b instance [it] (or it may not exist)",
    AlreadyThere: "Resource already exists in the project.",
}


class Cloud(Data, Measures, Access, Run):
    """Runs the calls of gcloud, and keeps them. Its parts may be changed at any time."""

    def __init__(self) -> None:
        Data.__init__(self)
        Measures.__init__(self)
        Access.__init__(self)
        Run.__init__(self)
        self.calls: list[Call] = []
        self.failing: str | None = None
        """A command that contains this fails."""
        self.saying = "refused"
        self.lost: str | None = None
        """A command that contains this is carried out, but its answer is lost."""
        self.lags: dict[str, int] = {}
        """Commands that contain the key fail this many times, because something new is not known everywhere."""

    def __call__(self, call: Call) -> Ended:
        self.calls.append(call)
        line = " ".join(call.words)
        if self.failing and self.failing in line:
            return Ended(7, "", f"ERROR: {self.saying}\n")
        for late, times in self.lags.items():
            if late in line and times > 0:
                self.lags[late] -= 1
                return Ended(1, "", "ERROR: Service account a does not exist; it has not been used in project\n")
        try:
            answer = self._answer(call)
        except tuple(_SAID) as error:
            return Ended(1, "", f"ERROR: (gcloud) {_SAID[type(error)]}\n")
        if self.lost and self.lost in line:
            return Ended(7, "", "ERROR: 504\n")
        return Ended(0, answer if isinstance(answer, str) else "" if answer is None else json.dumps(answer))

    def changes(self) -> list[list[str]]:
        """The commands that change something, in their order."""
        return [list(call.words) for call in self.calls if not any(word in call.words for word in _READS)]

    def _answer(self, call: Call) -> Any:
        words = [word for word in call.words if not word.startswith("--")]
        for kind in ("get-iam-policy", "add-iam-policy-binding", "remove-iam-policy-binding"):
            if kind in words:
                at = words.index(kind)
                if words[at + 1] in self.others_buckets:
                    raise Denied
                does = {"get": self.get_policy, "add": self.add_binding, "remove": self.remove_binding}
                command = Command(call.words, words[at + 1 :], call.secret)
                return does[kind.partition("-")[0]](" ".join(words[:at]), command)
        for length in range(len(words), 0, -1):
            name = "on_" + "_".join(words[:length]).replace("-", "_")
            if hasattr(self, name):
                return getattr(self, name)(Command(call.words, words[length:], call.secret))
        raise AssertionError(f"no such command is expected: {' '.join(call.words)}")

    def on_storage_buckets_notifications_create(self, command: Command) -> None:
        """Like gcloud, which also lets Cloud Storage publish to the topic."""
        super().on_storage_buckets_notifications_create(command)
        self.has_storage_agent = True
        topic = command.flags["--topic"].rpartition("/")[2]
        granted = self.policies.setdefault(f"pubsub topics {topic}", [])
        if (publisher := (STORAGE_AGENT, "roles/pubsub.publisher", None)) not in granted:
            granted.append(publisher)

    def on_pubsub_topics_publish(self, command: Command) -> None:
        topic = path("topics", command.named[0])
        for subscription in self.subscriptions.values():
            if subscription["topic"] == topic:
                probe = command.flags["--attribute"].removeprefix("probe=")
                self.deliver_probe(subscription["pushConfig"]["pushEndpoint"], probe)
