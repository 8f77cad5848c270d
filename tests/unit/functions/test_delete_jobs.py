"""Deleting all jobs at once, with fakes: the request, the walk through the jobs, the sweeps and the progress."""

from __future__ import annotations

import copy
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from functions import erase_jobs as module
from functions.delete_job import delete_job
from functions.delete_jobs import delete_jobs
from functions.erase_jobs import erase_jobs
from functions.list_jobs import list_jobs
from functions.purge_job import purge_job
from functions.share_video import share_video
from functions.sweep_purges import sweep_purges
from functions.undelete_job import undelete_job
from shared.deletion import erasures
from shared.errors import Unavailable
from shared.messaging.events import JobDeleted, JobsErased
from tests.calls import call
from tests.fake_firestore import SWEEP_AFTER
from tests.fakes import FakeServices
from tests.jobs import NOW, deleted, document
from tests.messages import envelope

TEXTS = {"extension_prompt": "a cat", "error_message": "no cat", "name": "Cat", "name_folded": "cat"}
BEFORE = NOW - timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def services() -> FakeServices:
    """With five live jobs of the user's, and one of another's."""
    made = FakeServices()
    for number in range(5):
        made.add(f"job-{number}", document("me", created_at=BEFORE, **TEXTS))
    made.add("others", document("somebody-else", created_at=BEFORE, **TEXTS))
    return made


def later(services: FakeServices, minutes: int) -> None:
    """Let this much time pass. The user has just signed in again."""
    services.now = lambda: NOW + minutes * MINUTE
    services.fake_verifier.signed_in_at = services.now().timestamp()


def request(services: FakeServices, confirm: str = "?confirm=5") -> Any:
    return call(delete_jobs, services, f"/jobs{confirm}", method="DELETE")


def run(services: FakeServices, event: JobsErased | None = None) -> None:
    erase_jobs.receive(envelope(*(event or services.fake_erasure_publisher.published[-1]).encode()), services)


def sweep(services: FakeServices) -> None:
    sweep_purges.receive(envelope(b"", {}), services)


def progress(services: FakeServices) -> dict[str, Any]:
    answer = call(list_jobs, services, "/jobs/erasure")
    assert answer.status_code == 200
    return dict(answer.json or {})


def live(services: FakeServices) -> set[str]:
    documents = services.fake_repository.documents
    return {job_id for job_id, one in documents.items() if one.get("deleted_at") is None}


def test_all_jobs_are_deleted_and_no_other_users(services: FakeServices) -> None:
    answer = request(services)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (202, "no-store")
    assert live(services) == {*services.fake_repository.documents}  # the walk comes after the answer
    run(services)
    assert live(services) == {"others"}
    assert {event.job_id for event in services.fake_publisher.published} == {f"job-{one}" for one in range(5)}
    assert {type(event) for event in services.fake_publisher.published} == {JobDeleted}
    assert progress(services) == {
        "erasure": answer.json["erasure"],
        "requested_at": "2026-11-22T12:07:30.250000Z",
        "state": "done",
        "jobs": 5,
        "deleted": 5,
        "finished_at": "2026-11-22T12:07:30.250000Z",
    }


def test_what_is_deleted_by_a_clock_that_is_behind_counts(services: FakeServices) -> None:
    request(services)
    services.now = lambda: NOW - timedelta(seconds=2)
    run(services)
    told = progress(services)
    assert (told["state"], told["jobs"], told["deleted"]) == ("done", 5, 5)
    assert told["finished_at"] == told["requested_at"]


@pytest.mark.parametrize(("is_deleted_before", "is_reached_before"), [(False, True), (True, True), (True, False)])
def test_a_restore_by_a_clock_that_is_behind_is_later_than_the_erasure(
    services: FakeServices, is_deleted_before: bool, is_reached_before: bool
) -> None:
    if is_deleted_before:
        services.now = lambda: NOW - MINUTE
        call(delete_job, services, "/jobs/job-1", method="DELETE")
        services.now = lambda: NOW
    request(services, f"?confirm={len(live(services)) - 1}")
    if is_reached_before:
        run(services)
    services.now = lambda: NOW - timedelta(seconds=2)
    restore(services, "job-1")
    later(services, 6)
    run(services)
    assert live(services) == {"job-1", "others"}


