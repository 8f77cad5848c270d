"""Users of the local cloud whose accounts end."""

from __future__ import annotations

from infra.local.users import Users


class EndingUsers(Users):
    def disable(self, user_id: str) -> None:
        self._post(f"{self._admin}:update", {"localId": user_id, "disableUser": True})

    def remove(self, user_id: str) -> None:
        self._post(f"{self._admin}:delete", {"localId": user_id})
