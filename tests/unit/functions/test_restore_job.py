"""Taking a deletion back, with fakes: the request, the restore, the sweep, uploads meanwhile, and the trash."""

from __future__ import annotations

import base64
import copy
import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from functions import restore_job as module
from functions.delete_job import delete_job
from functions.list_jobs import list_jobs
from functions.process_upload import process_upload
from functions.purge_job import purge_job
from functions.restore_job import restore_job
from functions.share_video import share_video
from functions.sweep_purges import sweep_purges
from functions.undelete_job import undelete_job
from shared.errors import Unavailable
from shared.jobs.job import JobPrefix
from shared.messaging.events import JobDeleted, JobRestored
from shared.publishing.dead_letters import Letter
from shared.settings import Bucket
from shared.storage.recovery import BucketRestore
from tests.calls import call
from tests.fake_firestore import LONGEST_RUN, SWEEP_AFTER
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, document
from tests.messages import envelope, message, notification

IMAGES, VIDEOS, OUTPUTS = SETTINGS.buckets
FILES = {IMAGES: "me/job/reference.png", VIDEOS: "me/job/motion.mp4", OUTPUTS: "me/job/output.mp4"}
DELETED, RESTORED = JobDeleted("job", "me", NOW), JobRestored("job", "me", NOW)
WEEK = timedelta(days=7)
MP4 = base64.b64decode("AAAAIGZ0eXBpc29tAAACAGlzb21pc28yYXZjMW1wNDE=")
OUTPUT = envelope(*notification(FILES[OUTPUTS], size=len(MP4)))


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> FakeServices:
    """With a live job that has files, and no pauses."""
    monkeypatch.setattr(module, "PAUSE", 0)
    made = FakeServices()
    made.add("job", document("me", output_video_path=FILES[OUTPUTS], short_id="25ca1d0f"))
    made.fake_shares.links["25ca1d0f"] = "job"
    for bucket, name in FILES.items():
        made.fake_media.objects[bucket][name] = [MP4]
    return made


def state(services: FakeServices) -> str:
    return str(services.fake_ledger.entries["job"]["state"])


def delete(services: FakeServices) -> None:
    assert call(delete_job, services, "/jobs/job", method="DELETE").status_code == 202


def purge(services: FakeServices) -> None:
    purge_job.receive(message(DELETED), services)


def undelete(services: FakeServices, user: str = "me", job_id: str = "job") -> tuple[int, dict[str, Any]]:
    answer = call(undelete_job, services, f"/jobs/{job_id}/restore", method="POST", user=user)
    return answer.status_code, answer.get_json()


def restore(services: FakeServices) -> None:
    restore_job.receive(message(RESTORED), services)


def files(services: FakeServices) -> dict[str, list[str]]:
    return {
        bucket: [name for name, held in services.fake_media.objects[bucket].items() if held] for bucket in FILES
    }


ALL = {bucket: [name] for bucket, name in FILES.items()}
NONE: dict[str, list[str]] = {bucket: [] for bucket in FILES}


def test_a_restore_brings_back_the_job_and_every_file(services: FakeServices) -> None:
    before = dict(services.fake_repository.documents["job"])
    delete(services)
    purge(services)
    assert files(services) == NONE
    assert undelete(services) == (202, {"job_id": "job", "restore": "pending"})
    assert services.fake_restore_publisher.published == [RESTORED]
    assert call(list_jobs, services, "/jobs/job").status_code == 404
    restore(services)
    assert files(services) == ALL
    assert services.fake_repository.documents["job"] == before
    assert call(list_jobs, services, "/jobs/job").status_code == 200
    assert undelete(services) == (202, {"job_id": "job", "restore": "done"})
    assert len(services.fake_restore_publisher.published) == 1


def test_revocation_is_checked_before_a_deletion_is_taken_back(services: FakeServices) -> None:
    delete(services)
    services.fake_verifier.checked_revocation.clear()
    undelete(services)
    assert True in services.fake_verifier.checked_revocation


