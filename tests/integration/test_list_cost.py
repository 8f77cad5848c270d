"""What `GET /jobs` reads, counted on the wire between a staged function and Firestore."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from google.cloud import firestore

from infra.local import ports
from infra.local.client import Client
from infra.local.stack import Stack
from tests.integration.firestore_meter import FirestoreMeter, metering
from tests.jobs import deleted, document, empty, new_id, put_all
from tests.tokens import unsigned_token

PROJECT = "demo-cost"
"""This module's own database, emptied before each test: the emulator scans the jobs of all users."""


@dataclass(frozen=True)
class Metered:
    meter: FirestoreMeter
    url: str
    database: firestore.Client
    project: str

    def get(self, user_id: str, path: str = "/jobs", **query: Any) -> tuple[dict[str, Any], int]:
        """The answer, and the number of documents read for it."""
        self.meter.wait_until_idle()
        self.meter.reset()
        answer = self.client(user_id).get(path, **query)
        self.meter.wait_until_idle()
        return answer, self.meter.documents

    def client(self, user_id: str) -> Client:
        return Client(self.url, unsigned_token(user_id, self.project))

    def put(self, documents: list[dict[str, Any]], begin: str = "") -> list[str]:
        return put_all(self.database, documents, begin)

    def remove(self, job_ids: list[str]) -> None:
        batch = self.database.batch()
        for job_id in job_ids:
            batch.delete(self.database.collection("jobs").document(job_id))
        batch.commit()


@pytest.fixture(scope="module")
def running(stack: Stack) -> Iterator[Metered]:
    with started(stack, PROJECT) as function:
        yield function


@pytest.fixture
def metered(stack: Stack, running: Metered) -> Metered:
    empty(stack.environment["FIRESTORE_EMULATOR_HOST"], PROJECT)
    return running


@contextmanager
def started(stack: Stack, project: str) -> Iterator[Metered]:
    name = f"list_jobs-{project}"
    with metering(stack.environment["FIRESTORE_EMULATOR_HOST"]) as (meter, meter_port):
        port = ports.any_free([name])[name]
        stack.start_variant(
            "list_jobs",
            name,
            port,
            GOOGLE_CLOUD_PROJECT=project,
            PATIENCE="10",  # A request that is sent again is counted again.
            FIRESTORE_EMULATOR_HOST=f"{ports.HOST}:{meter_port}",
        )
        stack.processes.wait_for(name, lambda: ports.answers(port))
        yield Metered(meter, f"http://{ports.HOST}:{port}", firestore.Client(project=project), project)
        stack.processes.stop([name])


@pytest.mark.parametrize("jobs", [50, 2_000])
def test_a_page_of_20_reads_20_documents_whether_there_are_50_jobs_or_2000(metered: Metered, jobs: int) -> None:
    user = f"user-{new_id()}"
    metered.put([document(user) for _ in range(jobs)])
    page, read = metered.get(user, page_size=20)
    assert (len(page["jobs"]), page["total"], read) == (20, jobs, 20)
    assert metered.meter.aggregations == 2
    page, read = metered.get(user, page_size=20, cursor=page["next_cursor"])
    assert (len(page["jobs"]), page["page"], read) == (20, 2, 20)


def test_deleted_jobs_in_between_cost_at_most_twice_their_number(metered: Metered) -> None:
    user = f"user-{new_id()}"
    documents = [document(user) if number % 3 else deleted(user) for number in range(90)]
    metered.put(documents)
    page, read = metered.get(user, page_size=20)
    # Every third job is deleted, beginning with the first, so the first 30 hold 20 live ones. The first request is
    # for 20 jobs, of which 7 are deleted. The second is for 7, and the third for the 9 skipped so far.
    assert (len(page["jobs"]), page["total"]) == (20, 60)
    assert read == 20 + 7 + 9


@pytest.mark.parametrize("gone", [99, 100, 595, 1000])
def test_a_run_of_deleted_jobs_costs_few_requests(metered: Metered, gone: int) -> None:
    user = f"user-{new_id()}"
    metered.put([document(user), *(deleted(user) for _ in range(gone)), *(document(user) for _ in range(400))])
    page, read = metered.get(user, page_size=20)
    assert (len(page["jobs"]), page["total"]) == (20, 401)
    assert 20 + gone <= read <= 2 * (20 + gone)
    assert metered.meter.calls - metered.meter.aggregations <= 6 + gone // 300


