"""Who may do what: every endpoint, against every kind of caller, on the staged functions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from google.cloud import firestore

from infra.local import ports
from infra.local.stack import Stack
from infra.local.users import Account
from shared.deletion.erasures import Erasures
from shared.sharing.short_links import new_short_id
from tests.conftest import PASSWORD
from tests.enumerated import BODIES, FOUND, Operation, for_users
from tests.fake_firestore import SWEEP_AFTER
from tests.jobs import NOW, deleted, document, entry, new_id, read
from tests.tokens import pem, private_key, unsigned_token
from tests.users import EndingUsers

OPERATIONS = for_users(FOUND)
DELETE = "DELETE /jobs/{job_id}"
RECEIPT = "GET /jobs/{job_id}/deletion"
DELETE_ALL = "DELETE /jobs"
RESTORE = "POST /jobs/{job_id}/restore"
every = pytest.mark.parametrize("operation", OPERATIONS, ids=str)
of_one_job = pytest.mark.parametrize("operation", [one for one in OPERATIONS if "{job_id}" in one.path], ids=str)


def send(base: str, operation: Operation, job_id: str, token: str | None) -> requests.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    address = base + operation.path.format(job_id=job_id)
    if str(operation) == DELETE_ALL:
        address += "?confirm=1"
    body = BODIES.get(str(operation))
    return requests.request(operation.method, address, headers=headers, json=body, timeout=15)


@pytest.fixture
def job(account: Account, database: firestore.Client) -> str:
    job_id = new_id()
    path = f"{account.user_id}/{job_id}/output.mp4"
    fields = document(account.user_id, output_video_path=path, short_id=new_short_id(8))
    database.collection("jobs").document(job_id).set(fields)
    # It was deleted and has come back, so that it has a receipt.
    restored = entry(account.user_id, state="restored", sweep_at=None)
    database.collection("deletions").document(job_id).set(restored)
    # So long ago that it deletes none of these jobs.
    long_ago = NOW - timedelta(days=900)
    Erasures(database, SWEEP_AFTER).request(account.user_id, 0, None, by=account.user_id, now=long_ago)
    return job_id


@every
def test_the_owner_is_let_in(stack: Stack, account: Account, job: str, operation: Operation) -> None:
    expected = 202 if str(operation) in (DELETE, DELETE_ALL, RESTORE) else 200
    assert send(stack.url, operation, job, account.token).status_code == expected


@every
def test_without_a_sound_token_nobody_is(
    stack: Stack, account: Account, job: str, operation: Operation, database: firestore.Client
) -> None:
    before = read(database, job)
    now = int(time.time())
    tokens: dict[str, str | None] = {
        "none": None,
        "garbage": "garbage",
        "expired": unsigned_token(account.user_id, iat=now - 7200, exp=now - 3600),
        "audience": unsigned_token(account.user_id, aud="another-project"),
        "issuer": unsigned_token(account.user_id, iss="https://accounts.google.com"),
    }
    answers = {kind: send(stack.url, operation, job, token) for kind, token in tokens.items()}
    assert {kind: answer.status_code for kind, answer in answers.items()} == dict.fromkeys(tokens, 401)
    assert len({answer.json()["detail"] for answer in answers.values()}) == len(tokens)
    assert {answer.headers["WWW-Authenticate"] for answer in answers.values()} == {"Bearer"}
    assert read(database, job) == before


@of_one_job
def test_another_users_deleted_and_unknown_jobs_are_the_same_404(
    stack: Stack,
    account: Account,
    new_account: Callable[[], Account],
    job: str,
    operation: Operation,
    database: firestore.Client,
) -> None:
    stranger, before = new_account(), read(database, job)
    gone = new_id()
    database.collection("jobs").document(gone).set(deleted(stranger.user_id))
    asked = [job, new_id()] + ([] if str(operation) in (DELETE, RECEIPT, RESTORE) else [gone])
    answers = [send(stack.url, operation, job_id, stranger.token) for job_id in asked]
    assert {answer.status_code for answer in answers} == {404}
    bodies = [{key: value for key, value in answer.json().items() if key != "request_id"} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert read(database, job) == before


def test_the_list_holds_nothing_of_another_users(
    stack: Stack, new_account: Callable[[], Account], job: str
) -> None:
    stranger = new_account()
    for query in ("", f"?ids={job}", f"?include=media&ids={job}", f"?id_prefix={job}"):
        answer = requests.get(
            f"{stack.url}/jobs{query}", headers={"Authorization": f"Bearer {stranger.token}"}, timeout=15
        )
        assert (answer.json()["jobs"], answer.json()["total"]) == ([], 0)


@pytest.mark.parametrize("kind", ["revoked", "disabled", "removed"])
def test_a_session_that_has_ended_changes_nothing(
    stack: Stack, account: Account, job: str, users: EndingUsers, database: firestore.Client, kind: str
) -> None:
    before = read(database, job)
    if kind == "revoked":
        users.revoke(account.user_id, int(time.time()) + 60)
    elif kind == "disabled":
        users.disable(account.user_id)
    else:
        users.remove(account.user_id)
    for operation in OPERATIONS:
        expected = 401 if operation.changes_something else 200
        assert send(stack.url, operation, job, account.token).status_code == expected, operation
    assert read(database, job) == before


def test_signing_in_again_after_a_revocation_lets_the_user_delete(
    stack: Stack, account: Account, job: str, users: EndingUsers
) -> None:
    users.revoke(account.user_id, int(time.time()) - 1)
    again = users.sign_in(account.email, PASSWORD)
    (delete,) = (one for one in OPERATIONS if str(one) == DELETE)
    assert send(stack.url, delete, job, again.token).status_code == 202


@pytest.fixture(scope="module")
def without_auth_emulator(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The HTTP functions, set to verify tokens as in the cloud: they refuse unsigned ones."""
    key = pem(private_key())
    account: dict[str, Any] = {
        "type": "service_account",
        "project_id": stack.settings.project,
        "private_key": key.decode(),
        "client_email": "tests@nuumee.test",
        "token_uri": "https://token.test",
    }
    credentials: Path = tmp_path_factory.mktemp("credentials") / "account.json"
    credentials.write_text(json.dumps(account))
    functions = sorted({operation.function for operation in OPERATIONS})
    chosen = ports.any_free(functions)
    for function in functions:
        stack.start_variant(
            function,
            f"{function}-strict",
            chosen[function],
            FIREBASE_AUTH_EMULATOR_HOST=None,
            GOOGLE_APPLICATION_CREDENTIALS=str(credentials),
        )
    for port in chosen.values():
        stack.processes.wait_for("a function", lambda port=port: ports.answers(port))  # type: ignore[misc]
    yield {function: f"http://{ports.HOST}:{port}" for function, port in chosen.items()}
    stack.processes.stop([f"{function}-strict" for function in functions])


@every
def test_an_unsigned_token_is_worth_nothing_where_emulators_are_off(
    without_auth_emulator: dict[str, str], account: Account, job: str, operation: Operation
) -> None:
    base = without_auth_emulator[operation.function]
    for token in (account.token, unsigned_token(account.user_id)):
        answer = send(base, operation, job, token)
        assert (answer.status_code, answer.json()["detail"]) == (401, "The ID token is not signed by Google.")
