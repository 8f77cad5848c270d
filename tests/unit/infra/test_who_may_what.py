"""Each function's account may do what the function's code does, and docs/security.md says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.functions import Role, table
from tests.unit.infra.who_may_what import (
    AUTH,
    BEGIN,
    DEAD_LETTERS,
    END,
    FILE,
    FIRESTORE,
    STORAGE,
    may,
    parts,
    rendered,
    source_of,
    works_with,
)

FUNCTIONS = table().functions


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_account_has_a_role_for_all_that_its_function_works_with_and_no_other(name: str) -> None:
    assert may(FUNCTIONS[name]) == works_with(name, source_of(name))


def test_the_table_in_the_documentation_is_the_one_of_the_code() -> None:
    # python -m tests.unit.infra.who_may_what writes it anew.
    assert FILE.read_text().partition(BEGIN)[2].partition(END)[0] == rendered()


def test_a_part_of_the_services_reaches_what_it_is_made_from() -> None:
    found = parts()
    assert (found["media"], found["views"]) == ({STORAGE}, {FIRESTORE})
    assert (found["publisher"], found["dead_uploads"]) == ({"job_deleted_topic"}, {DEAD_LETTERS})
    assert found["visitors"] == set()


def test_what_a_function_begins_to_use_is_noticed() -> None:
    before = works_with("share_job", source_of("share_job"))
    assert before == {FIRESTORE, AUTH}
    after = works_with("share_job", "services.shares.renew()\nservices.publisher.publish(event)")
    assert after == {*before, "job_deleted_topic"}


@pytest.mark.parametrize(
    ("role", "opened"),
    [
        (Role("roles/datastore.viewer", "project"), FIRESTORE),
        (Role("nuumeeJobsPictureWriter", "pictures"), STORAGE),
        (Role("roles/pubsub.publisher", "job_deleted_topic"), "job_deleted_topic"),
        (Role("roles/pubsub.subscriber", "dead-letters"), DEAD_LETTERS),
    ],
)
def test_a_role_opens_what_it_is_on(role: Role, opened: str) -> None:
    assert may(replace(FUNCTIONS["share_job"], roles=(role,))) == {opened}


def test_any_other_role_on_the_whole_project_is_refused() -> None:
    with pytest.raises(ValueError, match=r"storage\.admin on the whole project"):
        may(replace(FUNCTIONS["share_job"], roles=(Role("roles/storage.admin", "project"),)))
