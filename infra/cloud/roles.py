"""The project's own roles: made as the table has them, and brought back if they were deleted."""

from __future__ import annotations

from typing import Any

from infra.cloud.project import DESCRIPTION, Project
from infra.functions import CustomRole

_GROUP = ("iam", "roles")


class Roles:
    """Its methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._gcloud = project.gcloud

    def make(self) -> None:
        """A role that was deleted is still there for a week, and no other can have its id:
        https://cloud.google.com/iam/docs/creating-custom-roles#deleting-custom-role
        """
        for role in self._project.table.custom_roles.values():
            there = self._gcloud.find(*_GROUP, "describe", role.id)
            if there is None:
                self._gcloud.create(*_GROUP, "create", role.id, *_flags(role))
                continue
            if there.get("deleted"):
                self._gcloud.run_once_known(*_GROUP, "undelete", role.id)
            if _differs(there, role):
                self._gcloud.run_once_known(*_GROUP, "update", role.id, *_flags(role))

    def there(self) -> set[str]:
        """The ids of those that a deployment made and that are not deleted."""
        listed = self._gcloud.read(*_GROUP, "list")
        return {one["name"].rpartition("/")[2] for one in listed if one.get("description") == DESCRIPTION}


def _flags(role: CustomRole) -> tuple[str, ...]:
    """A role without a stage is one of the alpha stage."""
    permissions = ",".join(sorted(role.permissions))
    return (
        f"--title={role.title}",
        f"--description={DESCRIPTION}",
        "--stage=GA",
        f"--permissions={permissions}",
    )


def _differs(there: dict[str, Any], role: CustomRole) -> bool:
    about = (there.get("title"), there.get("description"), there.get("stage"))
    return about != (role.title, DESCRIPTION, "GA") or {*there.get("includedPermissions", ())} != role.permissions
