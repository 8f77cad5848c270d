"""The project's own roles."""

from __future__ import annotations

from typing import Any

import pytest

from infra.functions import table
from tests.unit.infra.deploy.checkout import REQUIRED, Checkout, Line, option, those

ROLES = table().custom_roles
REMOVER = "nuumeeJobsRemover"


def of_roles(commands: list[Line]) -> list[Line]:
    return those(commands, "iam", "roles")


def test_each_role_of_the_table_is_made_before_it_is_given(commands: list[Line]) -> None:
    made = those(commands, "iam", "roles", "create")
    assert {command[3]: {*option(command, "--permissions").split(",")} for command in made} == {
        name: role.permissions for name, role in ROLES.items()
    }
    assert {option(command, "--stage") for command in made} == {"GA"}
    given = [command for command in commands if "add-iam-policy-binding" in command]
    assert max(map(commands.index, made)) < min(map(commands.index, given))


def test_no_role_of_the_table_is_without_a_function() -> None:
    given = {role.name for function in table().functions.values() for role in function.roles}
    assert ROLES.keys() <= given


@pytest.mark.parametrize(
    "changes",
    [
        {"includedPermissions": ["storage.objects.get", "storage.objects.list"]},
        {"includedPermissions": [*ROLES[REMOVER].permissions, "storage.objects.update"]},
        {"title": "Mine"},
        {"description": ""},
        {"stage": "DISABLED"},
    ],
)
def test_a_role_that_differs_is_updated(changes: dict[str, Any], checkout: Checkout) -> None:
    checkout.must()
    wanted = {**checkout.cloud.roles[REMOVER]}
    checkout.cloud.roles[REMOVER].update(changes)
    (updated,) = checkout.must()
    assert updated[:4] == ["iam", "roles", "update", REMOVER]
    assert checkout.cloud.roles[REMOVER] == wanted


def test_a_role_that_was_deleted_comes_back(checkout: Checkout) -> None:
    checkout.must()
    wanted = {**checkout.cloud.roles[REMOVER]}
    checkout.cloud.roles[REMOVER]["deleted"] = True
    assert [command[2:4] for command in checkout.must()] == [["undelete", REMOVER]]
    assert checkout.cloud.roles[REMOVER] == wanted


def test_a_role_that_was_deleted_and_has_changed_since_comes_back_as_it_should_be(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.roles[REMOVER].update(deleted=True, includedPermissions=["storage.objects.list"])
    assert [command[2] for command in checkout.must()] == ["undelete", "update"]
    assert {*checkout.cloud.roles[REMOVER]["includedPermissions"]} == ROLES[REMOVER].permissions


def test_a_check_names_a_deleted_role_and_leaves_it(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.roles[REMOVER]["deleted"] = True
    done = checkout.deploy("check", *REQUIRED)
    assert (done.returncode, done.stdout.count(f"gcloud iam roles undelete {REMOVER}")) == (1, 1)
    assert checkout.cloud.roles[REMOVER]["deleted"]


def test_a_deployment_that_was_destroyed_gets_its_roles_back(checkout: Checkout) -> None:
    checkout.must()
    checkout.answers = ["nuumee-test"]
    assert checkout.deploy("destroy", *REQUIRED).returncode == 0
    assert [command[2] for command in of_roles(checkout.must())] == ["undelete"] * len(ROLES)


def test_a_role_whose_id_cannot_be_had_ends_the_run_before_anything_is_released(checkout: Checkout) -> None:
    checkout.cloud.failing = f"iam roles create {REMOVER}"
    checkout.cloud.saying = f"FAILED_PRECONDITION: You can't create a role_id ({REMOVER}) which has been marked"
    done = checkout.deploy()
    assert done.returncode == 7
    assert f"({REMOVER}) which has been marked" in done.stderr
    assert (checkout.cloud.services, checkout.cloud.policies) == ({}, {})