def test_a_restored_job_in_progress_that_stalled_while_it_was_deleted_is_told_to_operators(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job", document("me", status="processing", updated_at=NOW, completed_at=None))
    delete(services)
    stalled_at = NOW + timedelta(days=1, minutes=5)
    services.now = lambda: stalled_at
    sweep_purges.receive(envelope(b"", {}), services)
    undelete(services)
    restore(services)
    assert services.fake_repository.documents["job"]["updated_at"] == stalled_at
    assert "job_stalled" not in caplog.messages
    services.now = lambda: stalled_at + timedelta(days=1)
    sweep_purges.receive(envelope(b"", {}), services)
    assert caplog.messages.count("job_stalled") == 1


def sweep_at(services: FakeServices, now: datetime) -> None:
    services.now = lambda: now
    sweep_purges.receive(envelope(b"", {}), services)


def test_a_job_that_was_told_to_operators_before_its_delete_is_not_told_again_after_a_restore(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job", document("me", status="processing", updated_at=NOW, completed_at=None))
    for days in range(1, 4):
        sweep_at(services, NOW + timedelta(days=days, minutes=5 * days))
        delete(services)
        undelete(services)
        restore(services)
    assert caplog.messages.count("job_stalled") == 1


def test_a_restored_job_whose_worker_saves_a_stale_copy_and_stalls_is_told_to_operators(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job", document("me", status="processing", updated_at=NOW, completed_at=None))
    delete(services)
    stale = copy.deepcopy(services.fake_repository.documents["job"])
    restored_at = NOW + timedelta(hours=20)
    services.now = lambda: restored_at
    undelete(services)
    restore(services)
    services.fake_repository.documents["job"] = stale
    looked_at = NOW + timedelta(days=1, hours=1)
    for now in (NOW + timedelta(days=1, minutes=1), looked_at, looked_at + timedelta(days=1)):
        services.fake_ledger.entries["job"]["sweep_at"] = looked_at
        sweep_at(services, now)
    assert services.fake_repository.documents["job"].get("deleted_at") is None
    assert caplog.messages.count("job_stalled") == 1


def test_a_restore_that_pubsub_does_not_accept_is_promised_all_the_same(services: FakeServices) -> None:
    delete(services)
    purge(services)
    services.fake_restore_publisher.error = TimeoutError()
    assert undelete(services) == (202, {"job_id": "job", "restore": "pending"})
    services.fake_restore_publisher.error = None
    services.now = lambda: NOW + SWEEP_AFTER
    sweep_purges.receive(envelope(b"", {}), services)
    assert services.fake_restore_publisher.published == [RESTORED]
    assert services.fake_publisher.published == [DELETED]


@pytest.mark.parametrize(("user", "job_id", "status"), [("me", "job", 409), ("you", "job", 404), ("me", "x", 404)])
def test_what_is_live_or_not_the_users_is_refused(
    services: FakeServices, user: str, job_id: str, status: int
) -> None:
    found, body = undelete(services, user, job_id)
    assert (found, services.fake_restore_publisher.published) == (status, [])
    if status == 404:
        assert body["detail"] == "There is no such job."


def test_another_users_deleted_job_is_not_found(services: FakeServices) -> None:
    delete(services)
    assert undelete(services, "you")[0] == 404
    assert state(services) == "pending"


@pytest.mark.parametrize("kept", [True, False])
def test_what_is_gone_for_good_is_410_in_a_plain_sentence(services: FakeServices, kept: bool) -> None:
    delete(services)
    purge(services)
    if kept:
        services.now = lambda: NOW + WEEK
    else:
        services.fake_retention.kept = None
    status, body = undelete(services)
    assert (status, body["title"]) == (410, "Gone for good")
    assert body["detail"] == "The job's files are gone for good, so it can no longer be restored."


def test_while_storage_is_away_nothing_is_promised(services: FakeServices) -> None:
    delete(services)
    purge(services)
    services.fake_retention.error = Unavailable("Cloud Storage")
    assert undelete(services)[0] == 503
    assert state(services) == "done"


def test_the_last_wish_wins_in_any_order_of_events(services: FakeServices) -> None:
    for last in ("restored", "deleted", "restored"):
        delete(services)
        purge(services)
        undelete(services)
        restore(services)
        delete(services)
        undelete(services)
        if last == "deleted":
            delete(services)
        for _ in range(2):
            restore(services)
            purge(services)
        assert files(services) == (ALL if last == "restored" else NONE)
        is_live = "deleted_at" not in services.fake_repository.documents["job"]
        assert is_live == (last == "restored")


def test_a_late_message_of_a_deletion_that_was_taken_back_wakes_nobody(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    delete(services)
    undelete(services)
    purge(services)
    restore(services)
    purge(services)
    restore(services)
    assert files(services) == ALL
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("event", [JobRestored("job", "you", NOW), JobRestored("unknown", "me", NOW)])
def test_an_event_of_another_owner_or_job_restores_nothing(services: FakeServices, event: JobRestored) -> None:
    delete(services)
    purge(services)
    undelete(services)
    restore_job.receive(message(event), services)
    assert files(services) == NONE
    assert state(services) == "restoring"


def test_an_event_alone_restores_nothing(services: FakeServices) -> None:
    delete(services)
    purge(services)
    restore(services)
    assert (files(services), state(services)) == (NONE, "done")


def test_a_bucket_that_is_away_brings_the_event_back_and_the_job_stays_hidden(services: FakeServices) -> None:
    delete(services)
    purge(services)
    undelete(services)
    services.fake_media.broken.add(VIDEOS)
    with pytest.raises(ServiceUnavailable):
        restore(services)
    assert state(services) == "restoring"
    assert "deleted_at" in services.fake_repository.documents["job"]
    services.fake_media.broken.clear()
    restore(services)
    assert (files(services), state(services)) == (ALL, "restored")


def test_a_restore_waits_until_no_run_can_remove_anything(services: FakeServices) -> None:
    delete(services)
    services.deletions.begin_purge("job", "me", "killed", NOW)
    undelete(services)
    with pytest.raises(ServiceUnavailable):
        restore(services)
    assert state(services) == "restoring"
    services.now = lambda: NOW + LONGEST_RUN
    restore(services)
    assert state(services) == "restored"


def test_a_restore_misses_what_the_run_that_it_waited_for_has_removed(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete(services)
    services.deletions.begin_purge("job", "me", "run", NOW)
    removed = services.fake_media.purge(JobPrefix("me", "job"), lambda: True)
    services.fake_media.removed[VIDEOS].clear()  # the bucket has kept nothing
    undelete(services)
    ends = lambda _: services.deletions.end_purge("job", "run", removed, NOW, owner="me")  # noqa: E731
    monkeypatch.setattr("functions.restore_job.time.sleep", ends)
    with pytest.raises(ServiceUnavailable):
        restore(services)
    assert state(services) == "restoring"


def test_a_run_that_a_delete_and_another_restore_overtook_leaves_the_rest_to_the_next(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete(services)
    purge(services)
    undelete(services)
    bring_back = services.fake_media.restore

    def overtaken(*about: Any) -> list[BucketRestore]:
        found = bring_back(*about)
        delete(services)
        purge(services)
        undelete(services)
        return found

    monkeypatch.setattr(services.fake_media, "restore", overtaken)
    with pytest.raises(ServiceUnavailable):
        restore(services)
    assert (files(services), state(services)) == (NONE, "restoring")
    monkeypatch.undo()
    restore(services)
    assert (files(services), state(services)) == (ALL, "restored")


def test_a_restore_that_comes_too_late_leaves_all_of_the_job_deleted(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    delete(services)
    purge(services)
    undelete(services)
    services.fake_media.removed[VIDEOS].clear()
    services.now = lambda: NOW + WEEK
    restore(services)
    assert "restore_too_late" in caplog.messages
    assert state(services) == "pending"
    purge(services)
    assert (files(services), state(services)) == (NONE, "done")
    services.deletions.reopen("job", services.now())
    sweep_purges.receive(envelope(b"", {}), services)
    assert services.fake_publisher.published[-1] == DELETED


def test_what_was_removed_from_a_bucket_of_another_name_is_missing(services: FakeServices) -> None:
    delete(services)
    purge(services)
    undelete(services)
    renamed = dataclasses.replace(SETTINGS, outputs_bucket="nuumee-new")
    services.settings = renamed
    services.fake_media.names = dict(zip(Bucket, renamed.buckets, strict=True))
    for kept in (services.fake_media.objects, services.fake_media.removed):
        kept["nuumee-new"] = {}
    services.fake_retention.effective_at = NOW + timedelta(minutes=1)  # when the new bucket was made
    for later in (timedelta(minutes=1), WEEK):
        services.now = lambda later=later: NOW + later  # type: ignore[misc]
        with pytest.raises(ServiceUnavailable):
            restore(services)
        assert state(services) == "restoring"
    services.now = lambda: NOW + module.LONGEST_KEPT
    restore(services)
    assert state(services) == "pending", "it stays deleted"


def test_a_file_that_came_late_does_not_hide_that_another_is_missing(services: FakeServices) -> None:
    delete(services)
    purge(services)
    services.fake_media.objects[VIDEOS]["me/job/poster.webp"] = [b"late"]
    process_upload.receive(envelope(*notification("me/job/poster.webp", bucket=VIDEOS)), services)
    del services.fake_media.removed[VIDEOS][FILES[VIDEOS]]
    undelete(services)
    with pytest.raises(ServiceUnavailable):
        restore(services)
    assert state(services) == "restoring"


def test_a_late_upload_that_the_purge_removes_first_is_not_missed(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete(services)
    recorded = services.deletions.record_late_upload

    def overtaken(*about: Any, **more: Any) -> bool:
        found = recorded(*about, **more)
        purge(services)
        return found

    monkeypatch.setattr(services.deletions, "record_late_upload", overtaken)
    process_upload.receive(OUTPUT, services)
    assert services.fake_ledger.entries["job"]["late_objects"] == 1
    undelete(services)
    restore(services)
    assert (files(services), state(services)) == (ALL, "restored")


@pytest.mark.parametrize("kept", [timedelta(), 2 * WEEK])
def test_a_restore_that_misses_a_file_whose_time_may_not_be_over_is_tried_again(
    services: FakeServices, kept: timedelta
) -> None:
    delete(services)
    purge(services)
    undelete(services)
    services.fake_media.removed[VIDEOS].clear()
    services.now = lambda: NOW + WEEK
    services.fake_retention.kept = kept
    with pytest.raises(ServiceUnavailable):
        restore(services)
    assert state(services) == "restoring"


def test_the_time_of_a_restore_that_misses_a_file_of_a_late_purge_counts_from_the_first_removal(
    services: FakeServices,
) -> None:
    delete(services)
    services.now = lambda: NOW + timedelta(days=3)
    purge(services)
    services.now = lambda: NOW + timedelta(days=8)
    assert undelete(services)[0] == 202
    lost = services.fake_media.removed[VIDEOS].pop(FILES[VIDEOS])
    with pytest.raises(ServiceUnavailable):
        restore(services)
    assert state(services) == "restoring"
    services.fake_media.removed[VIDEOS][FILES[VIDEOS]] = lost
    restore(services)
    assert (files(services), state(services)) == (ALL, "restored")


@pytest.mark.parametrize("is_purged", [False, True])
def test_a_restore_that_comes_late_and_misses_nothing_is_done(services: FakeServices, is_purged: bool) -> None:
    delete(services)
    if is_purged:
        purge(services)
    undelete(services)
    services.now = lambda: NOW + WEEK
    restore(services)
    assert (files(services), state(services)) == (ALL, "restored")


def purge_killed(services: FakeServices) -> None:
    delete(services)
    services.deletions.begin_purge("job", "me", "killed", NOW)
    services.fake_media.purge(JobPrefix("me", "job"), lambda: True)
    services.now = lambda: NOW + SWEEP_AFTER
    purge(services)


def purge_unanswered(services: FakeServices) -> None:
    delete(services)
    removed = services.fake_media.purge(JobPrefix("me", "job"), lambda: True)
    services.deletions.begin_purge("job", "me", "run", NOW)
    told = [dataclasses.replace(one, objects=0, size=0, is_counted=False) for one in removed]
    services.deletions.end_purge("job", "run", told, NOW, owner="me")


def purge_of_other_code(services: FakeServices) -> None:
    services.fake_repository.documents["job"]["deleted_at"] = NOW
    services.fake_media.purge(JobPrefix("me", "job"), lambda: True)
    delete(services)
    purge(services)


def removal_of_a_late_upload_killed(services: FakeServices) -> None:
    held = {bucket: services.fake_media.objects[bucket].pop(name) for bucket, name in FILES.items()}
    delete(services)
    purge(services)
    services.fake_media.objects[OUTPUTS][FILES[OUTPUTS]] = held[OUTPUTS]
    services.deletions.record_late_upload("job", OUTPUTS, 1, NOW, size=len(MP4), owner="me")
    services.fake_media.remove(OUTPUTS, FILES[OUTPUTS], 1)
    process_upload.receive(OUTPUT, services)


UNCOUNTED = (purge_killed, purge_unanswered, purge_of_other_code, removal_of_a_late_upload_killed)


@pytest.mark.parametrize("remove", UNCOUNTED)
def test_a_restore_after_a_removal_that_nobody_counted_is_given_up_once_its_copies_may_be_gone(
    services: FakeServices, remove: Callable[[FakeServices], None], caplog: pytest.LogCaptureFixture
) -> None:
    remove(services)
    assert files(services) == NONE
    assert undelete(services)[0] == 202
    for bucket in FILES:
        services.fake_media.removed[bucket].clear()
    services.now = lambda: NOW + WEEK
    restore(services)
    assert (state(services), "restore_too_late" in caplog.messages) == ("pending", True)
    assert call(list_jobs, services, "/jobs/job").status_code == 404


@pytest.mark.parametrize("remove", UNCOUNTED)
def test_a_restore_after_a_removal_that_nobody_counted_is_done_while_all_copies_are_kept(
    services: FakeServices, remove: Callable[[FakeServices], None]
) -> None:
    remove(services)
    removed = {bucket: list(services.fake_media.removed[bucket]) for bucket in FILES}
    undelete(services)
    services.now = lambda: NOW + WEEK - timedelta(seconds=1)
    restore(services)
    assert (files(services), state(services)) == (removed, "restored")


def test_a_mark_in_the_future_hides_no_removal_from_a_restore(services: FakeServices) -> None:
    services.now = lambda: NOW + timedelta(minutes=1)
    delete(services)
    services.now = lambda: NOW
    purge(services)
    deletion = services.restores.of("job")
    assert deletion is not None
    assert (deletion.deleted_at, deletion.removed_since) == (NOW + timedelta(minutes=1), NOW)


def test_what_a_restore_makes_is_no_late_upload(services: FakeServices) -> None:
    delete(services)
    purge(services)
    undelete(services)
    for finished in (False, True):
        if finished:
            restore(services)
        else:
            # A copy announces itself before the job is live again.
            services.fake_media.objects[OUTPUTS][FILES[OUTPUTS]] = [MP4]
        process_upload.receive(envelope(*notification(FILES[OUTPUTS], size=len(MP4))), services)
        assert files(services)[OUTPUTS] == [FILES[OUTPUTS]]
        assert "late_objects" not in services.fake_ledger.entries["job"]


def test_an_output_that_comes_while_its_job_is_restored_completes_it_afterwards(services: FakeServices) -> None:
    services.add("job", document("me", status="processing", output_video_path=None, completed_at=None))
    delete(services)
    undelete(services)
    output = envelope(*notification(FILES[OUTPUTS], size=len(MP4)))
    with pytest.raises(ServiceUnavailable):
        process_upload.receive(output, services)
    restore(services)
    process_upload.receive(output, services)
    assert services.fake_repository.documents["job"]["status"] == "completed"


def test_an_output_completes_a_restored_job_although_a_stale_copy_has_brought_its_mark_back(
    services: FakeServices,
) -> None:
    services.add("job", document("me", status="processing", completed_at=None))
    delete(services)
    copied = dict(services.fake_repository.documents["job"])
    undelete(services)
    restore(services)
    services.fake_repository.documents["job"] = copied
    process_upload.receive(OUTPUT, services)
    fields = services.fake_repository.documents["job"]
    assert (fields["status"], "deleted_at" in fields) == ("completed", False)


def test_an_output_of_a_restored_job_that_other_code_has_deleted_since_is_acknowledged(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job", document("me", status="processing", completed_at=None))
    delete(services)
    undelete(services)
    restore(services)
    services.fake_repository.documents["job"]["deleted_at"] = NOW + WEEK
    before = dict(services.fake_repository.documents["job"])
    with caplog.at_level("INFO", "nuumee"):
        process_upload.receive(OUTPUT, services)
    assert [line.getMessage() for line in caplog.records] == ["upload_ignored", "event_done"]
    assert (services.fake_repository.documents["job"], files(services)) == (before, ALL)
    del services.fake_repository.documents["job"]["deleted_at"]
    process_upload.receive(OUTPUT, services)
    assert services.fake_repository.documents["job"]["status"] == "completed"


def test_an_output_whose_job_is_deleted_at_that_moment_and_taken_back_completes_it(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.add("job", document("me", status="processing", completed_at=None))
    look = services.deletions.of

    def just_before(job_id: str) -> Any:
        found = look(job_id)
        delete(services)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(services.deletions, "of", just_before)
        with pytest.raises(ServiceUnavailable):
            process_upload.receive(OUTPUT, services)
    undelete(services)
    restore(services)
    process_upload.receive(OUTPUT, services)
    assert services.fake_repository.documents["job"]["status"] == "completed"


def test_a_copy_of_a_completed_jobs_output_does_not_wait_for_its_restore_and_of_one_without_a_link_does(
    services: FakeServices,
) -> None:
    delete(services)
    undelete(services)
    process_upload.receive(OUTPUT, services)
    services.fake_repository.documents["job"]["short_id"] = None
    with pytest.raises(ServiceUnavailable):
        process_upload.receive(OUTPUT, services)
    restore(services)
    process_upload.receive(OUTPUT, services)
    assert services.fake_repository.documents["job"]["short_id"]


def test_a_share_link_ends_with_its_job_and_lives_again_with_it(services: FakeServices) -> None:
    def shown() -> int:
        return call(share_video, services, "/public/video/25ca1d0f", user=None).status_code

    assert shown() == 200
    delete(services)
    assert shown() == 404
    undelete(services)
    assert shown() == 404
    restore(services)
    assert shown() == 200


def letter(event: JobRestored) -> Letter:
    return Letter("1", *event.encode(), "receipt")


def test_a_dead_letter_of_a_restore_is_replayed_while_it_is_wanted(services: FakeServices) -> None:
    delete(services)
    undelete(services)
    services.fake_dead_restores.waiting = [letter(RESTORED)]
    sweep_purges.receive(envelope(b"", {}), services)
    assert services.fake_restore_publisher.published == [RESTORED, RESTORED]
    restore(services)
    services.fake_dead_restores.waiting = [letter(RESTORED)]
    sweep_purges.receive(envelope(b"", {}), services)
    assert len(services.fake_restore_publisher.published) == 2
    assert services.fake_dead_restores.waiting == []


def test_a_dead_letter_of_a_job_that_was_never_deleted_is_recorded(services: FakeServices) -> None:
    services.fake_dead_restores.waiting = [letter(RESTORED)]
    sweep_purges.receive(envelope(b"", {}), services)
    assert services.fake_dead_restores.waiting == []
    assert "1" in services.fake_ledger.dead_letters


def test_restores_that_pubsub_does_not_accept_hold_up_no_purge(services: FakeServices) -> None:
    services.add("other", document("me"))
    for job_id in ("job", "other"):
        call(delete_job, services, f"/jobs/{job_id}", method="DELETE")
    undelete(services)
    services.fake_publisher.published.clear()
    services.fake_restore_publisher.error = TimeoutError()
    services.now = lambda: NOW + SWEEP_AFTER
    with pytest.raises(ServiceUnavailable):
        sweep_purges.receive(envelope(b"", {}), services)
    assert [event.job_id for event in services.fake_publisher.published] == ["other"]


def test_a_restore_that_was_asked_for_again_and_again_is_told_as_an_error(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    delete(services)
    undelete(services)
    for _ in range(8):
        due = services.fake_ledger.entries["job"]["sweep_at"]
        services.now = lambda due=due: due  # type: ignore[misc]
        sweep_purges.receive(envelope(b"", {}), services)
    assert caplog.messages.count("restore_asked_again") == 7
    assert caplog.messages.count("restore_overdue") == 1


def trash(services: FakeServices, query: str = "", user: str = "me") -> Any:
    return call(list_jobs, services, f"/jobs?deleted=true{query}", user=user).get_json()


def test_the_trash_lists_deleted_jobs_with_what_can_be_done(services: FakeServices) -> None:
    assert trash(services)["jobs"] == []
    delete(services)
    purge(services)
    answer = trash(services)
    (job,) = answer.pop("jobs")
    assert answer == {"total": 1, "page": 1, "page_size": 20, "next_cursor": None}
    assert (job["id"], job["deleted_at"], job["purge"]) == ("job", "2026-11-22T12:07:30.250000Z", "done")
    assert job["recoverable_until"] == "2026-11-29T11:57:30.250000Z"
    assert "media" not in job
    assert trash(services, user="you")["total"] == 0
    undelete(services)
    assert trash(services)["jobs"] == []


def test_the_trash_goes_on_behind_its_cursor_and_no_other_list_does(services: FakeServices) -> None:
    for number in (4, 3, 2, 1, 0):
        services.add(f"job-{number}", document("me"))
        services.now = lambda number=number: NOW - timedelta(hours=number)  # type: ignore[misc]
        assert call(delete_job, services, f"/jobs/job-{number}", method="DELETE").status_code == 202
    first = trash(services, "&page_size=3")
    second = trash(services, f"&page_size=3&cursor={first['next_cursor']}")
    assert [job["id"] for job in first["jobs"] + second["jobs"]] == [f"job-{number}" for number in range(5)]
    assert (second["page"], second["total"], second["next_cursor"]) == (2, 5, None)
    cursor = first["next_cursor"]
    assert call(list_jobs, services, f"/jobs?cursor={cursor}").status_code == 400
    assert call(list_jobs, services, f"/jobs?deleted=true&cursor={cursor}", user="you").status_code == 400
    services.add("live", document("me"))
    live = call(list_jobs, services, "/jobs?page_size=1").get_json()["next_cursor"]
    assert call(list_jobs, services, f"/jobs?deleted=true&cursor={live}").status_code == 400


@pytest.mark.parametrize("query", ["deleted=yes", "deleted=true&ids=a", "deleted=true&status=failed"])
@pytest.mark.parametrize("more", ["", "&include=counts"])
def test_what_does_not_go_with_the_trash_is_refused(services: FakeServices, query: str, more: str) -> None:
    answer = call(list_jobs, services, f"/jobs?{query}{more}")
    assert (answer.status_code, "deleted" in answer.get_json()["detail"]) == (400, True)


def test_deleted_false_is_the_list(services: FakeServices) -> None:
    assert [job["id"] for job in call(list_jobs, services, "/jobs?deleted=false").get_json()["jobs"]] == ["job"]


def test_a_late_purge_gives_more_time_in_every_answer(services: FakeServices) -> None:
    delete(services)
    services.now = lambda: NOW + timedelta(days=3)
    purge(services)
    (job,) = trash(services)["jobs"]
    receipt: Any = call(list_jobs, services, "/jobs/job/deletion").json
    times = (job["recoverable_until"], receipt["buckets"]["outputs"]["recoverable_until"])
    assert times == ("2026-12-02T11:57:30.250000Z", "2026-12-02T12:07:30.250000Z")
    services.now = lambda: NOW + timedelta(days=8)
    assert undelete(services)[0] == 202


def test_the_receipt_tells_when_the_last_copy_goes_and_the_trash_until_when_all_can_come_back(
    services: FakeServices,
) -> None:
    delete(services)
    purge(services)
    services.fake_media.objects[OUTPUTS][FILES[OUTPUTS]] = [MP4]
    services.now = lambda: NOW + timedelta(days=3)
    process_upload.receive(envelope(*notification(FILES[OUTPUTS], size=len(MP4))), services)
    (job,) = trash(services)["jobs"]
    receipt: Any = call(list_jobs, services, "/jobs/job/deletion").json
    times = (job["recoverable_until"], receipt["buckets"]["outputs"]["recoverable_until"])
    assert times == ("2026-11-29T11:57:30.250000Z", "2026-12-02T12:07:30.250000Z")


def test_a_job_whose_only_file_came_late_is_in_the_trash_as_long_as_it_can_be_restored(
    services: FakeServices,
) -> None:
    for bucket in FILES:
        services.fake_media.objects[bucket].clear()
    services.add("job", document("me", status="processing", output_video_path=None, completed_at=None))
    delete(services)
    purge(services)
    services.fake_media.objects[OUTPUTS][FILES[OUTPUTS]] = [MP4]
    services.now = lambda: NOW + timedelta(hours=12)
    process_upload.receive(envelope(*notification(FILES[OUTPUTS], size=len(MP4))), services)
    for later in (timedelta(hours=12), WEEK + timedelta(minutes=1)):
        services.now = lambda later=later: NOW + later  # type: ignore[misc]
        assert (trash(services)["total"], len(trash(services)["jobs"])) == (1, 1)
    assert undelete(services)[0] == 202


def test_a_writer_who_loses_the_mark_every_minute_does_not_cause_a_purge_every_minute(
    services: FakeServices,
) -> None:
    services.add("job", document("me", status="processing", output_video_path=None, completed_at=None))
    delete(services)
    purge(services)
    published = services.fake_publisher.published
    before, runs = len(published), 0
    for minute in range(120):
        services.now = lambda minute=minute: NOW + timedelta(minutes=minute)  # type: ignore[misc]
        for name in ("deleted_at", "deleted_by"):
            services.fake_repository.documents["job"].pop(name, None)
        sweep_purges.receive(envelope(b"", {}), services)
        while before + runs < len(published):
            runs += 1
            purge(services)
    assert 1 < runs < 8
    services.now = lambda: NOW + timedelta(days=1)
    sweep_purges.receive(envelope(b"", {}), services)
    assert "deleted_at" in services.fake_repository.documents["job"]


def test_looks_at_a_mark_are_no_failures_of_the_purge_that_follows_when_it_is_lost(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job", document("me", status="processing", output_video_path=None, completed_at=None))
    delete(services)
    purge(services)
    for hours in range(12):
        services.now = lambda hours=hours: NOW + timedelta(hours=hours)  # type: ignore[misc]
        sweep_purges.receive(envelope(b"", {}), services)
    del services.fake_repository.documents["job"]["deleted_at"]
    caplog.clear()
    with caplog.at_level("WARNING", "nuumee"):
        for minutes in (0, 1, 11):
            services.now = lambda minutes=minutes: NOW + timedelta(hours=18, minutes=minutes)  # type: ignore[misc]
            sweep_purges.receive(envelope(b"", {}), services)
    assert caplog.messages == ["mark_put_again", "purge_asked_again", "purge_asked_again"]


@pytest.mark.parametrize("copied_after", [0, 34])
def test_a_stale_copy_of_a_completed_job_shows_it_for_less_than_an_hour(
    services: FakeServices, copied_after: int
) -> None:
    copied = dict(services.fake_repository.documents["job"])
    delete(services)
    purge(services)
    for minute in range(60):
        if minute == copied_after:
            services.fake_repository.documents["job"] = copied
        services.now = lambda minute=minute: NOW + timedelta(minutes=minute)  # type: ignore[misc]
        services.fake_publisher.published.clear()
        sweep_purges.receive(envelope(b"", {}), services)
        if services.fake_publisher.published:
            purge(services)
    assert call(list_jobs, services, "/jobs/job").status_code == 404
    assert (files(services), state(services)) == (NONE, "done")


def test_an_earlier_owners_restore_is_not_turned_into_a_purge(services: FakeServices) -> None:
    delete(services)
    undelete(services)
    services.fake_repository.documents["job"] = document("you")
    assert call(delete_job, services, "/jobs/job", method="DELETE", user="you").status_code == 503
    assert state(services) == "restoring"


def test_the_receipt_of_a_deletion_that_was_taken_back_proves_nothing(services: FakeServices) -> None:
    delete(services)
    purge(services)

    def told() -> set[str | None]:
        found: Any = call(list_jobs, services, "/jobs/job/deletion").json
        buckets = found["buckets"].values()
        times = [one[name] for one in buckets for name in ("proved_empty_at", "recoverable_until")]
        return {found["proved_empty_at"], *times}

    assert None not in told()
    undelete(services)
    assert told() == {None}
    restore(services)
    assert told() == {None}


def test_a_purge_that_is_wanted_again_has_proved_nothing_yet(services: FakeServices) -> None:
    delete(services)
    purge(services)
    services.deletions.reopen("job", NOW)
    buckets = services.fake_ledger.entries["job"]["buckets"].values()
    assert {one["proved_empty_at"] for one in buckets} == {None}


def test_an_uploads_dead_letter_does_not_count_while_its_job_is_restored(services: FakeServices) -> None:
    delete(services)
    undelete(services)
    data, attributes = notification(FILES[OUTPUTS], size=len(MP4))
    for replays in ("3", "8"):
        services.fake_dead_uploads.waiting = [Letter("1", data, {**attributes, "replays": replays}, "receipt")]
        sweep_purges.receive(envelope(b"", {}), services)
        assert services.fake_upload_publisher.forwarded[-1][1]["replays"] == replays
    assert services.fake_ledger.dead_letters == {}


def test_an_output_whose_file_outlives_five_deliveries_and_its_deletion_completes_the_job(
    services: FakeServices,
) -> None:
    services.add("job", document("me", status="processing", completed_at=None))
    delete(services)
    services.fake_media.broken.add(OUTPUTS)
    with pytest.raises(ServiceUnavailable):
        process_upload.receive(OUTPUT, services)
    data, attributes = notification(FILES[OUTPUTS], size=len(MP4))
    services.fake_dead_uploads.waiting = [Letter("1", data, attributes, "receipt")]
    sweep_purges.receive(envelope(b"", {}), services)
    services.fake_media.broken.clear()
    services.now = lambda: NOW + LONGEST_RUN
    undelete(services)
    restore(services)
    for one in services.fake_upload_publisher.forwarded:
        process_upload.receive(envelope(*one), services)
    assert services.fake_repository.documents["job"]["status"] == "completed"


def test_a_mark_in_the_future_hides_nothing_that_a_killed_run_removed(services: FakeServices) -> None:
    services.now = lambda: NOW + timedelta(minutes=1)
    delete(services)
    services.deletions.begin_purge("job", "me", "killed", NOW)
    deletion = services.restores.of("job")
    assert deletion is not None
    assert deletion.removed_since == NOW


def test_a_restore_that_misses_a_file_ends_though_the_buckets_keep_nothing_any_more(
    services: FakeServices,
) -> None:
    delete(services)
    purge(services)
    undelete(services)
    services.fake_media.removed[VIDEOS].clear()
    services.fake_retention.kept = timedelta()
    services.now = lambda: NOW + timedelta(days=90)
    restore(services)
    assert state(services) == "pending"


def test_looks_at_a_mark_are_no_failures_of_a_later_run_that_finds_files(
    services: FakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    services.add("job", document("me", status="processing"))
    delete(services)
    purge(services)
    for hours in range(21):
        services.now = lambda hours=hours: NOW + timedelta(hours=hours)  # type: ignore[misc]
        sweep_purges.receive(envelope(b"", {}), services)
    services.fake_media.broken.add(IMAGES)
    with pytest.raises(ServiceUnavailable):
        purge(services)  # the same event once more
    caplog.clear()
    with caplog.at_level("WARNING", "nuumee"):
        sweep_purges.receive(envelope(b"", {}), services)
    assert caplog.messages == ["purge_asked_again"]
