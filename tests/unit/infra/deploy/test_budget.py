"""The budget that warns, and nobody else's."""

from __future__ import annotations

import copy

import pytest

from tests.unit.infra.deploy.checkout import REQUIRED, Checkout, those
from tests.unit.infra.deploy.test_destroy import destroy
from tests.unit.infra.deploy.test_removal import check, grow

DENIED = "[me] does not have permission to access billingAccounts instance [it] (or it may not exist)"
BUDGET = (*REQUIRED, "--budget=100USD")
OTHERS = {
    name: {"name": name, "displayName": shown, **scope}
    for name, shown, scope in (
        ("another-project", "NuuMee Jobs", {"budgetFilter": {"projects": ["projects/654321"]}}),
        ("both", "NuuMee Jobs", {"budgetFilter": {"projects": ["projects/123456", "projects/654321"]}}),
        ("all", "NuuMee Jobs", {}),
        ("another-name", "Other", {"budgetFilter": {"projects": ["projects/123456"]}}),
    )
}
"""Of the same billing account."""


def test_a_budget_is_made_only_if_asked_for_and_follows_the_setting(checkout: Checkout) -> None:
    assert not any(command[0] == "billing" for command in checkout.must())
    changes = checkout.must(*REQUIRED, "--budget=100USD")
    assert {"billingbudgets.googleapis.com", "cloudbilling.googleapis.com"} <= set(changes[0])
    (made,) = those(changes, "billing", "budgets", "create")
    assert {"--budget-amount=100USD", "--filter-projects=projects/nuumee-test"} <= set(made)
    assert sum(word.startswith("--threshold-rule=percent=") for word in made) == 3
    assert checkout.must(*REQUIRED, "--budget=100USD") == []
    (updated,) = checkout.must(*REQUIRED, "--budget=150USD")
    assert updated[:3] == ["billing", "budgets", "update"]
    assert checkout.must(*REQUIRED, "--budget=150USD") == []


@pytest.fixture
def shared(checkout: Checkout) -> Checkout:
    """A project with a budget, on a billing account that has others."""
    checkout.cloud.budgets = copy.deepcopy(OTHERS)
    checkout.must(*BUDGET)
    return checkout


def test_a_budget_of_another_project_is_neither_taken_for_ours_nor_changed(shared: Checkout) -> None:
    assert len(shared.cloud.budgets) == len(OTHERS) + 1
    shared.must(*REQUIRED, "--budget=150USD")
    assert {name: shared.cloud.budgets[name] for name in OTHERS} == OTHERS


def test_a_budget_that_is_known_by_the_projects_id_is_ours(shared: Checkout) -> None:
    (ours,) = shared.cloud.budgets.keys() - OTHERS.keys()
    shared.cloud.budgets[ours]["budgetFilter"] = {"projects": ["projects/nuumee-test"]}
    assert shared.must(*BUDGET) == []


def test_a_budget_that_is_no_longer_set_is_named_and_pruned(shared: Checkout) -> None:
    (ours,) = shared.cloud.budgets.keys() - OTHERS.keys()
    assert check(shared).stdout.splitlines() == [f"no longer in the data: budget {ours}"]
    shared.answers = ["yes"]
    assert check(shared, "--prune").returncode == 0
    assert shared.cloud.budgets == OTHERS


def test_an_end_takes_the_budget_with_it(shared: Checkout) -> None:
    assert destroy(shared).returncode == 0
    assert shared.cloud.budgets == OTHERS


UNKNOWN = "whether there is a budget is not known"
LOOKS = ("billing projects describe", "billing budgets list")


@pytest.mark.parametrize("look", LOOKS)
def test_who_may_not_see_budgets_is_told_so_and_can_check_prune_and_end_the_rest(
    look: str, shared: Checkout
) -> None:
    budgets = copy.deepcopy(shared.cloud.budgets)
    shared.cloud.failing, shared.cloud.saying = look, DENIED
    for flags in (REQUIRED, BUDGET):
        done = shared.deploy("check", *flags)
        assert (done.returncode, done.stdout, done.stderr.count(UNKNOWN)) == (0, "", 1)
    grow(shared)
    shared.answers = ["yes"]
    assert check(shared, "--prune").returncode == 0
    assert "old-one" not in shared.cloud.services
    done = destroy(shared)
    assert (done.returncode, done.stderr.count(UNKNOWN)) == (0, 1)
    assert [*shared.cloud.services] == ["other"]
    assert shared.cloud.budgets == budgets


@pytest.mark.parametrize(
    ("step", "saying"),
    [*((look, DENIED) for look in LOOKS), ("billing budgets create", "INVALID_ARGUMENT: invalid argument.")],
)
def test_a_budget_that_cannot_be_made_is_left_to_a_person_and_holds_back_nothing_else(
    step: str, saying: str, checkout: Checkout
) -> None:
    checkout.cloud.failing, checkout.cloud.saying = step, saying
    done = checkout.deploy(*BUDGET)
    assert (done.returncode, checkout.cloud.budgets) == (0, {})
    assert saying in done.stderr
    (told,) = [line for line in done.stderr.splitlines() if "BUDGET could not be set" in line]
    assert told.startswith("deploy.sh: left to you, 1: ")
    assert "currency must be the billing account's" in told
    assert "roles/billing.costsManager" in told
    assert checkout.cloud.web_apps
    assert "NEXT_PUBLIC_LIST_JOBS_URL=https://list-jobs.run.app" in done.stdout
    checkout.cloud.failing = None
    (made,) = checkout.must(*BUDGET)
    assert made[:3] == ["billing", "budgets", "create"]


def test_a_check_whose_look_at_budgets_fails_for_another_reason_fails(shared: Checkout) -> None:
    shared.cloud.failing = "billing budgets list"
    assert shared.deploy("check", *BUDGET).returncode == 7


def test_an_end_whose_look_at_budgets_fails_for_another_reason_removes_nothing(shared: Checkout) -> None:
    shared.cloud.failing = "billing budgets list"
    done = destroy(shared)
    assert (done.returncode, shared.cloud.changes()) == (7, [])
    assert UNKNOWN not in done.stderr


def test_who_never_set_a_budget_is_asked_for_no_role_on_the_billing_account(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.failing = "billing"
    assert check(checkout).returncode == 0
    assert destroy(checkout).returncode == 0