def test_the_deleted_jobs_behind_the_last_live_one_cost_nothing(metered: Metered) -> None:
    user = f"user-{new_id()}"
    metered.put([document(user), *(deleted(user) for _ in range(600))])
    page, read = metered.get(user, page_size=20)
    assert (len(page["jobs"]), page["total"], page["next_cursor"], read) == (1, 1, None, 20)


def test_the_last_page_by_cursor_reads_the_deleted_jobs_behind_it_once_in_few_requests(metered: Metered) -> None:
    user = f"user-{new_id()}"
    metered.put([*(document(user) for _ in range(40)), *(deleted(user) for _ in range(1_000))])
    for on_last_page in (1, 20):
        page, _ = metered.get(user, page_size=40 - on_last_page)
        page, read = metered.get(user, page_size=20, cursor=page["next_cursor"])
        assert (len(page["jobs"]), page["next_cursor"], read) == (on_last_page, None, on_last_page + 1_000)
        assert metered.meter.calls <= 10 + 1_000 // 300


@pytest.mark.parametrize("gone", [100, 700])
def test_deleted_jobs_cost_few_requests_wherever_they_are(metered: Metered, gone: int) -> None:
    user = f"user-{new_id()}"
    newer = [document(user) for _ in range(20)]
    metered.put([deleted(user) for _ in range(gone)])
    for before, behind in ((20, 0), (0, 20), (0, 30), (19, 5), (10, 10), (19, 1)):
        live = metered.put(newer[:before] + [document(user) for _ in range(behind)])
        page, read = metered.get(user, page_size=20)
        meter = metered.meter
        queries = meter.calls - meter.aggregations
        case = f"{before} before, {behind} behind"
        assert (len(page["jobs"]), page["total"]) == (20, before + behind), case
        assert (page["next_cursor"] is None) == (before + behind == 20), case
        # Each request is for twice as many, from 1 up to 300, and then 300 each time.
        assert queries <= 10 + gone // 300, case
        assert read <= 2 * (20 + gone), case
        metered.remove(live)


def test_a_poll_reads_only_the_jobs_that_it_watches(metered: Metered) -> None:
    user = f"user-{new_id()}"
    metered.put([document(user) for _ in range(30)])
    page, _ = metered.get(user)
    ids = [job["id"] for job in page["jobs"][:3]]
    page, read = metered.get(user, ids=",".join(ids))
    assert ([job["id"] for job in page["jobs"]], read) == (ids, 3)
    assert metered.meter.aggregations == 0


@pytest.mark.parametrize("others", [0, 1_000])
def test_search_reads_only_its_matches_and_the_deleted_jobs_between_them(metered: Metered, others: int) -> None:
    user, begin = f"user-{new_id()}", new_id()
    metered.put([document(user) for _ in range(others)])
    metered.put([deleted(user) for _ in range(10)])
    metered.put([document(user) for _ in range(30)], begin + "-a")
    metered.put([deleted(user) for _ in range(7)], begin + "-b")
    metered.put([document(user) for _ in range(5)], begin + "-c")
    page, read = metered.get(user, id_prefix=begin, page_size=30)
    assert (len(page["jobs"]), page["total"], read, metered.meter.aggregations) == (30, 35, 30, 2)
    page, read = metered.get(user, id_prefix=begin, page_size=30, cursor=page["next_cursor"])
    assert (len(page["jobs"]), page["next_cursor"], read) == (5, None, 12)
    page, read = metered.get(user, id_prefix=f"{begin}-d")
    assert (page["jobs"], page["total"], read) == ([], 0, 0)


