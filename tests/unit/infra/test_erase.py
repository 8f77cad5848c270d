from __future__ import annotations

import sys
import threading
from datetime import timedelta

import pytest

from functions.erase_jobs import erase_jobs
from infra.erase import main, run
from shared.messaging.events import JobsErased
from tests.fakes import FakeServices
from tests.jobs import NOW, document
from tests.messages import envelope


@pytest.fixture
def services() -> FakeServices:
    made = FakeServices()
    for number in range(3):
        made.add(f"job-{number}", document("ann", created_at=NOW - timedelta(days=1), name="Cat"))
    made.add("others", document("ben"))
    return made


def test_without_being_told_to_erase_it_only_counts(
    services: FakeServices, capsys: pytest.CaptureFixture[str]
) -> None:
    run(services, "ann", erase=False)
    assert "3 live job(s)" in capsys.readouterr().out
    assert services.fake_erasures.documents == {}
    assert services.fake_erasure_publisher.published == []


@pytest.mark.parametrize("is_published", [True, False])
def test_it_asks_for_the_erasure_and_waits_for_its_end(
    services: FakeServices, capsys: pytest.CaptureFixture[str], is_published: bool
) -> None:
    if not is_published:
        services.fake_erasure_publisher.refused = {None}  # type: ignore[arg-type]
    looked = threading.Event()
    of = services.fake_erasures.of

    def carried_out(erasure_id: str) -> object:
        if not looked.is_set():
            looked.set()
            erase_jobs.receive(event(erasure_id), services)
        return of(erasure_id)

    services.fake_erasures.of = carried_out  # type: ignore[assignment,method-assign]
    run(services, "ann", erase=True, pause=0)
    said = capsys.readouterr().out
    assert "3 job(s) deleted" in said
    assert ("Pub/Sub did not take the request" in said) == (not is_published)
    documents = services.fake_repository.documents
    assert {documents[f"job-{number}"]["deleted_by"] for number in range(3)} == {"operator"}
    assert documents["others"].get("deleted_at") is None


def event(erasure_id: str) -> dict[str, object]:
    return envelope(*JobsErased(erasure_id, "ann").encode())


def test_a_missing_setting_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["erase", "ann"])
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == "erase: GOOGLE_CLOUD_PROJECT is not set"
