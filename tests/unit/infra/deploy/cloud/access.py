"""Accounts, roles and keys."""

from __future__ import annotations

import itertools
from typing import Any

from tests.unit.infra.deploy.cloud.command import NUMBER, PROJECT, AlreadyThere, Command, NotThere, only, path

HMAC_KEY = "GOOG1EKEY:se/cr+et="
STORAGE_AGENT = f"serviceAccount:service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
Granted = tuple[str, str, str | None]
"""The member, the role and the condition."""


class Access:
    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.roles: dict[str, dict[str, Any]] = {}
        """The project's own, those that are deleted among them."""
        self.policies: dict[str, list[Granted]] = {}
        """By the kind of the resource and its name."""
        self.hmac_key = HMAC_KEY
        self.keys: dict[str, str] = {}
        """The states of HMAC keys, by access id."""
        self.versions: dict[str, tuple[str, str]] | None = None
        """The state and content of each version of the secret, which is there unless this is None."""
        self.secret_labels: dict[str, str] = {}
        self.has_storage_agent = False
        """Whether Cloud Storage's own account is there. Google makes it when somebody asks for it."""

    def on_iam_service_accounts_list(self, command: Command) -> Any:
        return [*self.accounts.values()]

    def on_iam_service_accounts_create(self, command: Command) -> None:
        email = f"{command.named[0]}@{PROJECT}.iam.gserviceaccount.com"
        if email in self.accounts:
            raise AlreadyThere
        flags = command.flags
        self.accounts[email] = {
            "email": email,
            "displayName": flags["--display-name"],
            "description": flags.get("--description", ""),
        }

    def on_iam_service_accounts_update(self, command: Command) -> None:
        self.accounts[command.named[0]]["description"] = command.flags["--description"]

    def on_iam_service_accounts_delete(self, command: Command) -> None:
        """With the keys, which are all url-signer's."""
        del self.accounts[command.named[0]]
        if command.named[0].startswith("url-signer@"):
            self.keys.clear()

    def on_iam_roles_list(self, command: Command) -> Any:
        """Like Google's, without permissions and without those that are deleted."""
        without = ({k: v for k, v in role.items() if k != "includedPermissions"} for role in self.roles.values())
        return [role for role in without if not role.get("deleted")]

    def on_iam_roles_describe(self, command: Command) -> Any:
        return only(self.roles.get(command.named[0]))

    def on_iam_roles_create(self, command: Command) -> None:
        role = command.named[0]
        assert not self.roles.get(role, {}).get("deleted"), "no role can have the id of one that was deleted"
        if role in self.roles:
            raise AlreadyThere
        self.roles[role] = {"name": path("roles", role)}
        self.on_iam_roles_update(command)

    def on_iam_roles_update(self, command: Command) -> None:
        role, flags = self.roles[command.named[0]], command.flags
        assert not role.get("deleted"), "Google changes no role that is deleted"
        role.update({name: flags[f"--{name}"] for name in ("title", "description", "stage")})
        role["includedPermissions"] = flags["--permissions"].split(",")

    def on_iam_roles_undelete(self, command: Command) -> None:
        assert self.roles[command.named[0]].pop("deleted")

    def on_iam_roles_delete(self, command: Command) -> None:
        self.roles[command.named[0]]["deleted"] = True

    def get_policy(self, kind: str, command: Command) -> Any:
        granted = self.policies.get(f"{kind} {command.named[0]}", [])
        bindings = []
        for member, role, condition in granted:
            binding: dict[str, Any] = {"role": role, "members": [member]}
            if condition:
                title, expression = condition.split(",", 1)
                binding["condition"] = {"title": title[6:], "expression": expression[11:]}
            bindings.append(binding)
        return {"bindings": bindings, "version": 3} if bindings else {"etag": "ACAB"}

    def add_binding(self, kind: str, command: Command) -> None:
        granted = self._granted(command)
        if granted[1].startswith("projects/") and self._is_no_role(granted[1]):
            raise NotThere
        if granted[0] == STORAGE_AGENT and not self.has_storage_agent:
            raise NotThere
        self.policies.setdefault(f"{kind} {command.named[0]}", []).append(granted)

    def _is_no_role(self, name: str) -> bool:
        return all(role["name"] != name or role.get("deleted") for role in self.roles.values())

    def remove_binding(self, kind: str, command: Command) -> None:
        granted, gone = self.policies[f"{kind} {command.named[0]}"], self._granted(command)
        if "--all" in command.flags:
            left = [one for one in granted if one[:2] != gone[:2]]
        else:
            left = [one for one in granted if one != gone]
        if left == granted:
            raise NotThere
        self.policies[f"{kind} {command.named[0]}"] = left

    def _granted(self, command: Command) -> Granted:
        flags = command.flags
        condition = flags.get("--condition", "None")
        return flags["--member"], flags["--role"], None if condition == "None" else condition

    def on_secrets_describe(self, command: Command) -> Any:
        if self.versions is None:
            raise NotThere
        return {"name": path("secrets", command.named[0]), "labels": self.secret_labels}

    def on_secrets_create(self, command: Command) -> None:
        self.versions = {}
        self.secret_labels = dict([command.flags["--labels"].split("=")])

    def on_secrets_update(self, command: Command) -> None:
        self.secret_labels |= dict([command.flags["--update-labels"].split("=")])

    def on_secrets_delete(self, command: Command) -> None:
        self.versions = None

    def on_secrets_versions_list(self, command: Command) -> Any:
        """Those that are enabled, the newest first."""
        assert command.flags["--filter"] == "state=enabled"
        assert command.flags["--sort-by"] == "~createTime"
        if self.versions is None:
            raise NotThere
        numbers = [number for number, (state, _) in self.versions.items() if state == "enabled"]
        return [{"name": path("secrets", f"url-signing-key/versions/{number}")} for number in reversed(numbers)]

    def on_secrets_versions_add(self, command: Command) -> None:
        assert self.versions is not None
        self.versions[str(len(self.versions) + 1)] = ("enabled", command.secret or "")

    def on_secrets_versions_access(self, command: Command) -> Any:
        assert self.versions
        return self.versions[command.named[0]][1]

    def on_secrets_versions_destroy(self, command: Command) -> None:
        assert self.versions
        self.versions[command.named[0]] = ("destroyed", "")

    def on_storage_hmac_create(self, command: Command) -> Any:
        """The first key is HMAC_KEY, and the next ones have numbers."""
        number = next(n for n in itertools.count(1) if f"GOOG1EKEY{n if n > 1 else ''}" not in self.keys)
        made = self.hmac_key.replace("GOOG1EKEY", f"GOOG1EKEY{number if number > 1 else ''}")
        self.keys[made.partition(":")[0]] = "ACTIVE"
        return made

    def on_storage_hmac_list(self, command: Command) -> Any:
        return [{"accessId": access_id, "state": state} for access_id, state in self.keys.items()]

    def on_storage_hmac_update(self, command: Command) -> None:
        assert "--deactivate" in command.flags
        self.keys[command.named[0]] = "INACTIVE"

    def on_storage_hmac_delete(self, command: Command) -> None:
        assert self.keys.pop(command.named[0]) == "INACTIVE", "Google deletes no active key"

    def on_storage_service_agent(self, command: Command) -> Any:
        self.has_storage_agent = True
        return STORAGE_AGENT.removeprefix("serviceAccount:")

    def on_auth_print_access_token(self, command: Command) -> Any:
        return "ya29.token"
