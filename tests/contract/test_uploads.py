"""What uploads change in jobs. The same tests run on Firestore's emulator and on the in-memory fake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import Contended
from shared.jobs.job import JobPrefix, Medium
from shared.jobs.known_pictures import Pictures
from shared.jobs.share_picture import SharePicture, share_picture
from shared.sharing.shares import NoSuchVideo
from shared.sharing.short_links import new_short_id
from tests.contract.worlds import World
from tests.jobs import NOW, deleted, document, new_id

LATER = NOW + timedelta(hours=1)
ODD_STATUSES: tuple[object, ...] = ("watermarking", "cancelled", "", None, 7, ["failed"])


def under_way(user: str, **changes: Any) -> dict[str, Any]:
    return document(user, **{"status": "processing", "completed_at": None, **changes})


def put(world: World, fields: dict[str, Any]) -> str:
    job_id = new_id()
    world.put(job_id, fields)
    return job_id


@pytest.mark.parametrize("status", ["pending", "queued", "processing", *ODD_STATUSES])
def test_an_output_completes_a_job_that_is_under_way(world: World, user: str, status: object) -> None:
    job_id = put(world, under_way(user, status=status))
    path = f"{user}/{job_id}/output.mp4"
    assert world.completions.complete(JobPrefix(user, job_id), path, LATER)
    fields = world.read(job_id)
    assert (fields["status"], fields["output_video_path"]) == ("completed", path)
    assert (fields["completed_at"], fields["updated_at"]) == (LATER, LATER)
    assert world.shares.resolve(fields["short_id"], NOW).job.id == job_id


def test_what_the_worker_has_set_stays_and_its_link_opens(world: World, user: str) -> None:
    short_id = new_short_id(8)
    fields = {"status": "completed", "short_id": short_id, "output_video_path": f"{user}/other/output.mp4"}
    job_id = put(world, document(user, **fields))
    before = world.read(job_id)
    for is_first in (True, False):
        told = world.completions.complete(JobPrefix(user, job_id), f"{user}/{job_id}/output.mp4", LATER)
        assert told is is_first, "the link is new"
        assert world.read(job_id) == before
        assert world.shares.resolve(short_id, NOW).job.id == job_id


@pytest.mark.parametrize("short_id", ["taken", "", "Not-An-Id", 7])
def test_a_short_id_that_can_open_nothing_is_replaced(world: World, user: str, short_id: object) -> None:
    if short_id == "taken":
        short_id = new_short_id(8)
        world.put_link(short_id, put(world, document(user, short_id=short_id)))
    job_id = put(world, document(user, short_id=short_id))
    assert world.completions.complete(JobPrefix(user, job_id), f"{user}/{job_id}/output.mp4", LATER)
    new = world.read(job_id)["short_id"]
    assert new != short_id
    assert world.shares.resolve(new, NOW).job.id == job_id


@pytest.mark.parametrize("status", ["completed", "processing"])
def test_a_link_that_its_owner_has_ended_is_not_made_again(world: World, user: str, status: str) -> None:
    short_id = new_short_id(8)
    job_id = put(world, document(user, status=status, short_id=short_id, share_revoked_at=NOW))
    job = JobPrefix(user, job_id)
    assert world.completions.complete(job, f"{job}output.mp4", LATER)
    assert world.read(job_id)["short_id"] is None, "a worker wrote it after the end"
    assert not world.completions.complete(job, f"{job}output.mp4", LATER)
    with pytest.raises(NoSuchVideo):
        world.shares.resolve(short_id, NOW)


def test_an_output_that_is_told_of_again_changes_nothing(world: World, user: str) -> None:
    job_id = put(world, under_way(user))
    arguments = (JobPrefix(user, job_id), f"{user}/{job_id}/output.mp4", NOW)
    assert world.completions.complete(*arguments)
    before = world.read(job_id)
    assert not world.completions.complete(*arguments)
    assert world.read(job_id) == before


def test_an_empty_text_is_filled_in_as_an_absent_one_is(world: World, user: str) -> None:
    empty = dict.fromkeys(("output_video_path", "completed_at", "short_id", "share_revoked_at"), "")
    job_id = put(world, document(user, **empty))
    path = f"{user}/{job_id}/output.mp4"
    assert world.completions.complete(JobPrefix(user, job_id), path, LATER)
    fields = world.read(job_id)
    assert (fields["output_video_path"], fields["completed_at"]) == (path, LATER)
    assert world.shares.resolve(fields["short_id"], NOW).job.id == job_id


def test_a_job_that_has_failed_is_not_revived(world: World, user: str) -> None:
    job_id = put(world, under_way(user, status="failed"))
    before = world.read(job_id)
    assert not world.completions.complete(JobPrefix(user, job_id), f"{user}/{job_id}/output.mp4", NOW)
    assert world.read(job_id) == before


@pytest.mark.parametrize("mark", ["yesterday", datetime(1999, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)])
def test_a_job_of_somebody_else_or_marked_at_no_real_time_is_not_completed(
    world: World, user: str, mark: object
) -> None:
    odd = put(world, under_way(user, deleted_at=mark))
    foreign = put(world, under_way("somebody-else"))
    before = world.read(odd), world.read(foreign)
    for job_id in (odd, foreign, new_id()):
        assert not world.completions.complete(JobPrefix(user, job_id), f"{user}/{job_id}/output.mp4", NOW)
        job = JobPrefix(user, job_id)
        assert not world.known_pictures.set(job, Medium.MOTION_VIDEO, f"{job}motion.mp4", Pictures("poster"))
    assert (world.read(odd), world.read(foreign)) == before


@pytest.mark.parametrize("fields", [{"status": "processing"}, {"output_video_path": None}, {"short_id": "odd"}])
def test_what_an_output_would_change_in_a_job_that_is_marked_as_deleted_waits(
    world: World, user: str, fields: dict[str, Any]
) -> None:
    whole = {"output_video_path": "path", "short_id": new_short_id(8)}
    job_id = put(world, deleted(user, **{**whole, **fields}))
    job, before = JobPrefix(user, job_id), world.read(job_id)
    with pytest.raises(Contended):
        world.completions.complete(job, f"{job}output.mp4", LATER)
    with pytest.raises(Contended):
        world.known_pictures.set(job, Medium.MOTION_VIDEO, f"{job}motion.mp4", Pictures("poster"))
    assert world.read(job_id) == before


def test_an_output_that_changes_nothing_in_a_job_that_is_marked_as_deleted_is_done(
    world: World, user: str
) -> None:
    job_id = put(world, deleted(user, output_video_path="path", short_id=new_short_id(8)))
    failed = put(world, deleted(user, status="failed"))
    before = world.read(job_id), world.read(failed)
    for one in (job_id, failed):
        assert not world.completions.complete(JobPrefix(user, one), f"{user}/{one}/output.mp4", LATER)
    assert (world.read(job_id), world.read(failed)) == before


def test_a_link_that_its_owner_has_ended_does_not_come_back_with_an_output(world: World, user: str) -> None:
    job_id = put(world, document(user, short_id=None))
    world.shares.revoke(user, job_id, NOW)
    world.completions.complete(JobPrefix(user, job_id), f"{user}/{job_id}/output.mp4", NOW)
    fields = world.read(job_id)
    assert fields["short_id"] is None
    assert fields["output_video_path"] == f"{user}/{job_id}/output.mp4"


def test_pictures_are_known_by_their_medium(world: World, user: str) -> None:
    job_id = put(world, document(user))
    job = JobPrefix(user, job_id)
    still = Pictures(f"{job}poster.webp", None)
    moving = Pictures(f"{job}poster.webp", f"{job}preview.mp4")
    assert world.known_pictures.set(job, Medium.REFERENCE_IMAGE, f"{job}reference.png", still)
    assert world.known_pictures.set(job, Medium.MOTION_VIDEO, f"{job}motion.mp4", moving)
    fields = world.read(job_id)
    assert fields["posters"] == dict.fromkeys(("reference_image", "motion_video"), f"{job}poster.webp")
    assert fields["previews"] == {"motion_video": f"{job}preview.mp4"}
    shared = SharePicture(f"{job}picture.jpg", (675, 1200))
    assert world.known_pictures.set(
        job, Medium.OUTPUT_VIDEO, f"{job}output.mp4", Pictures(f"{job}poster.webp", share_picture=shared)
    )
    assert share_picture(world.read(job_id), user) == shared
    assert world.known_pictures.set(job, Medium.OUTPUT_VIDEO, f"{job}output.mp4", Pictures(f"{job}poster.webp"))
    assert world.read(job_id)["share_picture"] is None
    assert world.known_pictures.set(job, Medium.MOTION_VIDEO, f"{job}motion.mp4", None)
    fields = world.read(job_id)
    stills = dict.fromkeys(("reference_image", "output_video"), f"{job}poster.webp")
    assert fields["posters"] == {**stills, "motion_video": None}
    assert fields["previews"] == {"motion_video": None}
    assert fields["playable"] == {"motion_video": False}


def test_what_a_decoder_said_of_a_medium_stays_where_its_pictures_are_only_looked_for(
    world: World, user: str
) -> None:
    job_id = put(world, document(user))
    job = JobPrefix(user, job_id)
    assert world.known_pictures.set(job, Medium.MOTION_VIDEO, f"{job}motion.mp4", None)
    for medium, name in ((Medium.MOTION_VIDEO, "motion.mp4"), (Medium.REFERENCE_IMAGE, "reference.png")):
        assert world.known_pictures.set(job, medium, f"{job}{name}", None, is_decoded=False)
    fields = world.read(job_id)
    assert fields["posters"] == {"motion_video": None, "reference_image": None}
    assert fields["playable"] == {"motion_video": False}


def test_pictures_that_became_known_meanwhile_stay_where_none_were_found(world: World, user: str) -> None:
    job_id = put(world, document(user))
    job = JobPrefix(user, job_id)
    pictures = Pictures(f"{job}poster.webp", f"{job}preview.mp4", playable=True)
    assert world.known_pictures.set(job, Medium.MOTION_VIDEO, f"{job}motion.mp4", pictures)
    before = world.read(job_id)
    assert world.known_pictures.set(job, Medium.MOTION_VIDEO, f"{job}motion.mp4", None, is_decoded=False)
    assert world.read(job_id) == before


def test_pictures_of_a_file_that_the_job_does_not_name_are_not_known(world: World, user: str) -> None:
    job_id = put(world, document(user, reference_image_path=f"{user}/first/reference.png", motion_video_path=""))
    job, before = JobPrefix(user, job_id), world.read(job_id)
    pictures = Pictures(f"{job}poster.webp")
    for path in (f"{job}reference.png", f"{user}/first/reference.jpg"):
        assert not world.known_pictures.set(job, Medium.REFERENCE_IMAGE, path, pictures)
        assert not world.known_pictures.set(job, Medium.REFERENCE_IMAGE, path, None)
    assert world.read(job_id) == before
    assert world.known_pictures.set(job, Medium.REFERENCE_IMAGE, f"{user}/first/reference.png", pictures)
    assert world.known_pictures.set(job, Medium.MOTION_VIDEO, f"{job}motion.mp4", pictures)
    assert set(world.read(job_id)["posters"]) == {Medium.REFERENCE_IMAGE, Medium.MOTION_VIDEO}
