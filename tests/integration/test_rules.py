"""What a user's own token can do at Firestore itself, past the functions: nothing."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from google.cloud import firestore

from infra.local import ports
from infra.local.client import Client
from infra.local.stack import Stack
from infra.local.users import Account
from tests.jobs import document, new_id, read

SECONDS = 30
COLLECTIONS = ("jobs", "deletions", "short_links", "view_shards", "dead_letters", "anything")


@pytest.fixture
def documents(stack: Stack) -> str:
    """The address of all documents: https://firebase.google.com/docs/firestore/use-rest-api"""
    project = stack.settings.project
    return f"http://{ports.HOST}:{stack.ports['firestore']}/v1/projects/{project}/databases/(default)/documents"


@pytest.fixture
def job_id(database: firestore.Client, account: Account) -> str:
    """A job of the user's own."""
    made = new_id()
    database.collection("jobs").document(made).set(document(account.user_id))
    return made


@pytest.fixture(params=["signed in", "signed out"])
def headers(request: pytest.FixtureRequest, account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.token}"} if request.param == "signed in" else {}


def test_a_user_reads_her_job_from_the_functions_alone(
    stack: Stack, documents: str, headers: dict[str, str], account: Account, job_id: str
) -> None:
    assert Client(stack.url, account.token).get(f"/jobs/{job_id}")["id"] == job_id
    query: dict[str, Any] = {"structuredQuery": {"from": [{"collectionId": "jobs"}], "limit": 1}}
    for answer in (
        requests.get(f"{documents}/jobs/{job_id}", headers=headers, timeout=SECONDS),
        *(requests.get(f"{documents}/{name}", headers=headers, timeout=SECONDS) for name in COLLECTIONS),
        requests.post(f"{documents}:runQuery", json=query, headers=headers, timeout=SECONDS),
    ):
        assert answer.status_code == 403, answer.text
        assert job_id not in answer.text


def test_a_user_writes_nothing(
    documents: str, headers: dict[str, str], account: Account, database: firestore.Client, job_id: str
) -> None:
    before = read(database, job_id)
    fields = {"fields": {"user_id": {"stringValue": account.user_id}}}
    for answer in (
        requests.patch(f"{documents}/jobs/{job_id}", json=fields, headers=headers, timeout=SECONDS),
        requests.delete(f"{documents}/jobs/{job_id}", headers=headers, timeout=SECONDS),
        *(
            requests.post(f"{documents}/{name}", json=fields, headers=headers, timeout=SECONDS)
            for name in COLLECTIONS
        ),
    ):
        assert answer.status_code == 403, answer.text
    assert read(database, job_id) == before
    assert all(account.user_id not in str(one.to_dict()) for one in database.collection("anything").stream())
