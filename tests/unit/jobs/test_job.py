from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import get_type_hints

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.jobs.documents import job_from
from shared.jobs.job import (
    FINAL_STATUSES,
    Job,
    JobPrefix,
    JobStatus,
    Medium,
    can_own_media,
    is_job_id,
    is_own_path,
    rfc3339,
    status_group,
)
from shared.jobs.names import LONGEST_NAME
from tests.jobs import document

HINTS = get_type_hints(Job)
MAPS = ("posters", "previews", "views", "storyboards", "playable")
TEXTS = {name for name, hint in HINTS.items() if hint == str | None}
anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@given(
    anything | st.text(alphabet="abz019_-./%\0é ", max_size=200),
    anything | st.text(alphabet="ab./\\\0", max_size=200),
)
def test_only_two_sound_ids_make_a_prefix(user_id: object, job_id: object) -> None:
    try:
        prefix = str(JobPrefix(user_id, job_id))  # type: ignore[arg-type]
    except ValueError:
        return
    assert prefix == f"{user_id}/{job_id}/"
    assert prefix.count("/") == 2
    assert all(segment not in ("", ".", "..") for segment in prefix.split("/")[:2])
    assert not any(ord(character) < 32 for character in prefix)


@pytest.mark.parametrize(
    "user_id", ["", "/", "a/", "/a", "..", "a..", ".", "a\x00", "a\x7f", "a\x9f", "\ud800", None, 7]
)
def test_odd_user_ids_own_nothing(user_id: object) -> None:
    assert not can_own_media(user_id)
    with pytest.raises(ValueError, match="user id"):
        JobPrefix(user_id, "job")  # type: ignore[arg-type]


@pytest.mark.parametrize("user_id", ["a", "A" * 128, "user@example.com", "名前", "a.b", "a b", "%2f"])
def test_user_ids_that_custom_sign_in_may_choose_own_media(user_id: str) -> None:
    assert can_own_media(user_id)


@pytest.mark.parametrize(
    "job_id", ["", "..", "a/b", "a.b", "a" * 129, "é", "a\n", "__all__", "____", "cost", "erasure", None, 7]
)
def test_what_is_no_job_id(job_id: object) -> None:
    assert not is_job_id(job_id)


@pytest.mark.parametrize(
    "job_id", ["a", "-", "_", "__a", "a__", "costs", "A" * 128, "25ca1d0f-0000-4000-8000-000000000000"]
)
def test_what_is_a_job_id(job_id: str) -> None:
    assert is_job_id(job_id)


@given(st.text(max_size=60))
def test_whatever_path_is_taken_for_the_owners_lies_under_the_owners_prefix(rest: str) -> None:
    path = f"me/{rest}"
    if is_own_path(path, "me"):
        segments = path.split("/")
        assert segments[0] == "me"
        assert not {"", ".", ".."} & set(segments)
    assert not is_own_path(path, "you")


@given(st.text(min_size=1, max_size=128).filter(can_own_media))
@example("CORP\\jane")
def test_whoever_can_own_media_owns_those_of_a_job(user_id: str) -> None:
    assert is_own_path(f"{user_id}/job-1/output.mp4", user_id)
    assert not is_own_path(f"{user_id}/job-1\\output.mp4", user_id)


def test_times_are_given_in_utc_with_z() -> None:
    assert rfc3339(datetime(2026, 11, 22, 13, tzinfo=timezone(timedelta(hours=1)))) == "2026-11-22T12:00:00Z"
    assert rfc3339(datetime(2026, 11, 22, 12, 0, 0, 5, UTC)) == "2026-11-22T12:00:00.000005Z"
    assert rfc3339(None) is None


@given(st.dictionaries(st.sampled_from(sorted(document("me"))), anything))
def test_no_document_is_too_damaged_to_be_shown(damage: dict[str, object]) -> None:
    job = job_from("job", {**document("me"), **damage, "user_id": "me"})
    shown = job.as_json("https://nuumee.ai")
    assert shown["id"] == "job"
    assert isinstance(shown["view_count"], int)
    assert len(shown) == 25


