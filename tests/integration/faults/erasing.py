"""Asks for an erasure as the page does, and tells what came of it."""

from __future__ import annotations

import re
from typing import Any

import requests
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.local.users import Account
from tests.integration.faults.bench import Bench

PASSWORD = "test-password"


def new_account(bench: Bench, name: str) -> Account:
    """A user who has just signed in."""
    return bench.users.add(name, f"{name}@nuumee.test", PASSWORD)


def erase(bench: Bench, account: Account, jobs: int, tries: int = 1) -> bool:
    """Sign in anew and ask for the deletion of all jobs, of which there are probably so many.

    Whether it was accepted. If it was not, it may be carried out all the same. Each try confirms the number that
    the answer to the one before told. One soon after another, whose answer may have been lost, is refused.
    """
    account = bench.users.sign_in(account.email, PASSWORD)
    headers = {"Authorization": f"Bearer {account.token}"}
    for _ in range(tries):
        try:
            url = f"{bench.url('delete_jobs')}/jobs?confirm={jobs}"
            answer = requests.delete(url, headers=headers, timeout=30)
        except requests.RequestException:
            continue
        if answer.status_code == 409 and (told := re.search(r"There are (\d+) jobs", answer.text)):
            jobs = int(told[1])
        elif answer.status_code == 429:
            return False
        elif answer.status_code != 503:
            assert answer.status_code == 202, answer.text
            return True
    return False


def is_erased(bench: Bench, user_id: str) -> bool:
    """Whether all erasures of the user that were recorded are done. Faults do not affect this check."""
    return all(one["state"] == "done" for one in erasures(bench, user_id))


def erasures(bench: Bench, user_id: str) -> list[dict[str, Any]]:
    """The documents of all erasures of the user."""
    own = bench.database.collection("erasures").where(filter=FieldFilter("user_id", "==", user_id))
    return [one.to_dict() or {} for one in own.get()]