def test_a_restore_that_is_asked_for_again_by_a_clock_that_is_behind_is_later_than_the_erasure(
    services: FakeServices,
) -> None:
    services.now = lambda: NOW - MINUTE
    call(delete_job, services, "/jobs/job-1", method="DELETE")
    restore(services, "job-1")
    services.now = lambda: NOW
    request(services)
    services.now = lambda: NOW - timedelta(seconds=2)
    assert call(undelete_job, services, "/jobs/job-1/restore", method="POST").status_code == 202
    later(services, 6)
    run(services)
    assert live(services) == {"job-1", "others"}


def test_an_erasure_is_later_than_a_restore_by_a_clock_that_is_ahead(services: FakeServices) -> None:
    services.now = lambda: NOW - MINUTE
    call(delete_job, services, "/jobs/job-1", method="DELETE")
    services.now = lambda: NOW + timedelta(seconds=2)
    restore(services, "job-1")
    assert "job-1" in live(services)
    services.now = lambda: NOW
    request(services)
    run(services)
    assert live(services) == {"others"}


def test_a_purge_after_a_restore_by_a_clock_that_is_behind_the_erasure_proves_what_it_saw(
    services: FakeServices,
) -> None:
    services.now = lambda: NOW - MINUTE
    call(delete_job, services, "/jobs/job-1", method="DELETE")
    services.now = lambda: NOW
    request(services, "?confirm=4")
    services.now = lambda: NOW - timedelta(seconds=2)
    assert call(undelete_job, services, "/jobs/job-1/restore", method="POST").status_code == 202
    services.now = lambda: NOW - timedelta(seconds=1)
    call(delete_job, services, "/jobs/job-1", method="DELETE")
    purge_job.receive(envelope(*services.fake_publisher.published[-1].encode()), services)
    assert services.fake_ledger.entries["job-1"]["state"] == "done"


def test_what_stays_has_no_words(services: FakeServices) -> None:
    services.add("gone", deleted("me", deleted_at=BEFORE, created_at=BEFORE, **TEXTS))
    services.fake_ledger.fields_moved["job-0"] = [{"extension_prompt": "a cat", "other": 1}]
    request(services)
    services.fake_ledger.entries["job-0"] = {"user_id": "me", "requested_at": BEFORE, "requested_by": "me"} | {
        "state": "restored",
        "displaced": 1,
        "put_back": 1,
    }
    run(services)
    documents = services.fake_repository.documents
    for job_id in ("gone", *(f"job-{number}" for number in range(5))):
        assert documents[job_id].keys() & TEXTS.keys() == set()
        assert documents[job_id]["created_at"] == BEFORE
        assert documents[job_id]["view_count"] == 3
    assert services.fake_ledger.fields_moved["job-0"] == [{"other": 1}]
    assert documents["others"].items() >= TEXTS.items()
    assert progress(services)["deleted"] == 5  # one was deleted before


def test_words_that_come_later_go_with_the_next_step_of_the_deletion(services: FakeServices) -> None:
    request(services)
    run(services)
    services.fake_repository.documents["job-0"]["error_message"] = "no cat"
    services.deletions.begin_purge("job-0", "me", "run", NOW)
    assert "error_message" not in services.fake_repository.documents["job-0"]


def test_an_erasure_looks_for_its_jobs_itself_and_not_at_the_mark_of_each(services: FakeServices) -> None:
    request(services)
    run(services)
    assert not any("watched_until" in one for one in services.fake_ledger.entries.values())
    services.fake_repository.documents["job-0"].pop("deleted_at")
    services.now = lambda: NOW + timedelta(minutes=6)
    sweep(services)
    assert "job-0" not in live(services)


def test_a_share_link_ends(services: FakeServices) -> None:
    services.add("job-0", document("me", created_at=BEFORE, short_id="25ca1d0f", output_video_path="me/o.mp4"))
    services.fake_shares.links["25ca1d0f"] = "job-0"
    services.fake_media.objects[services.settings.outputs_bucket]["me/o.mp4"] = [b"x"]
    assert call(share_video, services, "/public/video/25ca1d0f", user=None).status_code == 200
    request(services)
    run(services)
    assert call(share_video, services, "/public/video/25ca1d0f", user=None).status_code == 404


