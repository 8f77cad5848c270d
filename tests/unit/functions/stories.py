"""What each function does for its living: short stories, told with services that may refuse what it asks for.

A story is a generator. It prepares what is there, yields, and then lets the function act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from functions import erase_jobs as erasing
from functions import make_posters as posters
from functions.restore_job import LONGEST_KEPT
from shared.jobs.job import JobPrefix
from shared.messaging.events import JobDeleted, JobRestored, JobsErased, VideoViewed
from shared.messaging.subscriber import Subscriber
from shared.posters.posters import Posters, SharePicture
from shared.publishing.dead_letters import Letter
from shared.storage.removal import BucketPurge
from shared.web.public_endpoint import PublicEndpoint
from tests.calls import call
from tests.enumerated import BODIES, FOUND, operations
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, deleted, document, entry
from tests.messages import envelope, message, notification
from tests.visits import CHROME, ID

Story = Callable[[FakeServices], Iterator[None]]
IMAGES, VIDEOS, OUTPUTS = SETTINGS.buckets
LIVE, UNNAMED, GONE, ERASURE = "live-job", "unnamed-job", "gone-job", 32 * "e"
SHORT_IDS = {LIVE: ID, UNNAMED: "25ca1d10"}
VIDEO = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"
"""The beginning of an MP4."""
QUERIES = {
    "GET /jobs": ("", "include=media,counts", f"ids={LIVE}", "id_prefix=live", "name_prefix=cat", "deleted=true"),
    "DELETE /jobs": ("confirm=2",),
}
"""Further forms of a request."""
DOCUMENTS: dict[str, dict[str, Any]] = {
    f"jobs/{LIVE}": document(
        "me",
        created_at=NOW - timedelta(days=1),
        short_id=ID,
        name="Cat",
        name_folded="cat",
        reference_image_path=f"me/{LIVE}/reference.png",
        output_video_path=f"me/{LIVE}/output.mp4",
        posters={"output_video": f"me/{LIVE}/poster.webp"},
        share_picture={"name": f"me/{LIVE}/picture.jpg", "width": 16, "height": 9},
    ),
    # Its writer named no media.
    f"jobs/{UNNAMED}": document("me", created_at=NOW - timedelta(days=1), short_id=SHORT_IDS[UNNAMED]),
    f"jobs/{GONE}": deleted("me", created_at=NOW - timedelta(days=1)),
    f"deletions/{GONE}": entry("me"),
    **{f"short_links/{short_id}": {"job_id": job_id} for job_id, short_id in SHORT_IDS.items()},
    f"erasures/{ERASURE}": {
        "user_id": "me",
        "requested_at": NOW - timedelta(minutes=10),  # before the next one may be
        "requested_by": "me",
        "state": "pending",
        "jobs": 1,
        **dict.fromkeys(("deleted", "found", "failed", "passes", "sweeps"), 0),
        "after": None,
        "finished_at": None,
        "sweep_at": NOW,
    },
}


def fill(services: FakeServices) -> None:
    """Put DOCUMENTS into the fakes."""
    places = {
        "jobs": services.fake_repository.documents,
        "deletions": services.fake_ledger.entries,
        "erasures": services.fake_erasures.documents,
    }
    for path, fields in DOCUMENTS.items():
        collection, _, name = path.partition("/")
        if collection in places:
            places[collection][name] = {**fields}
    services.fake_shares.links |= {short_id: job_id for job_id, short_id in SHORT_IDS.items()}


def stories(name: str) -> list[Story]:
    """Those of a function. Raises KeyError for one that receives events of which there are none here."""
    function = FOUND[name]
    if isinstance(function, Subscriber):
        return [partial(one, function) for one in _OF_EVENTS[name]]
    return [partial(_requests, name), *_OF_REQUESTS.get(name, ())]


def _requests(name: str, services: FakeServices) -> Iterator[None]:
    """Every request that the function answers, about a job that makes it succeed."""
    fill(services)
    upload(services, LIVE)
    upload(services, UNNAMED)
    yield
    for one in operations({name: FOUND[name]}):
        for query in QUERIES.get(str(one), ("",)):
            statuses = {ask(one.method, one.path, query, job_id, services) for job_id in (LIVE, UNNAMED, GONE)}
            assert min(statuses) < 400, f"{one}?{query} is answered with {statuses}"


def ask(method: str, path: str, query: str, job_id: str, services: FakeServices) -> int:
    (function,) = [one.endpoint for one in operations(FOUND) if (one.method, one.path) == (method, path)]
    headers = {"User-Agent": CHROME, "Sec-Fetch-Site": "same-origin"}
    target = path.format(job_id=job_id, short_id=SHORT_IDS.get(job_id)) + (f"?{query}" if query else "")
    answer = call(
        function,
        services,
        target,
        method=method,
        headers=headers,
        user=None if isinstance(function, PublicEndpoint) else "me",
        body=BODIES.get(f"{method} {path}"),
    )
    return answer.status_code


def upload(services: FakeServices, job_id: str) -> None:
    for bucket, name in ((IMAGES, "reference.png"), (VIDEOS, "motion.mp4"), (OUTPUTS, "output.mp4")):
        services.storage.bucket(bucket).blob(f"me/{job_id}/{name}").upload_from_string(VIDEO)


def finalized(services: FakeServices, job_id: str) -> dict[str, Any]:
    blob = services.storage.bucket(OUTPUTS).get_blob(f"me/{job_id}/output.mp4")
    assert blob
    return envelope(*notification(blob.name, generation=int(blob.generation), size=blob.size))


def _purge(function: Subscriber[Any], services: FakeServices) -> Iterator[None]:
    fill(services)
    upload(services, GONE)
    yield
    function.receive(message(JobDeleted(GONE, "me", NOW)), services)
    assert services.fake_ledger.entries[GONE]["state"] == "done"


def _restore(function: Subscriber[Any], services: FakeServices) -> Iterator[None]:
    """An earlier run was killed after it had brought back the first file."""
    fill(services)
    upload(services, GONE)
    removed(services, services.objects.purge(JobPrefix("me", GONE), lambda: True))
    services.restores.request("me", GONE, lambda removed_at: removed_at + timedelta(days=7), NOW, lambda: None)
    (first,) = services.storage.list_blobs(IMAGES, soft_deleted=True)
    services.storage.bucket(IMAGES).restore_blob(first.name, generation=first.generation)
    yield
    function.receive(message(JobRestored(GONE, "me", NOW)), services)
    assert services.fake_ledger.entries[GONE]["state"] == "restored"


def _restore_too_late(function: Subscriber[Any], services: FakeServices) -> Iterator[None]:
    """A file that was removed is not kept any more."""
    fill(services)
    removed(services, [BucketPurge(bucket=OUTPUTS, objects=1, size=1)])
    services.restores.request("me", GONE, lambda removed_at: removed_at + timedelta(days=7), NOW, lambda: None)
    services.now = lambda: NOW + 2 * LONGEST_KEPT
    yield
    function.receive(message(JobRestored(GONE, "me", NOW)), services)
    assert services.fake_ledger.entries[GONE]["state"] == "pending"


def _undelete(services: FakeServices) -> Iterator[None]:
    """A file has been removed, and its bucket kept none."""
    fill(services)
    removed(services, [BucketPurge(bucket=OUTPUTS, objects=1, size=1)])
    yield
    assert ask("POST", "/jobs/{job_id}/restore", "", GONE, services) == 410


def removed(services: FakeServices, found: Sequence[BucketPurge]) -> None:
    """Record a purge that removed these."""
    services.deletions.begin_purge(GONE, "me", "a-run", NOW)
    services.deletions.end_purge(GONE, "a-run", found, NOW, owner="me")


def _completed(function: Subscriber[Any], services: FakeServices) -> Iterator[None]:
    services.add(LIVE, document("me", status="processing"))
    upload(services, LIVE)
    event = finalized(services, LIVE)
    yield
    function.receive(event, services)
    assert services.fake_repository.documents[LIVE]["status"] == "completed"


def _too_late(function: Subscriber[Any], services: FakeServices) -> Iterator[None]:
    fill(services)
    upload(services, GONE)
    event = finalized(services, GONE)
    yield
    function.receive(event, services)
    assert services.storage.bucket(OUTPUTS).get_blob(f"me/{GONE}/output.mp4") is None


def _pictures(function: Subscriber[Any], services: FakeServices) -> Iterator[None]:
    """Those of a video's second version take the place of the first's."""
    services.add(LIVE, document("me"))
    made = Posters(b"poster", b"preview", share_picture=SharePicture(b"picture", (16, 9)))
    with patch.object(posters, "make", lambda *_, **__: made):
        upload(services, LIVE)
        function.receive(finalized(services, LIVE), services)
        upload(services, LIVE)
        event = finalized(services, LIVE)
        before = services.objects.describe(OUTPUTS, f"me/{LIVE}/poster.webp")
        yield
        function.receive(event, services)
    after = services.objects.describe(OUTPUTS, f"me/{LIVE}/poster.webp")
    assert before
    assert after
    assert after.generation > before.generation


def _viewed(function: Subscriber[Any], services: FakeServices) -> Iterator[None]:
    fill(services)
    yield
    function.receive(envelope(*VideoViewed(LIVE, None).encode()), services)
    assert services.fake_views.shards


def _counted(function: Subscriber[Any], services: FakeServices) -> Iterator[None]:
    fill(services)
    services.fake_views.add(LIVE)
    yield
    function.receive(envelope(b"", {}), services)
    assert services.fake_repository.documents[LIVE]["view_count"] == 4


def _swept(function: Subscriber[Any], services: FakeServices) -> Iterator[None]:
    """A purge, a restore and an erasure are due, and an upload's event is a dead letter."""
    fill(services)
    entries, long_ago = services.fake_ledger.entries, NOW - timedelta(hours=1)
    entries[GONE]["sweep_at"] = long_ago
    services.add("coming-back", deleted("me"))
    entries["coming-back"] = entry("me", state="restoring", sweep_at=long_ago)
    data, about = notification("me/unknown/output.mp4")
    services.fake_dead_uploads.waiting = [Letter("1", data, about, "receipt")]
    yield
    function.receive(envelope(b"", {}), services)


def _erased(function: Subscriber[Any], services: FakeServices) -> Iterator[None]:
    fill(services)
    yield
    function.receive(envelope(*JobsErased(ERASURE, "me").encode()), services)
    assert services.fake_erasures.documents[ERASURE]["deleted"] == 3


def _handed_on(function: Subscriber[Any], services: FakeServices) -> Iterator[None]:
    fill(services)
    yield
    with patch.object(erasing, "ERASE_WITHIN", -1):
        function.receive(envelope(*JobsErased(ERASURE, "me").encode()), services)
    assert services.fake_erasures.documents[ERASURE]["deleted"] == 0


_OF_REQUESTS: dict[str, tuple[Story, ...]] = {"undelete_job": (_undelete,)}
_OF_EVENTS: dict[str, tuple[Callable[[Subscriber[Any], FakeServices], Iterator[None]], ...]] = {
    "purge_job": (_purge,),
    "restore_job": (_restore, _restore_too_late),
    "process_upload": (_completed, _too_late),
    "make_posters": (_pictures,),
    "record_view": (_viewed,),
    "sweep_purges": (_swept,),
    "count_views": (_counted,),
    "erase_jobs": (_erased, _handed_on),
}
