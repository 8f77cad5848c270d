"""Which fields make room in a document."""

from __future__ import annotations

from shared.deletion.displacing import displaced_fields


def test_a_job_that_is_to_be_live_keeps_its_medias_names_if_two_large_fields_are_enough() -> None:
    put = {"output_video_path": "me/job/output.mp4", "extension_prompt": "x" * 900_000, "many": list(range(40))}
    assert [set(moved) for moved in displaced_fields(put, is_marked=False)] == [
        {"extension_prompt"},
        {"extension_prompt", "many"},
        set(put),
    ]
