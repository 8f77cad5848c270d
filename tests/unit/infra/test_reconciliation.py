"""What a reconciliation reports and repairs, with fakes of Storage and Firestore."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from google.api_core.exceptions import InvalidArgument

from infra.reconcile import line
from infra.reconciliation import Checkpoint, Finding, Kind, Reconciliation
from shared.deletion.deletions import Deletions
from shared.deletion.ledger import Ledger
from shared.deletion.standing import Standing
from shared.storage.objects import ObjectStore, StoredObject
from tests.fake_firestore import SWEEP_AFTER, FakeLedger, FakeRepository
from tests.jobs import NOW, deleted, document, entry, is_owed

LONG_AGO = NOW - timedelta(days=3)
GRACE = timedelta(hours=24)
RUN = "this run"


class Shelves:
    """Buckets with listings that can be interrupted, and the jobs that own their objects."""

    def __init__(self) -> None:
        self.objects_in: dict[str, list[StoredObject]] = {"images": [], "outputs": []}
        self.repository = FakeRepository()
        self.ledger = FakeLedger(self.repository)
        self.fake = Deletions(cast(Ledger, self.ledger), SWEEP_AFTER)
        self.listed = 0
        self.fails_after: int | None = None
        self.asked: list[int] = []

    def put(
        self, name: str, size: int = 10, *, bucket: str = "images", age: timedelta = timedelta(days=3)
    ) -> None:
        self.objects_in[bucket].append(StoredObject(name, size, NOW - age))
        self.objects_in[bucket].sort(key=lambda stored: stored.name)

    def objects(self, bucket: str, start: str | None = None) -> Iterator[StoredObject]:
        for stored in self.objects_in[bucket]:
            if start is None or stored.name >= start:
                self.listed += 1
                if self.fails_after is not None and self.listed > self.fails_after:
                    raise ConnectionError("the bucket is away")
                yield stored

    def standings(self, job_ids: list[str]) -> dict[str, Standing]:
        self.asked.append(len(job_ids))
        return self.fake.standings(job_ids)

    def all_pending(self, before: Any) -> Any:
        return self.fake.all_pending(before)

    def reopen(self, job_id: str, now: Any) -> None:
        self.fake.reopen(job_id, now)

    def uphold(self, job_id: str, now: Any) -> None:
        self.fake.uphold(job_id, now)

    def take_stale_mark(self, job_id: str, now: Any) -> bool:
        return self.fake.take_stale_mark(job_id, now)

    def take_over(self, job_id: str, now: Any) -> None:
        self.fake.take_over(job_id, now)

    def delete(self, job_id: str, state: str, **changes: Any) -> None:
        """Add a deleted job that has been deleted for days."""
        self.repository.documents[job_id] = deleted("me", deleted_at=LONG_AGO)
        self.ledger.entries[job_id] = entry("me", **{"state": state, "requested_at": LONG_AGO, **changes})

    def reconciliation(self, *, repair: bool = False) -> Reconciliation:
        return Reconciliation(
            cast(ObjectStore, self),
            cast(Deletions, self),
            cast(Ledger, self.ledger),
            self.objects_in,
            now=NOW,
            grace=GRACE,
            repair=repair,
        )

    def find(self, *, repair: bool = False, checkpoint: Checkpoint | None = None) -> list[Finding]:
        batches = self.reconciliation(repair=repair).objects(checkpoint or Checkpoint())
        return [finding for findings in batches for finding in findings]


@pytest.fixture
def shelves() -> Shelves:
    return Shelves()


def test_live_jobs_objects_are_counted_and_not_spoken_of(shelves: Shelves) -> None:
    shelves.repository.documents["job-1"] = document("me")
    for name in ("reference.png", "poster.webp"):
        shelves.put(f"me/job-1/{name}", 7)
    checkpoint = Checkpoint()
    assert shelves.find(checkpoint=checkpoint) == []
    assert checkpoint.counted == {"images": {"live": [2, 14]}}


def test_each_kind_of_what_should_not_be_there_is_told_apart(shelves: Shelves) -> None:
    documents = shelves.repository.documents
    shelves.delete("done", "done")
    shelves.delete("stuck", "pending")
    shelves.delete("vanished", "pending")
    del documents["vanished"]
    documents["unasked"] = deleted("me", deleted_at=NOW)
    documents["foreign"] = document("you")
    documents["odd"] = deleted("me", deleted_at="yesterday")
    shelves.delete("lost", "restored")  # it was live when somebody removed its document
    del documents["lost"]
    for job_id in ("done", "stuck", "vanished", "unasked", "foreign", "odd", "nobodys", "lost"):
        shelves.put(f"me/{job_id}/a", 3, bucket="outputs")
        shelves.put(f"me/{job_id}/b", 4, bucket="outputs")
    shelves.put("exports/all.csv")
    found = {(finding.kind, finding.bucket, finding.prefix): finding for finding in shelves.find()}
    assert set(found) == {
        (Kind.SAID_DONE, "outputs", "me/done/"),
        (Kind.OVERDUE, "outputs", "me/stuck/"),
        (Kind.OVERDUE, "outputs", "me/vanished/"),
        (Kind.OVERDUE, "outputs", "me/unasked/"),
        (Kind.UNKNOWN, "outputs", "me/foreign/"),
        (Kind.UNKNOWN, "outputs", "me/odd/"),
        (Kind.UNKNOWN, "outputs", "me/nobodys/"),
        (Kind.UNKNOWN, "outputs", "me/lost/"),
        (Kind.UNKNOWN, "images", "exports/"),
    }
    done = found[Kind.SAID_DONE, "outputs", "me/done/"]
    assert (done.objects, done.bytes) == (2, 7)


def test_what_is_just_on_its_way_is_not_spoken_of(shelves: Shelves) -> None:
    shelves.delete("going", "pending", requested_at=NOW)
    shelves.put("me/going/a")
    shelves.put("me/new/a", age=timedelta(hours=1))
    assert shelves.find() == []


def test_a_job_that_was_purged_while_it_was_looked_at_is_not_spoken_of(shelves: Shelves) -> None:
    shelves.delete("done", "done")
    shelves.put("me/done/a")
    shelves.put("me/done-2/a", age=timedelta())
    batches = shelves.reconciliation().objects(Checkpoint())
    listing = shelves.objects_in["images"]

    def standings(job_ids: list[str]) -> dict[str, Standing]:
        listing[:] = [stored for stored in listing if not stored.name.startswith("me/done/")]
        return Shelves.standings(shelves, job_ids)

    shelves.standings = standings  # type: ignore[method-assign]
    assert [finding for findings in batches for finding in findings] == []


def test_without_repair_nothing_is_written(shelves: Shelves) -> None:
    shelves.delete("done", "done")
    shelves.put("me/done/a")
    before = dict(shelves.ledger.entries["done"])
    shelves.find()
    assert shelves.ledger.entries["done"] == before


def test_repair_opens_the_purges_of_deleted_jobs_and_no_others(shelves: Shelves) -> None:
    documents = shelves.repository.documents
    shelves.delete("done", "done")
    documents["unasked"] = deleted("me", deleted_at=NOW)
    documents["foreign"] = deleted("you")
    documents["live"] = document("me")
    before = {name: dict(documents[name]) for name in ("foreign", "live")}
    for job_id in (*documents, "nobodys"):
        shelves.put(f"me/{job_id}/a")
    shelves.find(repair=True)
    for job_id in ("done", "unasked"):
        deletion = shelves.fake.of(job_id)
        assert deletion is not None
        assert is_owed(deletion, NOW)
    assert {name: documents[name] for name in before} == before


def test_a_purge_that_is_pending_for_too_long_is_told_and_made_due(shelves: Shelves) -> None:
    later = NOW + timedelta(hours=5)
    shelves.delete("stuck", "pending", sweep_at=later)
    shelves.delete("young", "pending", requested_at=NOW)
    assert list(shelves.reconciliation().deletions()) == [Finding(Kind.OVERDUE, "me/stuck/")]
    assert list(shelves.reconciliation(repair=True).deletions()) == [Finding(Kind.OVERDUE, "me/stuck/")]
    assert shelves.ledger.entries["stuck"]["sweep_at"] == NOW


def test_what_a_deleted_job_names_elsewhere_is_told_and_left_to_somebody(shelves: Shelves) -> None:
    shelves.delete("job-1", "pending", left=["images/me/uploads/1.png", "videos/me/uploads/2.mp4"])
    before = dict(shelves.ledger.entries["job-1"])
    told = [Finding(Kind.LEFT, "images/me/uploads/1.png"), Finding(Kind.LEFT, "videos/me/uploads/2.mp4")]
    assert list(shelves.reconciliation(repair=True).deletions()) == told
    assert shelves.ledger.entries["job-1"] == before


def test_a_lost_mark_is_told_and_put_again(shelves: Shelves) -> None:
    shelves.delete("job-1", "done")
    shelves.delete("marked", "done")
    shelves.delete("restored", "restored")
    for job_id in ("job-1", "restored"):
        shelves.repository.documents[job_id] = document("me")
    assert list(shelves.reconciliation().deletions()) == [Finding(Kind.LOST_MARK, "jobs/job-1")]
    assert "deleted_at" not in shelves.repository.documents["job-1"]
    assert list(shelves.reconciliation(repair=True).deletions()) == [Finding(Kind.LOST_MARK, "jobs/job-1")]
    assert shelves.repository.documents["job-1"]["deleted_at"] == LONG_AGO
    assert list(shelves.reconciliation().deletions()) == [Finding(Kind.OVERDUE, "me/job-1/")]


def test_texts_that_came_back_after_an_erasure_are_told_and_removed(shelves: Shelves) -> None:
    for job_id, user, about in (
        ("job-1", "me", {"state": "done", "erasure": "e"}),
        ("not-erased", "me", {"state": "done"}),
        ("restored", "me", {"state": "restored", "erasure": "e"}),
        ("new-owner", "you", {"state": "done", "erasure": "e"}),
    ):
        shelves.delete(job_id, **about)
        shelves.repository.documents[job_id] |= {"user_id": user, "name": "Cat", "extension_prompt": "a cat"}
    others = {job_id: dict(one) for job_id, one in shelves.repository.documents.items() if job_id != "job-1"}
    told = [Finding(Kind.ERASED_TEXTS, "jobs/job-1")]
    assert list(shelves.reconciliation().deletions()) == told
    assert shelves.repository.documents["job-1"]["name"] == "Cat"
    assert list(shelves.reconciliation(repair=True).deletions()) == told
    assert shelves.repository.documents["job-1"].keys().isdisjoint({"name", "extension_prompt"})
    assert shelves.ledger.entries["job-1"]["state"] == "done"
    assert list(shelves.reconciliation().deletions()) == []
    assert {job_id: shelves.repository.documents[job_id] for job_id in others} == others


def test_records_of_older_code_are_told_and_taken_over(shelves: Shelves) -> None:
    shelves.repository.documents["old"] = deleted("me", purge={"state": "done", "requested_at": LONG_AGO})
    shelves.repository.documents["live"] = document("me", purge={"state": "pending"})
    told = [Finding(Kind.OLD_FORM, "jobs/live"), Finding(Kind.OLD_FORM, "jobs/old")]
    assert list(shelves.reconciliation().deletions()) == told
    assert shelves.ledger.entries == {}
    assert list(shelves.reconciliation(repair=True).deletions()) == told
    assert list(shelves.reconciliation(repair=True).deletions()) == []
    assert shelves.ledger.entries.keys() == {"old"}


def test_a_job_whose_purge_cannot_be_opened_again_keeps_no_other_from_its_repair(
    shelves: Shelves, monkeypatch: pytest.MonkeyPatch
) -> None:
    for job_id in ("full", "sound"):
        shelves.put(f"me/{job_id}/reference.png")
        shelves.delete(job_id, "done")
    shelves.delete("stuck", "pending")
    reopen = shelves.fake.reopen

    def refuse(job_id: str, now: Any) -> None:
        if job_id != "sound":
            raise InvalidArgument("the document is full")
        reopen(job_id, now)

    monkeypatch.setattr(shelves.fake, "reopen", refuse)
    found = [(finding.prefix, finding.stuck) for finding in shelves.find(repair=True)]
    assert found == [("me/full/", True), ("me/sound/", False)]
    assert shelves.ledger.entries["sound"]["state"] == "pending"
    assert any(finding.stuck for finding in shelves.reconciliation(repair=True).deletions())


def test_a_run_that_was_broken_off_goes_on_and_counts_everything_once(shelves: Shelves, tmp_path: Path) -> None:
    file = tmp_path / "new" / "checkpoint.json"
    for number in range(250):
        for name in ("a", "b", "b"):
            shelves.put(f"me/job-{number:03}/{name}")
    shelves.put("me/last/a", bucket="outputs")
    shelves.fails_after = 500
    found: list[Finding] = []

    def run() -> None:
        checkpoint = Checkpoint.load(file, RUN)
        for findings in shelves.reconciliation().objects(checkpoint):
            found.extend(findings)
            checkpoint.save(file)

    with pytest.raises(ConnectionError):
        run()
    assert len(found) == 100
    shelves.fails_after = None
    checkpoint = Checkpoint.load(file, RUN)
    found += shelves.find(checkpoint=checkpoint)
    assert [finding.prefix for finding in found] == [f"me/job-{number:03}/" for number in range(250)] + [
        "me/last/"
    ]
    assert checkpoint.counted == {"images": {"unknown": [750, 7500]}, "outputs": {"unknown": [1, 10]}}
    assert checkpoint.findings == 251


@pytest.mark.parametrize("content", ["", "[]", "{", '{"bukket": 1}'])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "checkpoint.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"."):
        Checkpoint.load(file, RUN)


def test_a_run_does_not_go_on_from_where_another_was(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.json"
    Checkpoint(RUN, 1, "me/a").save(file)
    assert Checkpoint.load(file, RUN).after == "me/a"
    with pytest.raises(ValueError, match="another run"):
        Checkpoint.load(file, f"{RUN} --repair")


def test_jobs_are_looked_up_a_hundred_at_a_time(shelves: Shelves) -> None:
    for number in range(250):
        shelves.put(f"me/job-{number:03}/a")
    shelves.find()
    assert shelves.asked == [100, 100, 50]


@pytest.mark.slow  # looks at 22,000 objects
def test_ten_times_the_objects_take_no_more_memory(shelves: Shelves, monkeypatch: pytest.MonkeyPatch) -> None:
    def peak(jobs: int) -> int:
        def objects(bucket: str, start: str | None = None) -> Iterator[StoredObject]:
            for number in range(jobs if bucket == "images" else 0):
                for name in ("reference.png", "poster.webp"):
                    yield StoredObject(f"me/job-{number:07}/{name}", 10, LONG_AGO)

        monkeypatch.setattr(shelves, "objects", objects)
        tracemalloc.start()
        total = sum(len(findings) for findings in shelves.reconciliation().objects(Checkpoint()))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert total == jobs
        return most

    assert peak(10_000) < 1.5 * peak(1_000)


def test_a_stale_mark_of_a_restored_job_is_told_and_taken_away(shelves: Shelves) -> None:
    shelves.delete("job-1", "restored", restored_at=NOW, sweep_at=None)
    assert list(shelves.reconciliation().deletions()) == [Finding(Kind.STALE_MARK, "jobs/job-1")]
    assert "deleted_at" in shelves.repository.documents["job-1"]
    assert list(shelves.reconciliation(repair=True).deletions()) == [Finding(Kind.STALE_MARK, "jobs/job-1")]
    assert shelves.repository.documents["job-1"].keys().isdisjoint({"deleted_at", "deleted_by"})
    assert list(shelves.reconciliation().deletions()) == []


def test_a_restored_job_that_other_code_has_marked_since_is_told(shelves: Shelves) -> None:
    shelves.delete("job-1", "restored", restored_at=LONG_AGO, sweep_at=None)
    shelves.repository.documents["job-1"]["deleted_at"] = NOW
    for repair in (False, True):
        found = list(shelves.reconciliation(repair=repair).deletions())
        assert found == [Finding(Kind.MARKED_AGAIN, "jobs/job-1")]


def test_a_restore_that_takes_longer_than_its_grace_is_told(shelves: Shelves) -> None:
    shelves.delete("stuck", "restoring", restore_requested_at=LONG_AGO)
    shelves.delete("young", "restoring", restore_requested_at=NOW)
    assert list(shelves.reconciliation(repair=True).deletions()) == [Finding(Kind.RESTORING, "jobs/stuck")]


@pytest.mark.parametrize("bucket", ["images", None])
def test_a_strangers_name_is_one_line_and_tells_the_terminal_nothing(bucket: str | None) -> None:
    shown = line(Finding(Kind.UNKNOWN if bucket else Kind.LEFT, "me\x1b]0;x\a/a\nlive\tb/", bucket))
    assert "me\\x1b]0;x\\x07/a\\nlive\\tb/\t" in shown
    assert shown.replace("\t", "").isprintable()
