"""The budget that warns: https://cloud.google.com/billing/docs/how-to/budgets"""

from __future__ import annotations

import sys
from typing import Any

from infra.cloud.gcloud import Denied, Failed, Mode
from infra.cloud.project import Project

_NAME = "NuuMee Jobs"
_API = "billingbudgets.googleapis.com"
_REFUSED = (
    "BUDGET could not be set, see above. If it was refused: its currency must be the billing account's, and your "
    "account needs roles/billing.costsManager on that. Then run this again"
)
"""https://cloud.google.com/billing/docs/how-to/budget-api-access-control"""


class Budget:
    """Its methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._gcloud = project.gcloud

    def make(self) -> list[str]:
        """Mails to those who may see the bill at half, nine tenths and all of the amount; it stops nothing.

        Returns what is left to a person, since a deployment does without a budget.
        A check by whoever may not see the account's budgets goes on without them.
        """
        if not self._project.deployment.has_budget:
            return []
        try:
            self._make()
        except Failed as error:
            if self._gcloud.mode is not Mode.CHECK:
                return [_REFUSED]
            if not isinstance(error, Denied):
                raise
            _say_that_none_can_be_seen()
        return []

    def _make(self) -> None:
        deployment = self._project.deployment
        amount, account = deployment.budget, self._account()
        there = self._in(account)
        if not there:
            self._gcloud.run(
                *("billing", "budgets", "create", f"--billing-account={account}", f"--display-name={_NAME}"),
                *(f"--budget-amount={amount}", f"--filter-projects=projects/{deployment.project}"),
                *(f"--threshold-rule=percent={percent}" for percent in ("0.5", "0.9", "1.0")),
            )
        for one in there:
            if _amount(one) != amount:
                self._gcloud.run("billing", "budgets", "update", one["name"], f"--budget-amount={amount}")

    def there(self) -> list[str]:
        """The full names of the project's budgets of our name. Whoever may not see them gets none, and is told so.
        Whoever never set one needs no role on the billing account: nothing is asked unless the API is enabled.
        """
        enabled = self._gcloud.read("services", "list", "--enabled")
        if all(one["config"]["name"] != _API for one in enabled):
            return []
        try:
            account = self._account()
            return [one["name"] for one in self._in(account)] if account else []
        except Denied:
            _say_that_none_can_be_seen()
            return []

    def _account(self) -> str:
        """The id of the account that pays; empty if none does."""
        described = ("billing", "projects", "describe", self._project.deployment.project)
        placeholder = {"billingAccountName": "billingAccounts/BILLING_ACCOUNT"}
        found = self._gcloud.read(*described, placeholder=placeholder)
        return str(found.get("billingAccountName", "")).removeprefix("billingAccounts/")

    def _in(self, account: str) -> list[dict[str, Any]]:
        """Of our name and for this project alone: other projects' are on the same account. Google answers with a
        project's number, whatever it was given.
        """
        ours = {f"projects/{name}" for name in (self._project.deployment.project, self._project.number)}
        budgets = self._gcloud.read("billing", "budgets", "list", f"--billing-account={account}")
        return [
            one
            for one in budgets
            if one.get("displayName") == _NAME
            and (projects := {*one.get("budgetFilter", {}).get("projects", ())})
            and projects <= ours
        ]


def _say_that_none_can_be_seen() -> None:
    print(
        "deploy.sh: whether there is a budget is not known: your account may not see those of the billing account",
        file=sys.stderr,
    )


def _amount(budget: dict[str, Any]) -> str:
    specified = budget.get("amount", {}).get("specifiedAmount", {})
    return f"{specified.get('units', '')}{specified.get('currencyCode', '')}"