@pytest.mark.parametrize("confirm", ["", "?confirm=", "?confirm=-5", "?confirm=five", "?confirm=5&confirm=5"])
def test_without_a_number_nothing_is_deleted(services: FakeServices, confirm: str) -> None:
    answer = request(services, confirm)
    assert (answer.status_code, services.fake_erasures.documents) == (400, {})
    assert "confirm" in answer.json["detail"]


@pytest.mark.parametrize("confirm", ["0", "4", "6"])
def test_with_another_number_nothing_is_deleted(services: FakeServices, confirm: str) -> None:
    answer = request(services, f"?confirm={confirm}")
    assert (answer.status_code, services.fake_erasures.documents) == (409, {})
    assert "5 jobs" in answer.json["detail"]


@pytest.mark.parametrize(("seconds", "status"), [(299, 202), (301, 401), (NOW.timestamp(), 401)])
def test_it_takes_a_recent_sign_in(services: FakeServices, seconds: float, status: int) -> None:
    services.fake_verifier.signed_in_at = NOW.timestamp() - seconds
    answer = request(services)
    assert answer.status_code == status
    assert len(services.fake_erasures.documents) == (status == 202)
    if status == 401:
        assert "5 minutes" in answer.json["detail"]
        assert answer.json["type"].endswith("/sign-in-too-old")  # the page asks for a sign-in, and goes on
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_session_is_checked_for_revocation(services: FakeServices) -> None:
    request(services)
    assert services.fake_verifier.checked_revocation[-1] is True


def test_who_has_no_jobs_can_erase_the_words_of_deleted_ones(services: FakeServices) -> None:
    for number in range(5):
        call(delete_job, services, f"/jobs/job-{number}", method="DELETE")
    services.now = lambda: NOW + MINUTE
    assert request(services, "?confirm=0").status_code == 202
    run(services)
    assert services.fake_repository.documents["job-3"].keys() & TEXTS.keys() == set()
    assert (progress(services)["state"], progress(services)["deleted"]) == ("done", 0)


@pytest.mark.parametrize(("is_done", "minutes"), [(False, 10), (True, 1)])
def test_a_second_request_too_soon_after_the_first_is_refused_and_changes_nothing(
    services: FakeServices, is_done: bool, minutes: int
) -> None:
    request(services)
    if is_done:
        run(services)
    before, confirm = progress(services), f"?confirm={len(live(services) - {'others'})}"
    services.now = lambda: NOW + timedelta(seconds=20.5)
    answer = request(services, confirm)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(60 * minutes - 20))
    assert progress(services) == before
    assert len(services.fake_erasure_publisher.published) == 1
    assert call(delete_jobs, services, "/jobs?confirm=0", method="DELETE", user="you").status_code == 202
    later(services, minutes)
    assert request(services, confirm).status_code == 202


def test_of_many_requests_at_once_one_is_taken(services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.fake_erasures, "latest", lambda _: None)  # all have looked before any has written
    taken = []
    for number in range(3):
        services.now = lambda number=number: NOW + timedelta(seconds=number)  # type: ignore[misc]
        taken.append(request(services).status_code)
    assert taken == [202, 429, 429]
    assert (len(services.fake_erasures.documents), len(services.fake_erasure_publisher.published)) == (1, 1)


def test_an_erasure_leaves_alone_what_an_earlier_one_has_dealt_with(services: FakeServices) -> None:
    request(services)
    run(services)
    entries, documents = services.fake_ledger.entries, services.fake_repository.documents
    documents["job-1"]["name"] = "Cat"
    documents["job-2"].pop("deleted_at")
    before = {job_id: dict(entry) for job_id, entry in entries.items()}
    services.now = lambda: NOW + MINUTE
    assert request(services, "?confirm=1").status_code == 202
    run(services)
    assert {job_id for job_id, entry in entries.items() if entry != before[job_id]} == {"job-1", "job-2"}
    assert "name" not in documents["job-1"]
    assert live(services) == {"others"}
    assert progress(services)["state"] == "done"