@pytest.mark.parametrize(
    "name", sorted(HINTS.keys() - {"id", "user_id", "damaged_paths", *MAPS} | {"share_revoked_at"})
)
def test_an_empty_text_is_read_as_absent(name: str) -> None:
    fields = document("me", short_id="25ca1d0f")
    without = {key: value for key, value in fields.items() if key != name}
    assert job_from("job", {**fields, name: ""}) == job_from("job", without)


@pytest.mark.parametrize("name", [name for name in MAPS if name != "playable"])
def test_an_empty_name_of_a_picture_is_read_as_absent(name: str) -> None:
    known = {"reference_image": "", "motion_video": None, "output_video": "me/job/poster.webp"}
    job = job_from("job", document("me", **{name: known}))
    found = {Medium.MOTION_VIDEO: None, Medium.OUTPUT_VIDEO: "me/job/poster.webp"}
    assert getattr(job, name) == found


def test_whether_a_medium_is_playable_is_yes_or_no_or_unknown() -> None:
    told = {"reference_image": False, "motion_video": True, "output_video": "yes", "another": True}
    job = job_from("job", document("me", playable=told))
    assert job.playable == {Medium.REFERENCE_IMAGE: False, Medium.MOTION_VIDEO: True}
    assert job_from("job", document("me", playable="yes")).playable == {}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_text_longer_than_any_sound_one_is_damaged_unless_it_is_free(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    longest = "x" * (LONGEST_NAME if name == "name" else 1024)
    assert getattr(job_from("job", document("me", **{name: longest})), name) == longest
    too_long = job_from("job", document("me", **{name: longest + "x"}))
    free = name in ("extension_prompt", "error_message")
    assert getattr(too_long, name) == (longest + "x" if free else None)
    assert [record.__dict__["fields"]["damaged"] for record in caplog.records] == ([] if free else [[name]])


@pytest.mark.parametrize("medium", Medium)
@pytest.mark.parametrize("damaged", [7, 0, False, {"path": "me/job/a.mp4"}, [], b"", "x" * 1025], ids=repr)
def test_a_damaged_path_is_told_from_an_absent_one(
    medium: Medium, damaged: object, caplog: pytest.LogCaptureFixture
) -> None:
    job = job_from("job", document("me", **{f"{medium}_path": damaged}))
    assert [one for one in Medium if job.path(one) == ""] == [medium]
    assert job.as_json("https://nuumee.ai")[f"{medium}_path"] is None
    assert [record.__dict__["fields"]["damaged"] for record in caplog.records] == [[f"{medium}_path"]]
    for absent in (None, ""):
        assert job_from("job", document("me", **{f"{medium}_path": absent})).path(medium) is None


@pytest.mark.parametrize("name", ["extension_prompt", "error_message"])
def test_a_free_text_of_more_than_2000_characters_is_cut_and_says_so(name: str) -> None:
    whole, more = "😀" * 2_000, "😀" * 2_001
    assert getattr(job_from("job", document("me", **{name: whole})).shortened(), name) == whole
    assert getattr(job_from("job", document("me", **{name: more})).shortened(), name) == "😀" * 1_999 + "…"


@pytest.mark.parametrize("status", ["watermarking", "other", "Completed", "", None, 7, ["completed"], {}])
def test_an_unknown_status_counts_as_other(status: object) -> None:
    assert status_group(status) == "other"
    assert status not in FINAL_STATUSES


@pytest.mark.parametrize("status", JobStatus)
def test_a_known_status_stands_for_itself(status: str) -> None:
    assert status_group(str(status)) == status


def test_a_share_url_is_there_with_a_short_id_alone() -> None:
    shared = job_from("job", document("me", short_id="25ca1d0f")).as_json("https://nuumee.ai")
    assert shared["share_url"] == "https://nuumee.ai/v/25ca1d0f"
    assert job_from("job", document("me")).as_json("https://nuumee.ai")["share_url"] is None


def test_a_link_whose_end_is_damaged_is_not_told_as_one_that_stays() -> None:
    job = job_from("job", document("me", short_id="0123abcd", share_expires_at="2026-12-03T12:00:00Z"))
    assert (job.short_id, job.share_url("https://nuumee.ai")) == (None, None)
