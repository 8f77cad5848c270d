"""URLs of which some cannot be made: real look-ups in a local Storage, and a signer that replaces IAM."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from google.auth.exceptions import TransportError

from shared.errors import Unavailable
from shared.jobs.job import Job, Medium, Picture
from shared.services import Services
from shared.storage.keyless import AccountSigner, KeylessUrlSigner
from shared.storage.limits import reading
from shared.storage.lookups import Lookups
from shared.storage.media import MediaStore, MediaUrls
from shared.storage.signing import Urls
from tests.fakes import SETTINGS
from tests.faults import Fault, Kind, Trouble
from tests.jobs import NOW
from tests.storages import a_storage

IMAGES, VIDEOS, OUTPUTS = SETTINGS.buckets
_NAMED = "response-content-disposition"
REFUSED = TransportError("Error calling the IAM signBlob API: 429 RESOURCE_EXHAUSTED")


class Iam:
    """Signs, unless `decide` raises."""

    def __init__(self) -> None:
        self.decide: Callable[[int], object] = lambda number: None
        """Called with the number of earlier calls. May raise."""
        self._lock = threading.Lock()
        self.calls = 0

    def sign(self, message: bytes) -> bytes:
        with self._lock:
            number, self.calls = self.calls, self.calls + 1
        self.decide(number)
        return message[-32:]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failing calls are given up after half a second instead of several."""
    limits = {"timeout": (0.5, 0.5), "retry": reading()["retry"].with_timeout(0.5)}
    monkeypatch.setattr("shared.storage.lookups.reading", lambda: limits)
    monkeypatch.setattr("shared.storage.keyless.SIGNING_TIMEOUT", 0.5)


@pytest.fixture
def trouble() -> Trouble:
    return Trouble(silence=60)


@pytest.fixture
def iam() -> Iam:
    return Iam()


@pytest.fixture
def client(trouble: Trouble) -> Iterator[Any]:
    with a_storage(trouble, SETTINGS.buckets) as made:
        yield made


@pytest.fixture
def signer(iam: Iam) -> Iterator[KeylessUrlSigner]:
    pool = Services(SETTINGS).storage_pool
    yield KeylessUrlSigner(
        Urls(AccountSigner("signer@nuumee.test", iam.sign), "https://storage.test", 3600), 900, pool
    )
    pool.shutdown()


@pytest.fixture
def store(client: Any, signer: KeylessUrlSigner) -> MediaStore:
    lookups = Lookups(client, SETTINGS.bucket_names)
    return MediaStore(lambda: lookups, SETTINGS.bucket_names, signer, signer._pool)


def job(job_id: str, user_id: str = "me", **fields: Any) -> Job:
    """A completed job. Its document names all its media, and says that they have no posters."""
    folder = f"{user_id}/{job_id}"
    named = {
        "reference_image_path": f"{folder}/reference.png",
        "motion_video_path": f"{folder}/motion.mp4",
        "output_video_path": f"{folder}/output.mp4",
        "posters": dict.fromkeys(Medium),
    }
    return Job(id=job_id, user_id=user_id, status="completed", **{**named, **fields})


def page(count: int = 20) -> list[Job]:
    return [job(f"job-{number}") for number in range(count)]


def had(found: list[MediaUrls]) -> int:
    return sum(url is not None for one in found for url in one.urls.values())


def fail(error: Exception) -> None:
    raise error


