"""What the log says of a path that is not signed. tests/contract tells which those are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.jobs.job import Job, Medium
from shared.storage.media import MediaStore
from shared.storage.signing import UrlSigner
from tests.fakes import SETTINGS
from tests.jobs import NOW


@pytest.fixture
def media() -> Iterator[MediaStore]:
    """With no client: a job that names all of its media has nothing to look for."""
    with ThreadPoolExecutor(1) as pool:
        signer = UrlSigner(None, "", lifetime=3600, window=900, pool=pool)
        yield MediaStore(None, SETTINGS.bucket_names, signer, pool)


def job(user_id: str, path: str) -> Job:
    paths = {f"{medium.value}_path": path for medium in Medium}
    pictures = dict.fromkeys(Medium, path)
    return Job(id="job-1", user_id=user_id, status="completed", posters=pictures, previews=pictures, **paths)  # type: ignore[arg-type]


FIELDS = {
    *("reference_image_path", "motion_video_path", "input_video_path", "output_video_path"),
    *("posters.reference_image", "posters.motion_video", "posters.output_video"),
    *("previews.motion_video", "previews.output_video"),
}


@pytest.mark.parametrize(
    ("user_id", "path", "reason"),
    [
        ("me", "you/job-1/secret.mp4", "it is not under the job's user"),
        ("me", "https://evil.test/secret.mp4", "it is not under the job's user"),
        ("me", "me/../you/secret.mp4", "it is no object's name"),
        ("me", "me//secret.mp4", "it is no object's name"),
        ("me", "me/secret.mp4\n", "it is no object's name"),
        ("a/b", "a/b/secret.mp4", "the job's user can own no media"),
    ],
)
def test_a_path_that_is_not_the_owners_is_told_by_its_field_and_the_reason(
    media: MediaStore, caplog: pytest.LogCaptureFixture, user_id: str, path: str, reason: str
) -> None:
    with caplog.at_level("WARNING", "nuumee"):
        (urls,) = media.urls([job(user_id, path)], NOW)
    assert not any(urls.urls.values())
    told = [(record.getMessage(), record.__dict__["fields"]) for record in caplog.records]
    assert {message for message, _ in told} == {"media_path_not_owned"}
    assert {fields["field"] for _, fields in told} == FIELDS
    assert all(fields["job_id"] == "job-1" and fields["reason"] == reason for _, fields in told)
    assert "secret" not in str(told)
