"""The same tests on the Storage emulator and on the in-memory fake."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol, cast

import pytest
from google.cloud import storage

from infra.local.stack import Stack
from shared.errors import Unavailable
from shared.jobs.documents import job_from
from shared.jobs.job import Job, JobPrefix, JobStatus, Medium, Picture, PictureKind, Shown
from shared.jobs.known_pictures import Pictures
from shared.jobs.share_picture import SharePicture
from shared.services import Services
from shared.storage.media import MediaStore
from shared.storage.objects import ObjectStore
from shared.storage.pictures import PictureStore, Place
from tests.fakes import SETTINGS, FakeMediaStore
from tests.jobs import NOW, document, new_id
from tests.storages import still

IMAGES, VIDEOS, OUTPUTS = SETTINGS.buckets


class World(Protocol):
    media: MediaStore
    objects: ObjectStore

    pictures: PictureStore

    def put(self, bucket: str, name: str, content: bytes = b"x") -> None: ...

    def names(self, bucket: str, prefix: str) -> list[str]:
        """The name of every generation."""


class MemoryWorld:
    def __init__(self) -> None:
        self._fake = FakeMediaStore()
        self.media = cast(MediaStore, self._fake)
        self.objects = cast(ObjectStore, self._fake)
        self.pictures = PictureStore(self.objects)

    def put(self, bucket: str, name: str, content: bytes = b"x") -> None:
        self._fake.objects[bucket].setdefault(name, []).append(content)

    def names(self, bucket: str, prefix: str) -> list[str]:
        objects = sorted(self._fake.objects[bucket].items())
        return [name for name, generations in objects if name.startswith(prefix) for _ in generations]


class StorageWorld:
    def __init__(self, stack: Stack, client: storage.Client) -> None:
        services = Services(stack.settings)
        self.media, self.objects, self.pictures = services.media, services.objects, services.pictures
        self._client = client

    def put(self, bucket: str, name: str, content: bytes = b"x") -> None:
        self._client.bucket(bucket).blob(name).upload_from_string(content)

    def names(self, bucket: str, prefix: str) -> list[str]:
        return [blob.name for blob in self._client.list_blobs(bucket, prefix=prefix, versions=True)]


@pytest.fixture(params=["memory", pytest.param("storage", marks=pytest.mark.stack)])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    return StorageWorld(request.getfixturevalue("stack"), request.getfixturevalue("buckets"))


@pytest.fixture
def job() -> Job:
    return Job(id=new_id(), user_id=f"user-{new_id()}", status=JobStatus.COMPLETED)


def with_fields(job: Job, **changes: object) -> Job:
    return Job(id=job.id, user_id=job.user_id, **{"status": job.status, **changes})  # type: ignore[arg-type]


def urls(world: World, job: Job) -> dict[Shown, str | None]:
    (found,) = world.media.urls([job], NOW)
    return dict(found.urls)


def points_at(url: str | None, bucket: str, name: str) -> bool:
    return url is not None and f"/{bucket}/{name}" in url


def test_without_paths_the_media_are_what_lies_under_the_jobs_prefix(world: World, job: Job) -> None:
    prefix = f"{job.user_id}/{job.id}"
    world.put(IMAGES, f"{prefix}/reference.webp")
    world.put(VIDEOS, f"{prefix}/motion.mov")
    world.put(OUTPUTS, f"{prefix}/output.mp4")
    found = urls(world, job)
    assert points_at(found[Medium.REFERENCE_IMAGE], IMAGES, f"{prefix}/reference.webp")
    assert points_at(found[Medium.MOTION_VIDEO], VIDEOS, f"{prefix}/motion.mov")
    assert points_at(found[Medium.OUTPUT_VIDEO], OUTPUTS, f"{prefix}/output.mp4")
    assert found[Medium.INPUT_VIDEO] is None


def place(world: World, bucket: str, path: str) -> Place:
    media = {IMAGES: Medium.REFERENCE_IMAGE, VIDEOS: Medium.MOTION_VIDEO, OUTPUTS: Medium.OUTPUT_VIDEO}
    return world.pictures.place(bucket, path, media[bucket])


def put(
    world: World,
    where: Place,
    generation: int,
    poster: bytes,
    preview: bytes | None = None,
    *,
    playable: bool = True,
    **others: bytes,
) -> None:
    contents = {PictureKind.POSTER: poster, PictureKind.PREVIEW: preview}
    contents |= {PictureKind[kind.upper()]: content for kind, content in others.items()}
    size = (675, 1200) if "share_picture" in others else None
    world.pictures.put(where, generation, contents, playable=playable, shared_size=size)


def test_an_image_that_browsers_do_not_show_has_a_view_and_an_output_a_storyboard(world: World, job: Job) -> None:
    prefix = f"{job.user_id}/{job.id}"
    image, output = place(world, IMAGES, f"{prefix}/reference.heic"), place(world, OUTPUTS, f"{prefix}/output.mp4")
    put(world, image, 7, b"still", view=b"large", playable=False)
    put(world, output, 7, b"still", b"moving", storyboard=b"course", share_picture=b"shared")
    paths = {"reference_image_path": image.path, "output_video_path": output.path}
    (found,) = world.media.urls([with_fields(job, **paths)], NOW)
    assert points_at(found.urls[Picture.REFERENCE_VIEW], IMAGES, f"{prefix}/view.webp")
    assert points_at(found.urls[Picture.OUTPUT_STORYBOARD], OUTPUTS, f"{prefix}/storyboard.webp")
    assert found.playable == {Medium.REFERENCE_IMAGE: False, Medium.OUTPUT_VIDEO: True}
    there = place(world, OUTPUTS, output.path)
    assert there.shows(7)
    assert there.pictures
    assert there.pictures.share_picture == SharePicture(f"{prefix}/picture.jpg", (675, 1200))
    known = with_fields(job, playable={Medium.OUTPUT_VIDEO: False}, posters=dict.fromkeys(Medium), **paths)
    (found,) = world.media.urls([known], NOW)
    assert found.playable == {Medium.OUTPUT_VIDEO: False}
    world.pictures.clear(place(world, IMAGES, image.path))
    world.pictures.clear(there)
    assert world.names(IMAGES, f"{prefix}/") == world.names(OUTPUTS, f"{prefix}/") == []


def test_pictures_that_the_document_does_not_name_are_what_lies_beside_the_medium(world: World, job: Job) -> None:
    earlier = f"{job.user_id}/earlier"
    shown = with_fields(
        job,
        reference_image_path=f"{earlier}/reference.png",
        motion_video_path=f"{earlier}/motion.mp4",
        output_video_path="somebody-else/earlier/output.mp4",
    )
    for bucket, path, posters in (
        (IMAGES, f"{earlier}/reference.png", (b"still", None)),
        (VIDEOS, f"{earlier}/motion.mp4", (b"still", b"moving")),
        (OUTPUTS, "somebody-else/earlier/output.mp4", (b"still", b"moving")),
    ):
        put(world, place(world, bucket, path), 7, *posters)
    found = urls(world, shown)
    assert points_at(found[Picture.REFERENCE_POSTER], IMAGES, f"{earlier}/poster.webp")
    assert points_at(found[Picture.MOTION_POSTER], VIDEOS, f"{earlier}/poster.webp")
    assert points_at(found[Picture.MOTION_PREVIEW], VIDEOS, f"{earlier}/preview.mp4")
    assert found[Picture.OUTPUT_POSTER] is None
    assert found[Picture.OUTPUT_PREVIEW] is None


def test_pictures_take_the_place_of_those_that_were_looked_at_and_of_no_others(world: World, job: Job) -> None:
    path = f"{job.user_id}/{job.id}/motion.mp4"
    empty = place(world, VIDEOS, path)
    assert empty.pictures is None
    put(world, empty, 7, b"first", b"moving")
    with pytest.raises(Unavailable):
        put(world, empty, 8, b"second", b"moving")
    there = place(world, VIDEOS, path)
    assert there.pictures is not None
    assert there.pictures.preview == f"{job.user_id}/{job.id}/preview.mp4"
    assert (there.shows(7), there.shows(8), there.is_ours, there.shows_another_file) == (True, False, True, False)
    put(world, there, 8, b"third", None)
    after = place(world, VIDEOS, path)
    assert (after.shows(8), after.pictures) == (
        True,
        Pictures(f"{job.user_id}/{job.id}/poster.webp", playable=True),
    )
    other = place(world, VIDEOS, path.replace("mp4", "mov"))
    assert (other.pictures, other.shows_another_file, other.is_ours) == (None, True, True)
    world.pictures.clear(there)
    assert place(world, VIDEOS, path).pictures == after.pictures
    world.pictures.clear(place(world, VIDEOS, path))
    assert place(world, VIDEOS, path).pictures is None
    assert world.names(VIDEOS, f"{job.user_id}/{job.id}/") == []


@pytest.mark.parametrize("metadata", [{}, {"source": "camera"}, {"nuumee-shows": "motion.mp4"}])
def test_a_poster_that_somebody_else_has_put_there_is_not_ours(
    world: World, job: Job, metadata: dict[str, str]
) -> None:
    name = f"{job.user_id}/{job.id}/poster.webp"
    assert world.objects.put(VIDEOS, name, b"theirs", "image/webp", metadata=metadata, replaces=0)
    found = place(world, VIDEOS, f"{job.user_id}/{job.id}/motion.mp4")
    assert (found.is_ours, found.pictures) == (False, None)


@pytest.mark.parametrize("name", ["motion.mp4", "output.mp4"])
def test_a_job_that_works_on_an_earlier_video_shows_the_pictures_of_that(
    world: World, job: Job, name: str
) -> None:
    path = f"{job.user_id}/earlier-{job.id}/{name}"
    bucket = VIDEOS if name == "motion.mp4" else OUTPUTS
    put(world, place(world, bucket, path), 7, b"still", b"moving")
    poster = f"{job.user_id}/earlier-{job.id}/poster.webp"
    known = Job(id=job.id, user_id=job.user_id, input_video_path=path, posters={Medium.INPUT_VIDEO: poster})
    for shown in (with_fields(job, input_video_path=path), known):
        assert points_at(urls(world, shown)[Picture.MOTION_POSTER], bucket, poster)


def test_what_is_known_to_have_no_poster_is_not_looked_for(world: World, job: Job) -> None:
    path = f"{job.user_id}/{job.id}/motion.mp4"
    put(world, place(world, VIDEOS, path), 7, b"still", b"moving")
    none = Job(id=job.id, user_id=job.user_id, motion_video_path=path, posters={Medium.MOTION_VIDEO: None})
    found = urls(world, none)
    assert (found[Picture.MOTION_POSTER], found[Picture.MOTION_PREVIEW]) == (None, None)


def test_a_part_of_an_object_can_be_read(world: World, job: Job) -> None:
    name = f"{job.user_id}/{job.id}/motion.mp4"
    world.put(VIDEOS, name, b"0123456789")
    description = world.objects.describe(VIDEOS, name)
    assert description is not None
    assert world.objects.read(VIDEOS, name, description.generation, 3, 6) == b"345"
    assert world.objects.read(VIDEOS, name, description.generation, 0, 10) == b"0123456789"
    assert world.objects.read(VIDEOS, name, description.generation + 1, 0, 10) is None


def test_only_the_layouts_own_names_count_as_media(world: World, job: Job) -> None:
    prefix = f"{job.user_id}/{job.id}"
    world.put(IMAGES, f"{prefix}/poster.webp")
    world.put(IMAGES, f"{prefix}/reference.parts/1.png")
    world.put(VIDEOS, f"{job.user_id}/{job.id}0/motion.mp4")
    world.put(OUTPUTS, f"{prefix}/output.mp4.part")
    assert set(urls(world, job).values()) == {None}


def test_a_medium_is_found_behind_any_number_of_parts(world: World, job: Job) -> None:
    prefix = f"{job.user_id}/{job.id}"
    for number in range(12):
        world.put(IMAGES, f"{prefix}/reference.parts/{number}.png")
    world.put(IMAGES, f"{prefix}/reference.png")
    assert points_at(urls(world, job)[Medium.REFERENCE_IMAGE], IMAGES, f"{prefix}/reference.png")


def test_a_path_in_the_document_comes_before_what_lies_under_the_prefix(world: World, job: Job) -> None:
    world.put(IMAGES, f"{job.user_id}/{job.id}/reference.png")
    earlier = f"{job.user_id}/earlier-job/reference.png"
    found = urls(world, with_fields(job, reference_image_path=earlier))
    assert points_at(found[Medium.REFERENCE_IMAGE], IMAGES, earlier)


@pytest.mark.parametrize(
    "path",
    [
        "someone-else/job/reference.png",
        "{user}",
        "{user}/",
        "{user}/../someone-else/job/reference.png",
        "{user}//reference.png",
        "{user}/./reference.png",
        "{user}/job/..",
        "{user}x/job/reference.png",
        "/{user}/job/reference.png",
        "gs://nuumee-images/{user}/job/reference.png",
        "https://evil.test/reference.png",
        "{user}/job\\..\\reference.png",
        "{user}/job/\nreference.png",
        "{user}/job/\x00",
        "{user}/" + "a" * 1024,
    ],
)
def test_a_path_that_is_not_the_owners_is_never_signed(world: World, job: Job, path: str) -> None:
    hostile = path.format(user=job.user_id)
    fields = dict.fromkeys(
        ("reference_image_path", "motion_video_path", "input_video_path", "output_video_path"), hostile
    )
    assert set(urls(world, with_fields(job, **fields)).values()) == {None}


@pytest.mark.parametrize("damaged", [7, {"path": "reference.png"}, "x" * 1025], ids=["number", "map", "long"])
def test_in_the_place_of_a_damaged_path_nothing_is_shown(world: World, job: Job, damaged: object) -> None:
    prefix = f"{job.user_id}/{job.id}"
    for bucket, name in ((IMAGES, "reference.png"), (VIDEOS, "motion.mp4"), (OUTPUTS, "output.mp4")):
        world.put(bucket, f"{prefix}/{name}")
    fields = dict.fromkeys((f"{medium}_path" for medium in Medium), damaged)
    found = job_from(job.id, document(job.user_id, **fields))
    assert set(urls(world, found).values()) == {None}
    assert world.media.download(found, NOW) is None
    assert world.media.version([found], NOW), "nothing is looked up"
    (sound,) = world.media.urls([job_from(job.id, {**document(job.user_id), "motion_video_path": damaged})], NOW)
    assert points_at(sound.urls[Medium.REFERENCE_IMAGE], IMAGES, f"{prefix}/reference.png")
    assert sound.urls[Medium.MOTION_VIDEO] is None


@pytest.mark.parametrize(
    ("name", "bucket"), [("input.mp4", VIDEOS), ("motion.mp4", VIDEOS), ("output.mp4", OUTPUTS)]
)
def test_an_input_video_is_an_upload_or_an_earlier_output(world: World, job: Job, name: str, bucket: str) -> None:
    path = f"{job.user_id}/earlier-job/{name}"
    assert points_at(urls(world, with_fields(job, input_video_path=path))[Medium.INPUT_VIDEO], bucket, path)


@pytest.mark.parametrize("status", ["pending", "queued", "processing", "failed", "teleporting"])
def test_an_output_is_only_shown_once_the_job_is_completed(world: World, job: Job, status: str) -> None:
    path = f"{job.user_id}/{job.id}/output.mp4"
    world.put(OUTPUTS, path)
    unfinished = with_fields(job, status=status, output_video_path=path)
    assert urls(world, unfinished)[Medium.OUTPUT_VIDEO] is None


def all_named(job: Job) -> Job:
    """The job, with a document that names all its media and says that they have no posters."""
    path = f"{job.user_id}/{job.id}/output.mp4"
    named = with_fields(job, reference_image_path=path, motion_video_path=path, output_video_path=path)
    return replace(named, posters=dict.fromkeys(Medium))


def test_a_version_is_the_same_for_a_window(world: World, job: Job) -> None:
    named, begins = all_named(job), NOW.replace(minute=15, second=0, microsecond=0)
    versions = [world.media.version([named], begins + timedelta(minutes=after)) for after in (0, 14, 15)]
    assert versions[0] is not None
    assert [one == versions[0] for one in versions] == [True, True, False]


@pytest.mark.parametrize(
    ("changes", "tells"),
    [
        ({"status": "processing", "output_video_path": None}, True),
        (
            {
                "posters": {},
                **dict.fromkeys(("reference_image_path", "motion_video_path", "output_video_path"), "x/y"),
            },
            True,
        ),
        ({"output_video_path": None}, False),
        ({"motion_video_path": None}, False),
        ({"posters": {Medium.OUTPUT_VIDEO: None}}, False),
    ],
)
def test_no_version_tells_of_what_is_looked_up(
    world: World, job: Job, changes: dict[str, Any], tells: bool
) -> None:
    jobs = [all_named(job), replace(all_named(job), **changes)]
    assert (world.media.version(jobs, NOW) is not None) == tells


@pytest.mark.parametrize("user_id", ["a/b", "..", "a..b", ".", "a\x00b", "a\nb", "x" * 129, ""])
def test_an_odd_user_owns_no_media(world: World, user_id: str) -> None:
    job = Job(id="job", user_id=user_id, status="completed", output_video_path=f"{user_id}/job/output.mp4")
    assert set(urls(world, job).values()) == {None}
    assert world.media.download(job, NOW) is None
    assert not world.media.has_output(job)


def test_a_download_is_there_when_there_is_an_output(world: World, job: Job) -> None:
    assert world.media.download(job, NOW) is None
    assert not world.media.has_output(job)
    world.put(OUTPUTS, f"{job.user_id}/{job.id}/output.mp4")
    assert world.media.has_output(job)
    download = world.media.download(job, NOW)
    assert download is not None
    assert points_at(download.url, OUTPUTS, f"{job.user_id}/{job.id}/output.mp4")
    assert download.filename.endswith(".mp4")


def test_a_purge_removes_all_generations_in_all_three_buckets_and_counts_them(world: World, job: Job) -> None:
    prefix = f"{job.user_id}/{job.id}/"
    for content in (b"old", b"older", b"new"):
        world.put(IMAGES, f"{prefix}reference.png", content)
    world.put(VIDEOS, f"{prefix}motion.mp4", b"motion")
    world.put(VIDEOS, f"{prefix}parts/deep/er/1.bin", b"part")
    world.put(OUTPUTS, f"{prefix}output.mp4", b"output!")
    world.put(OUTPUTS, f"{prefix}ünï code.webp", b"poster")

    found = world.objects.purge(JobPrefix(job.user_id, job.id), still)

    assert [(one.bucket, one.objects, one.size, one.error) for one in found] == [
        (IMAGES, 3, 11, None),
        (VIDEOS, 2, 10, None),
        (OUTPUTS, 2, 13, None),
    ]
    assert [world.names(bucket, prefix) for bucket in (IMAGES, VIDEOS, OUTPUTS)] == [[], [], []]


def test_a_purge_takes_more_objects_than_one_batch_holds(world: World, job: Job) -> None:
    prefix = f"{job.user_id}/{job.id}/"
    for number in range(130):
        world.put(OUTPUTS, f"{prefix}frame-{number}", b"12")
    output = world.objects.purge(JobPrefix(job.user_id, job.id), still)[2]
    assert (output.objects, output.size, output.error) == (130, 260, None)
    assert world.names(OUTPUTS, prefix) == []


def test_a_purge_leaves_the_neighbours_alone(world: World, job: Job) -> None:
    names = [
        f"{job.user_id}/{job.id}0/output.mp4",
        f"{job.user_id}/{job.id}-2/output.mp4",
        f"{job.user_id}/{job.id}",
        f"{job.user_id}0/{job.id}/output.mp4",
        f"x{job.user_id}/{job.id}/output.mp4",
        f"x/{job.user_id}/{job.id}/output.mp4",
    ]
    for name in names:
        world.put(OUTPUTS, name)
    world.put(OUTPUTS, f"{job.user_id}/{job.id}/output.mp4")
    world.objects.purge(JobPrefix(job.user_id, job.id), still)
    assert [name for name in names if name not in world.names(OUTPUTS, name)] == []


def test_a_purge_can_be_run_again_with_the_same_result(world: World, job: Job) -> None:
    world.put(IMAGES, f"{job.user_id}/{job.id}/reference.png")
    prefix = JobPrefix(job.user_id, job.id)
    world.objects.purge(prefix, still)
    assert [(one.objects, one.error) for one in world.objects.purge(prefix, still)] == [(0, None)] * 3


def test_purges_side_by_side_count_each_object_once(stack: Stack, buckets: storage.Client, job: Job) -> None:
    world = StorageWorld(stack, buckets)
    for number in range(40):
        world.put(OUTPUTS, f"{job.user_id}/{job.id}/{number}")
    prefix = JobPrefix(job.user_id, job.id)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: world.objects.purge(prefix, still)[2], range(4)))
    assert sum(one.objects for one in found) == 40
    assert {one.error for one in found} == {None}