@pytest.mark.parametrize(("before", "after", "live"), [("", "sffssf", 5), ("f", "sfssf", 3)])
def test_of_two_erasures_that_overlap_each_counts_the_jobs_that_were_live_at_its_request(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, before: str, after: str, live: int
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    times = iter(range(0, 100_000, 100))
    monkeypatch.setattr("functions.erase_jobs.time.monotonic", lambda: next(times))  # a run does one batch
    published, entries = services.fake_erasure_publisher.published, services.fake_ledger.entries
    request(services)
    first = published[-1]
    for _ in before:
        run(services, first)
    later(services, 10)
    assert request(services, f"?confirm={live}").status_code == 202
    second = published[-1]
    written = copy.deepcopy(entries)
    for which in after:
        run(services, first if which == "f" else second)
        written = {**copy.deepcopy(entries), **written}
        assert entries == written, "what one has deleted the other does not write"
    assert {one["erasure"] for one in entries.values()} == {first.erasure_id, second.erasure_id}
    told = [services.fake_erasures.documents[one.erasure_id] for one in (first, second)]
    assert [(one["state"], one["jobs"], one["deleted"]) for one in told] == [("done", 5, 5), ("done", live, live)]


def test_without_an_erasure_there_is_no_progress(services: FakeServices) -> None:
    assert call(list_jobs, services, "/jobs/erasure").status_code == 404
    request(services)
    assert call(list_jobs, services, "/jobs/erasure", user="somebody-else").status_code == 404


def test_jobs_created_later_stay(services: FakeServices) -> None:
    request(services)
    services.add("new", document("me", created_at=NOW + MINUTE))
    run(services)
    assert live(services) == {"new", "others"}


def test_a_job_created_before_but_written_later_goes_with_a_sweep(services: FakeServices) -> None:
    request(services)
    run(services)
    services.add("a-late-one", document("me", created_at=BEFORE))
    services.now = lambda: NOW + 2 * SWEEP_AFTER
    sweep(services)
    run(services)
    assert live(services) == {"others"}
    assert progress(services)["state"] == "done"


def test_sweeps_look_for_late_jobs_for_a_day(services: FakeServices) -> None:
    request(services)
    run(services)
    now, looks = NOW, 0
    while sweep_at := next(iter(services.fake_erasures.documents.values()))["sweep_at"]:
        assert sweep_at > now
        now, looks = sweep_at, looks + 1
        services.now = lambda now=now: now  # type: ignore[misc]
        sweep(services)
    assert timedelta(days=1) <= now - NOW <= timedelta(days=1, hours=7)
    assert looks < 14
    calls = services.fake_repository.calls
    run(services)
    assert services.fake_repository.calls == calls + 1  # a count, and no walk


def test_however_often_a_user_asks_sweeps_look_for_one_erasure(services: FakeServices) -> None:
    assert request(services).status_code == 202
    run(services)
    for minutes in range(1, 6):
        later(services, minutes)
        assert request(services, "?confirm=0").status_code == 202
        run(services)
    assert len(services.erasures.due(NOW + timedelta(hours=1), 1000)) == 1
    services.add("late", document("me", created_at=BEFORE))
    later(services, 60)
    sweep(services)
    run(services)
    assert live(services) == {"others"}


def test_a_job_restored_since_is_left_alone(services: FakeServices) -> None:
    call(delete_job, services, "/jobs/job-1", method="DELETE")
    assert request(services, "?confirm=4").status_code == 202
    services.now = lambda: NOW + MINUTE
    assert call(undelete_job, services, "/jobs/job-1/restore", method="POST").status_code == 202
    run(services)
    assert services.fake_ledger.entries["job-1"]["state"] == "restoring"
    assert services.fake_repository.documents["job-1"].items() >= TEXTS.items()
    wish = services.restores.of("job-1")
    assert wish is not None
    services.restores.finish(wish, NOW + MINUTE)
    run(services)
    assert live(services) == {"job-1", "others"}


@pytest.fixture
def batches(services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Where each batch that is read from now on begins."""
    begun: list[str | None] = []
    batch = services.repository.batch

    def read(user_id: str, before: Any, after: str | None, limit: int) -> Any:
        begun.append(after)
        return batch(user_id, before, after, limit)

    monkeypatch.setattr(services.repository, "batch", read)
    return begun


def restore(services: FakeServices, job_id: str) -> None:
    assert call(undelete_job, services, f"/jobs/{job_id}/restore", method="POST").status_code == 202
    wish = services.restores.of(job_id)
    assert wish is not None
    services.restores.finish(wish, services.now())


def test_a_job_left_alone_has_all_jobs_gone_through_once_more_and_then_never(
    services: FakeServices, batches: list[str | None]
) -> None:
    services.add("a b", document("me", created_at=BEFORE))  # an id that no request can name
    request(services, "?confirm=6")
    run(services)
    assert batches == [None]
    for job_id in ("job-1", "job-2"):
        later(services, 10)
        restore(services, job_id)
        batches.clear()
        for _ in range(3):
            run(services)
        assert batches == [None]
    assert live(services) == {"a b", "job-1", "job-2", "others"}


def test_a_job_that_comes_late_is_deleted_although_another_that_was_left_alone_goes(
    services: FakeServices, batches: list[str | None]
) -> None:
    request(services)
    run(services)
    later(services, 10)
    restore(services, "job-1")
    run(services)
    call(delete_job, services, "/jobs/job-1", method="DELETE")
    services.add("late", document("me", created_at=BEFORE))
    run(services)
    assert live(services) == {"others"}


def test_of_many_jobs_left_alone_all_are_gone_through_at_each_look(
    services: FakeServices, batches: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "_MOST_LEFT", 2)
    monkeypatch.setattr(module, "BATCH", 2)
    for number in range(3):
        services.add(f"impossible {number}", document("me", created_at=BEFORE))
    request(services, "?confirm=8")
    run(services)
    (kept,) = services.fake_erasures.documents.values()
    assert kept["left"] == ["impossible 0", "impossible 1"]
    batches.clear()
    services.add("late", document("me", created_at=BEFORE))
    run(services)
    assert "late" not in live(services)
    assert batches[0] is None
    assert kept["left"] == ["impossible 0", "impossible 1"]


def test_an_erasure_of_before_left_jobs_were_recorded_goes_on(
    services: FakeServices, batches: list[str | None]
) -> None:
    services.add("a b", document("me", created_at=BEFORE))
    request(services, "?confirm=6")
    (kept,) = services.fake_erasures.documents.values()
    del kept["left"]
    for _ in range(3):
        run(services)
    assert batches == [None]


def test_a_job_that_was_just_being_restored_is_deleted(services: FakeServices) -> None:
    call(delete_job, services, "/jobs/job-1", method="DELETE")
    call(undelete_job, services, "/jobs/job-1/restore", method="POST")
    services.now = lambda: NOW + MINUTE
    request(services, "?confirm=4")
    services.fake_publisher.published.clear()
    run(services)
    assert services.fake_ledger.entries["job-1"]["state"] == "pending"
    assert "job-1" in {one.job_id for one in services.fake_publisher.published}  # no sweep needs to ask for it


@pytest.mark.parametrize("restored", [False, True])
def test_a_job_whose_restore_is_asked_for_again_after_the_erasure_is_left_alone(
    services: FakeServices, restored: bool
) -> None:
    call(delete_job, services, "/jobs/job-1", method="DELETE")
    call(undelete_job, services, "/jobs/job-1/restore", method="POST")
    wish = services.restores.of("job-1")
    assert wish is not None
    if restored:
        services.restores.finish(wish, NOW)
    services.now = lambda: NOW + MINUTE
    assert request(services, "?confirm=5" if restored else "?confirm=4").status_code == 202
    services.now = lambda: NOW + 2 * MINUTE
    answer = call(undelete_job, services, "/jobs/job-1/restore", method="POST")
    assert answer.status_code == 202
    assert answer.json == {"job_id": "job-1", "restore": "done" if restored else "pending"}
    run(services)
    assert services.fake_ledger.entries["job-1"]["state"] == ("restored" if restored else "restoring")
    assert live(services) == {"others"} | ({"job-1"} if restored else set())


def test_a_long_walk_is_handed_on_batch_by_batch(services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    times = iter(range(0, 100_000, 100))
    monkeypatch.setattr("functions.erase_jobs.time.monotonic", lambda: next(times))
    request(services)
    seen = []
    for _ in range(20):
        events = len(services.fake_erasure_publisher.published)
        run(services)
        seen.append(progress(services)["deleted"])
        if len(services.fake_erasure_publisher.published) == events:
            break
    assert seen == sorted(seen)
    assert len(seen) > 1
    assert progress(services)["state"] == "done"
    assert live(services) == {"others"}


def test_a_walk_that_cannot_be_handed_on_comes_back(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    request(services)
    monkeypatch.setattr(module, "ERASE_WITHIN", -1)
    services.fake_erasure_publisher.refused = {None}  # type: ignore[arg-type]
    with pytest.raises(ServiceUnavailable):
        run(services)


def test_a_killed_run_goes_on_and_counts_each_job_once(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    request(services)
    advance = services.erasures.advance
    kills = iter([False, True, False, False, False, False])

    def killed(*arguments: Any, **named: Any) -> Any:
        if next(kills):
            raise Unavailable("Firestore")
        return advance(*arguments, **named)

    monkeypatch.setattr(services.erasures, "advance", killed)
    with pytest.raises(ServiceUnavailable):
        run(services)
    assert progress(services)["deleted"] == 2
    run(services)
    assert (progress(services)["state"], progress(services)["deleted"]) == ("done", 5)


def test_two_runs_at_once_count_each_job_once(services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    request(services)
    batch = services.repository.batch
    first = iter([True])

    def meanwhile(*arguments: Any) -> Any:
        if next(first, False):
            run(services)
        return batch(*arguments)

    monkeypatch.setattr(services.repository, "batch", meanwhile)
    run(services)
    assert (progress(services)["state"], progress(services)["deleted"]) == ("done", 5)


def test_jobs_for_which_firestore_does_not_answer_are_tried_again_without_the_others(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, asked = services.fake_ledger.change, Counter[str]()

    def unanswered(job_id: str, step: Any) -> Any:
        asked[job_id] += 1
        if asked[job_id] < {"job-1": 2, "job-2": 3}.get(job_id, 1):
            raise Unavailable("Firestore")
        return change(job_id, step)

    monkeypatch.setattr(services.fake_ledger, "change", unanswered)
    request(services)
    run(services)
    assert live(services) == {"others"}
    assert (asked["job-0"], asked["job-1"], asked["job-2"]) == (1, 2, 3)
    assert (progress(services)["state"], progress(services)["deleted"]) == ("done", 5)


def test_one_job_that_cannot_be_written_keeps_no_other(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    change = services.fake_ledger.change
    broken = {"job-1"}

    def refuse(job_id: str, step: Any) -> Any:
        if job_id in broken:
            raise ValueError("too large")
        return change(job_id, step)

    monkeypatch.setattr(services.fake_ledger, "change", refuse)
    request(services)
    run(services)
    assert live(services) == {"job-1", "others"}
    assert caplog.messages.count("erasure_job_failed") == 1
    assert (progress(services)["state"], progress(services)["deleted"]) == ("pending", 4)
    broken.clear()
    services.now = lambda: NOW + 2 * SWEEP_AFTER
    sweep(services)
    run(services)
    assert (progress(services)["state"], progress(services)["deleted"]) == ("done", 5)


def test_an_erasure_that_was_not_published_is_asked_for_by_a_sweep(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.fake_erasure_publisher.error = Unavailable("Pub/Sub")
    assert request(services).status_code == 202
    assert "publish_failed" in caplog.messages
    services.now = lambda: NOW + 2 * SWEEP_AFTER
    with pytest.raises(ServiceUnavailable):
        sweep(services)
    services.fake_erasure_publisher.error = None
    sweep(services)
    run(services)
    assert live(services) == {"others"}


def test_an_erasure_that_never_ends_raises_an_alert(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    request(services)
    for _ in range(8):
        assert "erasure_overdue" not in caplog.messages
        (one,) = services.fake_erasures.documents.values()
        services.now = lambda at=one["sweep_at"]: at  # type: ignore[misc]
        sweep(services)
    assert caplog.messages.count("erasure_overdue") == 1


@pytest.mark.parametrize("kind", ["unknown", "another's"])
def test_an_event_alone_erases_nothing(
    services: FakeServices, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    request(services)
    (published,) = services.fake_erasure_publisher.published
    forged = {
        "unknown": JobsErased("0" * 32, "somebody-else"),
        "another's": JobsErased(published.erasure_id, "somebody-else"),
    }[kind]
    run(services, forged)
    assert "event_never" in caplog.messages
    assert live(services) == {*services.fake_repository.documents}


def test_jobs_with_impossible_ids_are_passed_over(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.add("a b", document("me", created_at=BEFORE))
    request(services, "?confirm=6")
    run(services)
    assert live(services) == {"a b", "others"}
    assert "job_ids_unusable" in caplog.messages
    assert progress(services)["state"] == "done"
