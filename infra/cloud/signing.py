"""The key that signs URLs: it is made once, is never shown, and can be exchanged for a new one."""

from __future__ import annotations

import re
from typing import Any

from infra.cloud.access import SECRET
from infra.cloud.deployment import Refused
from infra.cloud.gcloud import Failed
from infra.cloud.project import DESCRIPTION, LABEL_TEXT, SIGNER, Project, is_labelled

_ACTIVE = "ACTIVE"
"""The state of an HMAC key that can sign: https://cloud.google.com/storage/docs/authentication/hmackeys"""
_KEY = re.compile(r"[A-Za-z0-9]+:[!-~]+")


class KeyInSecret:
    """The methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._gcloud = project.gcloud
        self._email = project.email(SIGNER)
        self._region = project.deployment.region

    def look(self) -> None:
        """Raises Refused if a secret of our name is somebody else's."""
        if self._gcloud.find("secrets", "describe", SECRET) and not self.is_ours():
            update = self._gcloud.typed(f"secrets update {SECRET} --update-labels={LABEL_TEXT}")
            raise Refused(
                f"the secret {SECRET} may be another product's, because it has no label {LABEL_TEXT}. If it is "
                f"not: {update}"
            )

    def is_ours(self) -> bool:
        """Whether the secret is there and is ours. Earlier versions gave it no label, but made the account too,
        with no description at first.
        """
        secret = self._gcloud.find("secrets", "describe", SECRET)
        if secret is None or is_labelled(secret.get("labels", {})):
            return secret is not None
        accounts = self._gcloud.read("iam", "service-accounts", "list")
        ours = (None, "", DESCRIPTION)
        return any(one["email"] == self._email and one.get("description") in ours for one in accounts)

    def ensure(self, *, account_is_new: bool) -> None:
        """After `look`: a key that can sign is in the secret. A new account has none, whatever the secret holds.
        Raises Refused if no key can be kept.
        """
        secret = self._gcloud.find("secrets", "describe", SECRET)
        if secret is None:
            # Automatic replication is refused where an organisation restricts locations:
            # https://cloud.google.com/secret-manager/docs/choosing-replication
            places = ("--replication-policy=user-managed", f"--locations={self._region}")
            self._gcloud.create("secrets", "create", SECRET, *places, f"--labels={LABEL_TEXT}")
        elif not is_labelled(secret.get("labels", {})):
            self._gcloud.run("secrets", "update", SECRET, f"--update-labels={LABEL_TEXT}")
        if account_is_new or not self.versions() or not self._has_key():
            # Older versions stay for now: what is served until the release starts with one of them.
            self.add()

    def add(self) -> None:
        """Raises Refused if no key can be kept."""
        before = len(self.versions())
        key, kept = self._gcloud.pass_on(
            ("storage", "hmac", "create", self._email, '--format=value[separator=":"](metadata.accessId,secret)'),
            ("secrets", "versions", "add", SECRET, "--data-file=-"),
            lambda key: _KEY.fullmatch(key) is not None,
        )
        if kept:
            return
        problem = f"gcloud made no HMAC key for {self._email} that can be kept"
        if _KEY.fullmatch(key):
            if self._was_kept_after_all(before):
                return
            problem = f"the HMAC key of {self._email} could not be kept in the secret {SECRET}"
        if not self._is_deleted(key.partition(":")[0]):
            listing = self._gcloud.typed(f"storage hmac list --service-account={self._email}")
            problem += f", and may still be there: see {listing}"
        raise Refused(problem)

    def versions(self) -> list[dict[str, Any]]:
        """The secret's versions that can be read, the newest first; none if there is no secret."""
        found = self._gcloud.find(
            "secrets", "versions", "list", SECRET, "--filter=state=enabled", "--sort-by=~createTime"
        )
        return found or []

    def is_there(self) -> bool:
        """Whether functions can get a key, and it and whose it is still exist, as far as the caller may see."""
        accounts = self._gcloud.read("iam", "service-accounts", "list")
        if not any(one["email"] == self._email for one in accounts) or not self.versions():
            return False
        try:
            return self._has_key()
        except Failed:  # a rollback must not need the right to list keys
            return True

    def can_sign(self) -> bool:
        """Whether the newest version's key is an active one of the account."""
        number, *_ = self.numbers()
        states = {key["accessId"]: key["state"] for key in self.hmac_keys()}
        return states.get(self._access_id(number)) == _ACTIVE

    def is_being_rotated(self) -> bool:
        """Whether the secret still has an old key beside the new one."""
        return len(self.numbers()) > 1

    @property
    def version(self) -> str:
        """The newest version's number."""
        return next(iter(self.numbers()), "1")

    def numbers(self) -> list[str]:
        """Those of `versions`."""
        return [str(one["name"]).rpartition("/")[2] for one in self.versions()]

    def retire_old(self) -> None:
        """Delete all of the account's keys but that of the newest version, which can sign, and destroy the other
        versions.
        """
        number, *others = self.numbers()
        access_id = self._access_id(number)
        for key in self.hmac_keys():
            if key["accessId"] != access_id:
                self.delete_key(key["accessId"])
        for old in others:
            self._gcloud.run("secrets", "versions", "destroy", old, f"--secret={SECRET}")

    def hmac_keys(self) -> list[dict[str, Any]]:
        """The account's HMAC keys, those that are inactive too; none if there is no account."""
        return self._gcloud.find("storage", "hmac", "list", f"--service-account={self._email}", "--long") or []

    def delete_key(self, access_id: str) -> None:
        self._gcloud.run("storage", "hmac", "update", access_id, "--deactivate")
        self._gcloud.run("storage", "hmac", "delete", access_id)

    def _access_id(self, number: str) -> str:
        """Of the key in this version."""
        key = self._gcloud.reveal("secrets", "versions", "access", number, f"--secret={SECRET}")
        return key.partition(":")[0]

    def _has_key(self) -> bool:
        return any(key["state"] == _ACTIVE for key in self.hmac_keys())

    def _was_kept_after_all(self, before: int) -> bool:
        """Whether only gcloud's answer was lost."""
        try:
            return len(self.versions()) > before
        except Failed:
            return False

    def _is_deleted(self, access_id: str) -> bool:
        if not re.fullmatch("GOOG[A-Z0-9]+", access_id):
            return False
        try:
            self.delete_key(access_id)
        except Failed:
            return False
        return True