def incomplete(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [each.__dict__["fields"] for each in caplog.records if each.getMessage() == "media_incomplete"]


def test_a_signature_that_is_refused_once_is_asked_for_again(
    store: MediaStore, iam: Iam, caplog: pytest.LogCaptureFixture
) -> None:
    iam.decide = lambda number: fail(REFUSED) if number == 7 else None
    assert had(store.urls(page(), NOW)) == 60
    assert iam.calls == 61
    assert incomplete(caplog) == []


def test_a_signature_that_cannot_be_had_costs_its_medium_alone_and_is_logged_once(
    store: MediaStore, signer: KeylessUrlSigner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sign = signer._sign

    def refuse(target: Any, begins: Any) -> str:
        if target.path in ("me/job-3/motion.mp4", "me/job-8/output.mp4"):
            raise ValueError("refused for good")
        return sign(target, begins)

    monkeypatch.setattr(signer, "_sign", refuse)
    found = store.urls(page(), NOW)
    assert had(found) == 58
    assert (found[3].urls[Medium.MOTION_VIDEO], found[8].urls[Medium.OUTPUT_VIDEO]) == (None, None)
    assert found[3].urls[Medium.REFERENCE_IMAGE] is not None
    assert incomplete(caplog) == [{"failures": 2, "of": 60, "causes": {"ValueError": 2}}]


def test_no_version_tells_whether_each_url_can_be_signed(store: MediaStore) -> None:
    assert store.version(page(), NOW) is None


@pytest.mark.slow  # waits out time limits
def test_with_no_signature_to_be_had_storage_is_away(
    store: MediaStore, iam: Iam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.storage.media.ALL_OBJECTS_WITHIN", 0.5)
    iam.decide = lambda number: fail(REFUSED)
    with pytest.raises(Unavailable):
        store.urls(page(), NOW)
    with pytest.raises(Unavailable):
        store.download(job("job-1"), NOW)
    with pytest.raises(Unavailable):
        store.shared(job("job-1"), "me/job-1/poster.webp", NOW)


@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.TOO_MANY, Kind.TIMED_OUT])
def test_a_listing_that_fails_once_is_tried_again(
    client: Any, store: MediaStore, trouble: Trouble, kind: Kind
) -> None:
    client.bucket(OUTPUTS).blob("me/job-1/output.mp4").upload_from_string(b"x")
    unnamed = job("job-1", output_video_path=None)
    faults = iter([Fault(kind)])
    trouble.on_call = lambda call: next(faults, None)
    assert store.urls([unnamed], NOW)[0].urls[Medium.OUTPUT_VIDEO] is not None
    assert store.download(unnamed, NOW) is not None


@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.TIMED_OUT, Kind.HELD, Kind.SILENCE])
def test_a_bucket_that_cannot_be_listed_costs_its_media_alone(
    client: Any, store: MediaStore, trouble: Trouble, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    client.bucket(IMAGES).blob("me/job-1/reference.png").upload_from_string(b"x")
    jobs = [job("job-1", reference_image_path=None, motion_video_path=None), job("job-2")]
    trouble.on_call = lambda call: Fault(kind) if f"/b/{VIDEOS}/" in call else None
    first, second = store.urls(jobs, NOW)
    assert (first.urls[Medium.REFERENCE_IMAGE] is not None, first.urls[Medium.MOTION_VIDEO]) == (True, None)
    assert had([second]) == 3
    (told,) = incomplete(caplog)
    assert (told["failures"], list(told["causes"].values())) == (1, [1])


@pytest.mark.slow  # waits out time limits
@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.TIMED_OUT, Kind.RESET, Kind.SILENCE])
def test_with_nothing_that_can_be_looked_up_storage_is_away(
    store: MediaStore, trouble: Trouble, kind: Kind
) -> None:
    trouble.on_call = lambda call: Fault(kind)
    unnamed = job("job-1", reference_image_path=None, motion_video_path=None, output_video_path=None)
    with pytest.raises(Unavailable):
        store.urls([unnamed], NOW)
    with pytest.raises(Unavailable):
        store.download(unnamed, NOW)


def test_a_job_that_storage_refuses_to_list_for_good_is_shown_without_its_media(
    store: MediaStore, trouble: Trouble
) -> None:
    trouble.on_call = lambda call: Fault(Kind.HELD)
    unnamed = job("job-1", reference_image_path=None, motion_video_path=None, output_video_path=None)
    assert had(store.urls([unnamed], NOW)) == 0


@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.SILENCE])
def test_a_poster_that_cannot_be_looked_up_is_missing_alone(
    store: MediaStore, trouble: Trouble, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    trouble.on_call = lambda call: Fault(kind)
    (found,) = store.urls([job("job-1", posters={})], NOW)
    assert (had([found]), found.urls[Picture.OUTPUT_POSTER]) == (3, None)
    assert [told["failures"] for told in incomplete(caplog)] == [3]


def test_a_share_link_opens_without_a_poster_that_cannot_be_signed(
    store: MediaStore, signer: KeylessUrlSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = signer._sign

    def refuse(target: Any, begins: Any) -> str:
        if not target.path.endswith(".mp4"):
            raise REFUSED
        return sign(target, begins)

    monkeypatch.setattr(signer, "_sign", refuse)
    shared = store.shared(job("job-1"), "me/job-1/poster.webp", NOW)
    assert shared is not None
    assert shared.poster is None


def test_one_request_leaves_room_for_another_in_the_shared_pool(
    store: MediaStore, signer: KeylessUrlSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = signer._sign
    begun, go_on = threading.Semaphore(0), threading.Event()

    def wait(target: Any, begins: Any) -> str:
        if target.path.startswith("me/"):
            begun.release()
            assert go_on.wait(20)
        return sign(target, begins)

    monkeypatch.setattr(signer, "_sign", wait)
    with ThreadPoolExecutor(1) as caller:
        large = caller.submit(store.urls, page(100), NOW)
        try:
            assert begun.acquire(timeout=10)
            while begun.acquire(timeout=0.3):
                pass  # until it has as many calls in flight as it may have
            (single,) = store.urls([job("job-1", "you")], NOW)
        finally:
            go_on.set()
        assert (had([single]), had(large.result())) == (3, 300)


def test_what_browsers_do_not_show_is_saved_when_it_is_opened(store: MediaStore) -> None:
    odd = 'me/a/My "best" clip.MOV'
    playable = {Medium.MOTION_VIDEO: False, Medium.OUTPUT_VIDEO: True}
    (found,) = store.urls([job("a", motion_video_path=odd, playable=playable)], NOW)
    queries = {medium: parse_qs(urlsplit(found.urls[medium] or "").query) for medium in Medium}
    saved = {medium: query[_NAMED] for medium, query in queries.items() if _NAMED in query}
    assert saved == {Medium.MOTION_VIDEO: ['attachment; filename="My _best_ clip.MOV"']}