@pytest.mark.parametrize(
    ("query", "live", "aggregations"),
    [
        ({"sort": "oldest"}, 60, 2),
        ({"type": "foley"}, 30, 2),
        ({"type": "foley,upscale", "status": "completed,failed", "sort": "oldest"}, 60, 2),
        ({"created_after": "2026-01-01T00:00:00Z", "created_before": "2027-01-01T00:00:00Z"}, 60, 2),
        ({"type": "foley", "include": "counts"}, 30, 14),
        ({"name_prefix": "CAT"}, 30, 2),
    ],
)
def test_a_filtered_sorted_or_searched_page_reads_only_the_jobs_that_it_shows(
    metered: Metered, query: dict[str, Any], live: int, aggregations: int
) -> None:
    user = f"user-{new_id()}"
    kinds = ({"job_type": "foley", "name_folded": "cat"}, {"job_type": "upscale", "name_folded": "dog"})
    metered.put([document(user, **kinds[number % 2]) for number in range(60)])
    page, read = metered.get(user, page_size=20, **query)
    assert (len(page["jobs"]), page["total"], read) == (20, live, 20)
    assert metered.meter.aggregations == aggregations
    page, read = metered.get(user, page_size=20, cursor=page["next_cursor"], **query)
    assert (page["page"], read) == (2, len(page["jobs"]))


@pytest.mark.parametrize("query", [{"sort": "oldest"}, {"type": "foley"}, {"name_prefix": "cat"}])
def test_deleted_jobs_cost_the_same_under_any_filter_order_or_search(
    metered: Metered, query: dict[str, Any]
) -> None:
    user = f"user-{new_id()}"
    kind = {"job_type": "foley", "name_folded": "cat"}
    makes = [document if number % 3 else deleted for number in range(90)]
    if "name_prefix" in query:  # in the order of the ids
        for number, make in enumerate(makes):
            metered.put([make(user, **kind)], f"{number:02}-")
    else:
        metered.put([make(user, **kind) for make in makes])
    page, read = metered.get(user, page_size=20, **query)
    # As without a filter; of the oldest, the first two are live.
    assert (len(page["jobs"]), page["total"]) == (20, 60)
    assert read <= 20 + 7 + 9


def test_hostile_id_prefix_makes_no_firestore_call(metered: Metered) -> None:
    metered.meter.reset()
    for hostile in ("", "..", "a/b", "__all__", "\0", "~", "é", "a" * 129):
        assert metered.client("user").status(f"/jobs?id_prefix={quote(hostile)}") == 400
    assert metered.meter.calls == 0


@pytest.mark.parametrize(
    ("between", "behind", "page_size", "documents"),
    [
        (0, 400, 20, 3),  # the counts show that there are no more
        (97, 0, 20, 100),
        (97, 400, 20, 130),  # the last request is for 64, and the third job is the 34th of them
        (97, 400, 2, 2),
    ],
)
def test_jobs_of_other_statuses_cost_what_lies_between_them(
    metered: Metered, between: int, behind: int, page_size: int, documents: int
) -> None:
    user = f"user-{new_id()}"
    statuses = [*["watermarking"] * 2, *["completed"] * between, "watermarking", *["completed"] * behind]
    metered.put([document(user, status=status) for status in statuses])
    page, read = metered.get(user, status="other", page_size=page_size)
    assert (len(page["jobs"]), page["total"], metered.meter.aggregations) == (min(3, page_size), 3, 12)
    assert read == documents


@pytest.mark.parametrize(
    ("query", "aggregations", "documents"),
    [
        ({}, 12, 20),
        ({"status": "failed,queued"}, 12, 20),
        ({"page": 2}, 12, 30),
        ({"ids": "nobodys"}, 12, 1),
        ({"id_prefix": "nobodys"}, 14, 0),
    ],
)
def test_counts_are_twelve_aggregations_and_no_document_more(
    metered: Metered, query: dict[str, Any], aggregations: int, documents: int
) -> None:
    user = f"user-{new_id()}"
    metered.put([document(user, status="failed") for _ in range(30)])
    page, read = metered.get(user, include="counts", **query)
    none = dict.fromkeys(("pending", "queued", "processing", "completed", "other"), 0)
    assert page["counts"] == {**none, "all": 30, "failed": 30}
    assert (metered.meter.aggregations, read) == (aggregations, documents)
    assert metered.get(user, **query)[1] == documents


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
