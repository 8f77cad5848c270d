"""What a user's own token can do at Firestore itself, past the functions: nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.local import ports
from infra.local.client import Client
from infra.local.stack import Stack
from infra.local.users import Account
from infra.stage import ROOT
from tests.jobs import document, new_id, read

SECONDS = 30
CODE = "".join(file.read_text() for file in sorted((ROOT / "shared").rglob("*.py")))
TOP = set(re.findall(r'\bclient\.collection\("(\w+)"\)', CODE))
INNER = {"displaced": f"deletions/{new_id()}/displaced"}
"""Collections inside a document, each with a path to one."""
COLLECTIONS = (*sorted(TOP), *INNER.values(), "anything")


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


def test_every_collection_that_the_code_names_is_tried_below() -> None:
    assert set(re.findall(r'\.collection\("(\w+)"\)', CODE)) == TOP | INNER.keys()
    assert {"jobs", "erasures", "sweeps"} <= TOP


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
    hers = FieldFilter("user_id", "==", account.user_id)
    found = [one.id for name in COLLECTIONS for one in database.collection(name).where(filter=hers).stream()]
    assert found == [job_id], "the job that was there"
