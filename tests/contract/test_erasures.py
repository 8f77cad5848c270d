"""Erasures of all of a user's jobs. The same tests run on Firestore's emulator and on the fake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.deletion.erasing import Erased, Erasing
from shared.deletion.erasures import Erasure, Erasures, ErasureState
from shared.deletion.restores import Restores
from shared.deletion.standing import texts_to_erase
from shared.errors import TooManyRequests
from shared.jobs.amending import Document
from tests.contract.worlds import World, put_many
from tests.fake_firestore import SWEEP_AFTER
from tests.jobs import NOW, document, entry, is_owed, new_id

MINUTE = timedelta(minutes=1)
TEXTS = {"extension_prompt": "a cat", "error_message": "no cat", "name": "Cat", "name_folded": "cat"}


@pytest.fixture
def erasures(world: World) -> Erasures:
    return world.erasures


@pytest.fixture
def erasure(erasures: Erasures, user: str) -> Erasure:
    return erasures.request(user, 3, None, by=user, now=NOW)


def advance(
    erasures: Erasures, erasure: Erasure | None, after: str | None, deleted: int = 1, failed: int = 0
) -> Erasure | None:
    assert erasure
    return erasures.advance(erasure, after, deleted=deleted, failed=failed, left=(), now=NOW + MINUTE)


def test_what_was_asked_for_is_read_as_it_was(erasures: Erasures, erasure: Erasure, user: str) -> None:
    assert erasures.of(erasure.id) == erasures.latest(user) == erasure
    assert (erasure.state, erasure.jobs, erasure.requested_by) == (ErasureState.PENDING, 3, user)
    assert erasures.of("0" * 32) is None
    assert erasures.latest("somebody-else") is None


def test_the_latest_is_the_one_asked_for_last(erasures: Erasures, erasure: Erasure, user: str) -> None:
    later = erasures.request(user, 0, None, by="operator", now=NOW + MINUTE)
    erasures.request(user, 1, None, by=user, now=NOW - MINUTE)
    assert erasures.latest(user) == later


def test_of_those_asked_for_within_a_minute_one_is_taken(
    world: World, erasures: Erasures, erasure: Erasure, user: str
) -> None:
    begins = NOW.replace(second=0, microsecond=0)
    for now in (begins, NOW + timedelta(seconds=1), begins + timedelta(seconds=59.9)):
        with pytest.raises(TooManyRequests, match="still being carried out"):
            erasures.request(user, 2, None, by=user, now=now)
    assert erasures.latest(user) == erasure
    done(erasures, erasure)
    with pytest.raises(TooManyRequests, match="less than a minute ago"):
        erasures.request(user, 2, None, by=user, now=NOW + timedelta(seconds=1))
    ids = {erasures.request(one, 2, None, by=one, now=begins + MINUTE).id for one in (user, f"{user}-2")}
    assert len(ids | {erasure.id}) == 3


def test_one_whose_answer_was_lost_is_there_when_it_is_written_again(
    erasures: Erasures, erasure: Erasure, user: str
) -> None:
    assert erasures.request(user, 3, None, by=user, now=NOW) == erasure


def test_it_is_done_with_a_pass_without_failures(erasures: Erasures, erasure: Erasure) -> None:
    second = advance(erasures, erasure, "b", deleted=2)
    assert second
    assert (second.after, second.deleted, second.state) == ("b", 2, ErasureState.PENDING)
    assert second.sweep_at == NOW + MINUTE + SWEEP_AFTER
    done = advance(erasures, second, None)
    assert done
    assert (done.after, done.deleted, done.state) == (None, 3, ErasureState.DONE)
    assert done.finished_at == NOW + MINUTE
    assert erasures.of(erasure.id) == done


def test_a_pass_with_failures_is_followed_by_another(erasures: Erasures, erasure: Erasure) -> None:
    failed = advance(erasures, advance(erasures, erasure, "b", failed=1), None)
    assert failed
    assert (failed.state, failed.after, failed.deleted) == (ErasureState.PENDING, None, 2)
    done = advance(erasures, failed, None, deleted=3)
    assert done
    assert (done.state, done.deleted) == (ErasureState.DONE, 3)  # each job once


def test_what_a_pass_left_alone_is_kept_until_the_next_begins(erasures: Erasures, erasure: Erasure) -> None:
    assert erasure.left == ()
    place: Erasure | None = erasure
    kept = []
    for after, left in (("b", ["a"]), (None, ["c"]), ("b", []), (None, ["d"])):
        assert place
        place = erasures.advance(place, after, deleted=0, failed=0, left=left, now=NOW)
        kept.append(place and place.left)
    assert kept == [("a",), ("a", "c"), (), ("d",)]


def test_a_run_that_comes_second_changes_nothing(erasures: Erasures, erasure: Erasure) -> None:
    first = advance(erasures, erasure, "b")
    assert advance(erasures, erasure, "c") is None
    assert erasures.of(erasure.id) == first
    ended = advance(erasures, first, None)
    assert advance(erasures, erasure, "b") is None  # although it is at the beginning again
    assert erasures.of(erasure.id) == ended


@pytest.mark.parametrize("after", ["b", None])
def test_of_two_runs_that_take_the_same_step_one_goes_on(
    erasures: Erasures, erasure: Erasure, after: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = advance(erasures, erasure, after)
    assert first
    assert advance(erasures, erasure, after) is None
    assert erasures.of(erasure.id) == first
    change = erasures._change

    def overtaken(erasure_id: str, step: Callable[[Document], Document]) -> Document:
        assert step(erasures._read(erasure_id)), "it wants to write, and another run is first"
        monkeypatch.setattr(erasures, "_change", change)
        assert advance(erasures, first, "c")
        return change(erasure_id, step)

    monkeypatch.setattr(erasures, "_change", overtaken)
    assert advance(erasures, first, "c") is None


@pytest.mark.parametrize("after", ["b", None])
def test_a_step_whose_answer_was_lost_is_its_runs_own(
    erasures: Erasures, erasure: Erasure, after: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = erasures._change
    monkeypatch.setattr(erasures, "_change", lambda *step: change(*step) and change(*step))
    found = advance(erasures, erasure, after)
    assert found
    assert (found, found.deleted) == (erasures.of(erasure.id), 1)


def test_what_makes_no_progress_is_due(erasures: Erasures, erasure: Erasure) -> None:
    def is_due(now: datetime) -> bool:
        return erasure.id in [one.id for one in erasures.due(now, 1000)]

    assert not is_due(NOW)
    assert is_due(NOW + SWEEP_AFTER)
    erasures.record_sweep(erasure, NOW + SWEEP_AFTER)
    erasures.record_sweep(erasure, NOW + SWEEP_AFTER)  # a repetition
    swept = erasures.of(erasure.id)
    assert swept
    assert (swept.sweeps, swept.sweep_at) == (1, NOW + 3 * SWEEP_AFTER)
    done = advance(erasures, swept, None)
    assert done
    assert done.sweep_at
    erasures.record_sweep(done, NOW + timedelta(days=2))
    assert not is_due(NOW + timedelta(days=9))


@pytest.mark.parametrize("damage", [{}, {"state": "odd"}])
def test_a_damaged_one_keeps_no_other_from_being_found(
    world: World, erasure: Erasure, damage: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    damaged, now = new_id(), NOW + SWEEP_AFTER
    whole = asdict(erasure) if damage else {}
    world.put_erasure(damaged, {**whole, **damage, "sweep_at": NOW - timedelta(days=800)})
    assert erasure.id in [one.id for one in world.erasures.due(now, 1000)]
    assert caplog.messages == ["erasure_damaged"]
    assert world.erasures.due(NOW - timedelta(days=700), 1000) == [], "it is out of the way"
    assert caplog.messages == ["erasure_damaged"]


def done(erasures: Erasures, erasure: Erasure | None) -> Erasure:
    ended = advance(erasures, erasure, None, deleted=3)
    assert ended
    assert ended.sweep_at, "sweeps look for jobs that came late"
    return ended


def test_a_new_request_takes_over_what_sweeps_do_for_one_that_is_done(
    erasures: Erasures, erasure: Erasure, user: str
) -> None:
    first = done(erasures, erasure)
    second = erasures.request(user, 0, first, by=user, now=NOW + 2 * MINUTE)
    assert erasures.of(first.id) == replace(first, sweep_at=None)
    assert erasures.of(second.id) == second
    assert second.sweep_at
    # A sweep that read the first before this changes nothing.
    erasures.record_sweep(first, NOW + 2 * MINUTE)
    assert erasures.of(first.id) == replace(first, sweep_at=None)


def test_one_that_is_going_on_is_swept_as_before(erasures: Erasures, erasure: Erasure, user: str) -> None:
    moved = advance(erasures, erasure, "b")
    erasures.request(user, 2, moved, by=user, now=NOW + 2 * MINUTE)
    assert erasures.of(erasure.id) == moved


def test_one_of_a_clock_that_is_ahead_is_swept_as_before(erasures: Erasures, erasure: Erasure, user: str) -> None:
    first = done(erasures, erasure)
    erasures.request(user, 0, first, by=user, now=NOW - MINUTE)
    assert erasures.of(first.id) == first


def test_a_run_that_goes_on_meanwhile_keeps_both(erasures: Erasures, erasure: Erasure, user: str) -> None:
    first = done(erasures, erasure)
    moved = advance(erasures, first, "b")
    second = erasures.request(user, 1, first, by=user, now=NOW + 2 * MINUTE)
    ended = advance(erasures, moved, None)
    assert ended
    assert (ended.state, ended.passes) == (ErasureState.DONE, 2)
    assert erasures.of(second.id) == second


def test_all_of_a_users_jobs_are_found_batch_by_batch(world: World, user: str) -> None:
    ids = sorted(put_many(world, user, document, 3))
    put_many(world, "somebody-else", document, 2)
    world.put(ids[1], document(user, deleted_at=NOW))
    assert world.repository.batch(user, NOW, None, 2) == (ids[:2], ids[1])
    assert world.repository.batch(user, NOW, ids[1], 2) == (ids[2:], None)
    world.put(ids[0], document(user, created_at=NOW))
    assert world.repository.batch(user, NOW, None, 2) == (ids[1:2], ids[1])


def test_of_some_jobs_the_live_ones_of_before_a_time_are_counted(world: World, user: str) -> None:
    ids = put_many(world, user, document, 4)
    world.put("a b", document("somebody-else"))
    assert world.repository.live_before(user, [*ids, "a b", "unknown"], NOW + MINUTE) == 4
    world.put(ids[0], document(user, deleted_at=NOW))
    world.put(ids[1], document(user, created_at=NOW + MINUTE))
    world.put(ids[2], document(user, created_at=None))
    assert world.repository.live_before(user, ids, NOW + MINUTE) == 1
    assert world.repository.live_before(user, [], NOW + MINUTE) == 0


def test_a_job_that_its_writers_clock_dates_ahead_is_found_as_well(world: World, user: str) -> None:
    job_id = new_id()
    now = datetime.now(UTC)
    world.put(job_id, document(user, created_at=now + timedelta(hours=2)))
    assert world.repository.batch(user, now + timedelta(hours=1), None, 2) == ([job_id], None)


def test_a_job_is_erased_with_its_words(world: World, erasure: Erasure, user: str) -> None:
    (job_id,) = put_many(world, user, document, 1)
    world.put(job_id, document(user, **TEXTS))
    erasing = Erasing(world.ledger, world.deletions)
    for _ in range(2):  # a repetition tells the same
        erased = erasing.erase(erasure, [job_id, "a b"], NOW + MINUTE)
        assert ([one.job_id for one in erased.deletions], erased.failed) == ([job_id], 0)
        assert erased.left == ("a b",)
    kept = world.read(job_id)
    assert (kept["deleted_at"], kept["deleted_by"]) == (NOW + MINUTE, user)
    assert kept.keys() & TEXTS.keys() == set()
    assert world.entry(job_id)["erasure"] == erasure.id


def test_no_words_are_displaced_or_stay_displaced(world: World, erasure: Erasure, user: str) -> None:
    job_id = new_id()
    world.put(job_id, document(user, **TEXTS))
    world.put_displaced(job_id, {"extension_prompt": "a cat", "other": "kept"})
    world.put_entry(
        job_id,
        {"user_id": user, "requested_at": NOW, "requested_by": user}
        | {"state": "restored", "displaced": 1, "put_back": 1},
    )
    Erasing(world.ledger, world.deletions).erase(erasure, [job_id], NOW + MINUTE)
    assert world.ledger.displaced(job_id, 0) == {"other": "kept"}


def test_a_job_that_its_owner_restored_after_the_erasure_and_deleted_again_keeps_its_words(
    world: World, erasure: Erasure, user: str
) -> None:
    ids = put_many(world, user, lambda owner: document(owner, **TEXTS), 2)
    erasing = Erasing(world.ledger, world.deletions)
    restores = Restores(world.ledger, SWEEP_AFTER, SWEEP_AFTER)
    world.deletions.mark(user, ids[0], NOW)
    world.deletions.mark(user, ids[1], NOW)
    for job_id in ids:
        wish = restores.request(user, job_id, lambda at: at, NOW + MINUTE, lambda: erasure.requested_at)
        if job_id == ids[0]:
            restores.finish(wish, NOW + 2 * MINUTE)
        world.deletions.mark(user, job_id, NOW + 3 * MINUTE)
        assert erasing.erase(erasure, [job_id], NOW + 4 * MINUTE) == Erased([], 0)
        assert world.read(job_id).items() >= TEXTS.items()
    later = replace(erasure, id="later", requested_at=NOW + 5 * MINUTE)
    assert len(erasing.erase(later, ids, NOW + 5 * MINUTE).deletions) == 2
    assert all(world.read(job_id).keys().isdisjoint(TEXTS) for job_id in ids)


def test_a_restore_that_older_code_recorded_is_respected(world: World, erasure: Erasure, user: str) -> None:
    after, before = put_many(world, user, document, 2)
    for job_id, asked in ((after, NOW + MINUTE), (before, NOW - MINUTE)):
        world.put_entry(job_id, entry(user, state="restored", sweep_at=None, restore_requested_at=asked))
    erased = Erasing(world.ledger, world.deletions).erase(erasure, [after, before], NOW + 2 * MINUTE)
    assert (erased.left, [one.job_id for one in erased.deletions]) == ((after,), [before])


def test_a_job_whose_restore_was_given_up_loses_its_words(world: World, erasure: Erasure, user: str) -> None:
    (job_id,) = put_many(world, user, lambda owner: document(owner, **TEXTS), 1)
    restores = Restores(world.ledger, SWEEP_AFTER, SWEEP_AFTER)
    world.deletions.mark(user, job_id, NOW)
    wish = restores.request(user, job_id, lambda at: at, NOW + MINUTE, lambda: erasure.requested_at)
    restores.abandon(wish, NOW + 2 * MINUTE)
    Erasing(world.ledger, world.deletions).erase(erasure, [job_id], NOW + 3 * MINUTE)
    assert world.read(job_id).keys().isdisjoint(TEXTS)


def test_another_users_job_is_not_erased(world: World, erasure: Erasure) -> None:
    (job_id,) = put_many(world, "somebody-else", document, 1)
    before = world.read(job_id)
    assert Erasing(world.ledger, world.deletions).erase(erasure, [job_id], NOW).deletions == []
    assert (world.read(job_id), world.entry(job_id)) == (before, {})


def test_texts_that_a_stale_copy_with_the_mark_brings_back_go_with_the_next_look(
    world: World, erasure: Erasure, user: str
) -> None:
    (job_id,) = put_many(world, user, lambda owner: document(owner, **TEXTS), 1)
    world.deletions.mark(user, job_id, NOW)
    done = world.deletions.end_purge(job_id, "run", [], NOW, owner=user)
    copied = dict(world.read(job_id))
    Erasing(world.ledger, world.deletions).erase(erasure, [job_id], NOW)
    assert world.read(job_id).keys().isdisjoint(TEXTS)
    world.put(job_id, copied)
    (found,) = (pair for pair in world.ledger.all() if pair.job_id == job_id)
    assert texts_to_erase(found) == TEXTS.keys()
    world.deletions.record_sweep(done, NOW + SWEEP_AFTER)
    assert world.read(job_id).keys().isdisjoint(TEXTS)
    deletion = world.deletions.of(job_id)
    assert deletion is not None
    assert not is_owed(deletion, NOW + SWEEP_AFTER), "no files came with the texts"
