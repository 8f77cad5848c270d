"""What each step writes into a ledger entry."""

from __future__ import annotations

from datetime import timedelta

from shared.deletion import entry as entries
from shared.deletion.entry import Entry
from shared.deletion.purge import NOTHING
from shared.storage.removal import BucketPurge
from tests.jobs import NOW
from tests.jobs import entry as pending

MINUTE = timedelta(minutes=1)


def late(entry: Entry, generation: int) -> Entry:
    return entries.late_upload_found(entry, "b", generation, 5, NOW)


def test_late_uploads_that_come_twice_count_once_however_many_they_are() -> None:
    entry = pending("me")
    for _ in range(2):
        for generation in range(20):
            entry = late(entry, generation)
    assert (entry["late_objects"], entry["late_bytes"]) == (20, 100)
    for generation in range(20):
        entry = entries.late_upload_ended(late(entry, generation), "b", generation, is_removed=True)
    assert (entry["late_objects"], entry["buckets"]["b"]["late"], entry["running"]) == (20, 20, {})


def test_what_a_run_of_a_deletion_that_was_taken_back_has_removed_counts_for_no_later_one() -> None:
    before = entries.begun(late(pending("me"), 7), "slow", [], NOW)
    restored = {**before, "state": "restored", "restore_requested_at": NOW + MINUTE}
    entry = entries.followed(restored, pending("me", requested_at=NOW + 7 * MINUTE))
    purged = [BucketPurge(bucket="b", objects=3, size=9)]
    entry = entries.ended(entry, "slow", purged, NOTHING, NOW + 8 * MINUTE)
    entry = entries.late_upload_ended(entry, "b", 7, is_removed=True)
    deletion = entries.deletion_of("job", entry)
    assert deletion
    assert (deletion.removed, deletion.is_proved_empty, entry["buckets"]["b"]["bytes"]) == ({"b": 0}, False, 0)


def test_what_a_run_has_removed_of_a_deletion_that_was_taken_back_and_wished_again_counts() -> None:
    entry = entries.begun(late(pending("me"), 7), "slow", [], NOW)
    entry = entries.wanted_again({**entry, "restore_requested_at": NOW + MINUTE}, NOW + 2 * MINUTE)
    purged = [BucketPurge(bucket="b", objects=3, size=9)]
    entry = entries.ended(entry, "slow", purged, NOTHING, NOW + 3 * MINUTE)
    entry = entries.late_upload_ended(entry, "b", 7, is_removed=True)
    deletion = entries.deletion_of("job", entry)
    assert deletion
    assert deletion.removed == {"b": 4}


def test_an_object_that_went_without_being_counted_has_a_time_all_the_same() -> None:
    purged = [BucketPurge(bucket="b", objects=0, size=0, is_counted=False)]
    entry = entries.ended(entries.begun(pending("me"), "run", [], NOW), "run", purged, NOTHING, NOW + MINUTE)
    for run in ("run", "next"):
        deletion = entries.deletion_of("job", entry)
        assert deletion
        assert (deletion.first_removal, deletion.removed, deletion.is_counted) == (NOW, {"b": 0}, False), run
        empty = [BucketPurge(bucket="b", objects=0, size=0)]
        entry = entries.begun(entry, "next", [], NOW + MINUTE)
        entry = entries.ended(entry, "next", empty, NOTHING, NOW + 2 * MINUTE)


def test_the_count_is_certain_once_all_runs_have_ended_and_told_of_all_that_they_removed() -> None:
    entry = late(entries.begun(pending("me"), "run", [], NOW), 7)
    purged = [BucketPurge(bucket="b", objects=3, size=9)]
    found = [entry]
    found.append(entries.late_upload_ended(found[-1], "b", 7, is_removed=True))
    found.append(entries.ended(found[-1], "run", purged, NOTHING, NOW + MINUTE))
    deletions = [entries.deletion_of("job", one) for one in found]
    assert [one and one.is_counted for one in deletions] == [False, False, True]


def test_what_the_last_of_two_deliveries_has_removed_counts_also_after_an_earlier_restore() -> None:
    restored = pending("me", state="restored", restore_requested_at=NOW + MINUTE)
    entry = entries.followed(restored, pending("me", requested_at=NOW + 7 * MINUTE))
    entry = late(late(entry, 7), 7)
    for is_removed in (False, True):
        entry = entries.late_upload_ended(entry, "b", 7, is_removed=is_removed)
    assert (entry["buckets"]["b"]["late"], entry["running"]) == (1, {})
