"""Users of the local cloud, in the Firebase Auth emulator: https://firebase.google.com/docs/reference/rest/auth"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests

_SECONDS = 30
_ADMIN = {"Authorization": "Bearer owner"}


@dataclass(frozen=True, slots=True)
class Account:
    user_id: str
    email: str
    token: str
    """An ID token, valid for an hour."""


class Users:
    def __init__(self, auth_url: str, project: str) -> None:
        self.sign_in_url = f"{auth_url}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=local"
        self._admin = f"{auth_url}/identitytoolkit.googleapis.com/v1/projects/{project}/accounts"

    def add(self, user_id: str, email: str, password: str) -> Account:
        """Create a user who can sign in with a password, and sign in."""
        body = {"localId": user_id, "email": email, "password": password, "emailVerified": True}
        self._post(self._admin, body)
        return self.sign_in(email, password)

    def sign_in(self, email: str, password: str) -> Account:
        body = {"email": email, "password": password, "returnSecureToken": True}
        answer = self._post(self.sign_in_url, body)
        return Account(answer["localId"], email, answer["idToken"])

    def revoke(self, user_id: str, valid_since: int) -> None:
        """End all sessions that began before `valid_since`, in seconds since 1970."""
        self._post(f"{self._admin}:update", {"localId": user_id, "validSince": str(valid_since)})

    def export(self) -> list[dict[str, Any]]:
        """All accounts, in the form that `load` takes."""
        url = f"{self._admin}:batchGet?maxResults=-1"
        response = requests.get(url, headers=_ADMIN, timeout=_SECONDS)
        response.raise_for_status()
        accounts: list[dict[str, Any]] = response.json().get("users", [])
        return accounts

    def load(self, accounts: list[dict[str, Any]]) -> None:
        """Recreate the accounts with their passwords. Sessions that were not revoked stay valid."""
        if not accounts:
            return
        self._post(f"{self._admin}:batchCreate", {"users": accounts})
        for account in accounts:
            self.revoke(account["localId"], int(account["validSince"]))

    @staticmethod
    def _post(url: str, body: dict[str, object]) -> dict[str, str]:
        response = requests.post(url, json=body, headers=_ADMIN, timeout=_SECONDS)
        response.raise_for_status()
        answer: dict[str, str] = response.json()
        return answer
