"""What `GET /jobs` reads: counted on the wire between a staged function and Firestore."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from google.cloud import firestore

from infra.local import ports
from infra.local.client import Client
from infra.local.stack import Stack
from tests.integration.firestore_meter import FirestoreMeter, metering
from tests.jobs import deleted, document, new_id, put_all
from tests.tokens import unsigned_token

PROJECT = "demo-cost"
"""A database of its own: the emulator scans the whole collection, whoever's jobs they are."""


@dataclass(frozen=True)
class Metered:
    meter: FirestoreMeter
    url: str
    database: firestore.Client

    def get(self, user_id: str, path: str = "/jobs", **query: Any) -> tuple[dict[str, Any], int]:
        """The answer, and how many documents were read for it."""
        self.meter.reset()
        answer = Client(self.url, unsigned_token(user_id, PROJECT)).get(path, **query)
        return answer, self.meter.documents

    def put(self, documents: list[dict[str, Any]]) -> None:
        put_all(self.database, documents)


@pytest.fixture(scope="module")
def metered(stack: Stack) -> Iterator[Metered]:
    name = "list_jobs-metered"
    with metering(stack.environment["FIRESTORE_EMULATOR_HOST"]) as (meter, meter_port):
        port = ports.any_free([name])[name]
        stack.start_function(
            "list_jobs",
            port=port,
            label=name,
            GOOGLE_CLOUD_PROJECT=PROJECT,
            FIRESTORE_EMULATOR_HOST=f"{ports.HOST}:{meter_port}",
        )
        stack.processes.wait_for(name, lambda: ports.answers(port))
        yield Metered(meter, f"http://{ports.HOST}:{port}", firestore.Client(project=PROJECT))
        stack.processes.stop([name])


@pytest.mark.parametrize("jobs", [50, 10_000])
def test_a_page_of_20_reads_20_documents_whether_there_are_50_jobs_or_10000(metered: Metered, jobs: int) -> None:
    user = f"user-{new_id()}"
    metered.put([document(user) for _ in range(jobs)])
    page, read = metered.get(user, page_size=20)
    assert (len(page["jobs"]), page["total"], read) == (20, jobs, 20)
    assert metered.meter.aggregations == 2
    page, read = metered.get(user, page_size=20, cursor=page["next_cursor"])
    assert (len(page["jobs"]), page["page"], read) == (20, 2, 20)


def test_deleted_jobs_passed_over_are_all_that_is_read_besides(metered: Metered) -> None:
    user = f"user-{new_id()}"
    documents = [document(user) if number % 3 else deleted(user) for number in range(90)]
    metered.put(documents)
    page, read = metered.get(user, page_size=20)
    # Every third is deleted, the first one too: 20 live ones lie within the first 30.
    assert (len(page["jobs"]), page["total"]) == (20, 60)
    assert read == 30


@pytest.mark.parametrize(("gone", "most"), [(99, 119), (100, 169), (595, 664), (1000, 1069)])
def test_a_row_of_deleted_jobs_is_passed_over_in_few_requests(metered: Metered, gone: int, most: int) -> None:
    user = f"user-{new_id()}"
    metered.put([document(user), *(deleted(user) for _ in range(gone)), *(document(user) for _ in range(400))])
    page, read = metered.get(user, page_size=20)
    assert (len(page["jobs"]), page["total"]) == (20, 401)
    assert 20 + gone <= read <= most
    assert metered.meter.calls < 40


def test_a_poll_reads_only_the_jobs_that_it_watches(metered: Metered) -> None:
    user = f"user-{new_id()}"
    metered.put([document(user) for _ in range(30)])
    page, _ = metered.get(user)
    ids = [job["id"] for job in page["jobs"][:3]]
    page, read = metered.get(user, ids=",".join(ids))
    assert ([job["id"] for job in page["jobs"]], read) == (ids, 3)
    assert metered.meter.aggregations == 0


def test_one_job_costs_one_read_and_a_hostile_id_none(metered: Metered) -> None:
    user = f"user-{new_id()}"
    metered.put([document(user)])
    job_id = metered.get(user)[0]["jobs"][0]["id"]
    assert metered.get(user, f"/jobs/{job_id}")[1] == 1
    page, read = metered.get(user, ids="..,a/b,__all__,%00")
    assert (page["jobs"], read, metered.meter.calls) == ([], 0, 0)


def test_a_page_number_beyond_the_end_reads_no_documents(metered: Metered) -> None:
    user = f"user-{new_id()}"
    metered.put([document(user) for _ in range(30)])
    page, read = metered.get(user, page=1_000_000)
    assert (page["jobs"], page["total"], page["next_cursor"], read) == ([], 30, None, 0)
    page, read = metered.get(user, page=2, page_size=20)
    assert (len(page["jobs"]), read) == (10, 30)
