"""What lists take from a user's limit: requests that cost as much as several count as several."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.list_jobs import LISTING, list_jobs
from shared.errors import Unavailable
from tests.calls import call
from tests.fakes import FakeServices
from tests.jobs import NOW, deleted, document, entry

NAMED = {
    "reference_image_path": "me/job/reference.png",
    "motion_video_path": "me/job/motion.mp4",
    "output_video_path": "me/job/output.mp4",
}
PRICES = Path(__file__).parents[2] / "benchmarks" / "prices.toml"


@pytest.fixture
def services() -> FakeServices:
    """100 jobs whose documents name all their media, 20 more that name none, and 100 deleted ones."""
    made = FakeServices()
    for number in range(100):
        made.add(f"named-{number}", document("me", **NAMED))
        made.add(f"deleted-{number}", deleted("me"))
        made.fake_ledger.entries[f"deleted-{number}"] = entry("me", requested_at=NOW - timedelta(seconds=number))
    for number in range(20):
        made.add(f"unnamed-{number}", document("me", created_at=NOW + timedelta(minutes=1 + number)))
    return made


def taken(services: FakeServices, query: str, tag: str = "", status: int = 200) -> float:
    """How many requests it takes from the limit."""

    def spent() -> float:
        return sum(spent for spent, _ in services.users._spent.values.values())

    before = spent()
    answer: Any = call(list_jobs, services, f"/jobs?{query}", headers={"If-None-Match": tag} if tag else {})
    assert answer.status_code in (status, 304)
    return spent() - before


def add_unnamed(services: FakeServices) -> None:
    """80 more jobs that name no media: with those that are there, a page of 100."""
    for number in range(20, 100):
        services.add(f"unnamed-{number}", document("me", created_at=NOW + timedelta(minutes=1 + number)))


def ids(count: int) -> str:
    return ",".join(f"named-{number}" for number in range(count))


@pytest.mark.parametrize(
    ("query", "requests"),
    [
        ("", 1),
        ("include=counts", 1),
        (f"ids={ids(3)}", 1),
        (f"ids={ids(20)}&include=media", 1),
        (f"ids={ids(21)}", 2),
        (f"ids={ids(100)}", 5),
        (f"ids={ids(100)}&page=5", 5),
        ("ids=" + ",".join(f"unknown-{number}" for number in range(100)), 5),
        ("page_size=100", 5),
        ("page_size=20&page=4", 4),
        ("page_size=100&page=2", 6),
        ("page_size=100&page=1000000", 1),
        # 20 jobs, each with three listings that cost as much as eight reads.
        ("include=media", 25),
        ("deleted=true&page_size=10", 1),
        ("deleted=true&page_size=20", 2),
        ("deleted=true&page_size=20&page=3", 4),
    ],
)
def test_a_list_counts_as_so_many_requests_as_its_cost_comes_to(
    services: FakeServices, query: str, requests: int
) -> None:
    assert taken(services, query) == requests


@pytest.mark.parametrize(("passed", "requests"), [(19, 1), (20, 2), (980, 50), (3_000, 51), (30_000, 51)])
def test_what_a_page_passes_over_counts_up_to_half_of_what_ten_seconds_give_back(
    services: FakeServices, passed: int, requests: int
) -> None:
    services.fake_repository.passed_over = passed
    assert taken(services, "") == requests


@pytest.mark.slow
@pytest.mark.parametrize("passed", [0, 100_000])
@pytest.mark.parametrize("query", ["", "page_size=100&include=media"])
def test_a_client_that_asks_every_ten_seconds_never_meets_the_limit_whatever_its_list_costs(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, query: str, passed: int
) -> None:
    add_unnamed(services)
    services.fake_repository.passed_over = passed
    statuses = []
    for polls in range(30):
        now = NOW + polls * timedelta(seconds=10)
        monkeypatch.setattr(services, "now", lambda now=now: now)
        statuses.append(call(list_jobs, services, f"/jobs?{query}").status_code)
    assert statuses == [200] * 30


def test_whatever_a_list_costs_it_takes_half_of_what_ten_seconds_give_back(services: FakeServices) -> None:
    add_unnamed(services)
    assert taken(services, "page_size=100&include=media") == 51
    services.fake_repository.passed_over = 100_000
    assert taken(services, "page_size=100&include=media") == 51


def test_what_a_page_passes_over_counts_although_the_page_fails(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any, passed: Callable[[int], None]) -> None:
        passed(300)
        passed(60)
        raise Unavailable("Firestore")

    monkeypatch.setattr(services.repository, "page", fail)
    assert taken(services, "", status=503) == 1 + 18


def test_a_page_behind_a_cursor_costs_what_is_on_it(services: FakeServices) -> None:
    cursor = call(list_jobs, services, "/jobs?page_size=40").json["next_cursor"]  # type: ignore[index]
    assert taken(services, f"page_size=20&cursor={cursor}") == 1


def test_an_unfinished_jobs_output_is_not_looked_for_and_costs_nothing(services: FakeServices) -> None:
    for number in range(20):
        services.fake_repository.documents[f"unnamed-{number}"]["status"] = "processing"
    assert taken(services, "include=media") == 17


def test_an_unchanged_answer_counts_as_much_as_a_new_one(services: FakeServices) -> None:
    query = f"ids={ids(100)}"
    tag = call(list_jobs, services, f"/jobs?{query}").headers["ETag"]
    assert taken(services, query, tag) == 5


def test_all_media_looked_up_six_times_a_minute_use_a_quarter_of_the_limit(services: FakeServices) -> None:
    assert 6 * taken(services, "include=media") <= services.settings.requests_per_minute / 4


def test_who_asks_for_what_costs_much_waits_before_the_next(services: FakeServices) -> None:
    def status() -> int:
        return call(list_jobs, services, "/jobs?include=media").status_code

    statuses = [status() for _ in range(25)]
    assert statuses == [200] * 24 + [429]


def test_a_listing_costs_as_much_as_the_price_list_has_it() -> None:
    prices = tomllib.loads(PRICES.read_text())
    read, listing = (prices[name]["dollars"] / prices[name]["per"] for name in ("read", "class_a"))
    assert round(listing / (2 * read)) == LISTING  # a read of a multi-region costs twice as much
