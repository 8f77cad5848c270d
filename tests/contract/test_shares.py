"""Share links. The same tests run on Firestore's emulator and on the in-memory fake."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from google.api_core.exceptions import FailedPrecondition, InvalidArgument
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.errors import Contended, JobFull, NotCompleted, NotFound, NotShared, TooManyRequests
from shared.jobs.job import JobPrefix
from shared.jobs.renaming import Renaming
from shared.sharing import expiry, short_links
from shared.sharing.expiry import Expiries
from shared.sharing.shares import NoSuchVideo, Shares
from shared.sharing.short_links import link_for, new_short_id
from tests.contract.worlds import FirestoreWorld, World
from tests.jobs import NOW, deleted, document, fill, new_id, read


def leads_nowhere(world: World, short_id: str) -> bool:
    with pytest.raises(NoSuchVideo):
        world.shares.resolve(short_id, NOW)
    return True


def test_a_link_shows_the_job_that_it_names(world: World, shared: tuple[str, str]) -> None:
    job_id, short_id = shared
    found = world.shares.resolve(short_id, NOW)
    assert (found.short_id, found.job.id, found.job.short_id, found.poster) == (short_id, job_id, short_id, None)


@pytest.mark.parametrize(
    ("posters", "shown"),
    [
        ({"output_video": "{user}/a/poster.webp"}, True),
        ({"output_video": "somebody-else/a/poster.webp"}, False),
        ({"output_video": "{user}/../b/poster.webp"}, False),
        ({"motion_video": "{user}/a/poster.webp"}, False),
        ({"output_video": 7}, False),
        ("{user}/a/poster.webp", False),
    ],
)
def test_a_poster_is_shown_if_it_is_the_owners(
    world: World, user: str, shared: tuple[str, str], posters: Any, shown: bool
) -> None:
    job_id, short_id = shared
    if isinstance(posters, dict):
        posters = {key: path.format(user=user) if isinstance(path, str) else path for key, path in posters.items()}
    world.put(job_id, document(user, short_id=short_id, posters=posters))
    assert (world.shares.resolve(short_id, NOW).poster is not None) is shown


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "processing"},
        {"status": None},
        {"deleted_at": NOW},
        {"deleted_at": "yesterday"},
        {"short_id": "ffffffff"},
        {"short_id": None},
        {"user_id": 7},
        {"share_revoked_at": NOW},
    ],
)
def test_a_link_to_what_must_not_be_seen_leads_nowhere(
    world: World, user: str, shared: tuple[str, str], changes: dict[str, Any]
) -> None:
    job_id, short_id = shared
    world.put(job_id, {**document(user, short_id=short_id), **changes})
    assert leads_nowhere(world, short_id)


def test_a_short_id_that_a_job_got_from_elsewhere_opens_and_is_its_own_from_then_on(
    world: World, user: str
) -> None:
    short_id = new_short_id(8)
    job_id = new_id()
    world.put(job_id, document(user, short_id=short_id))
    assert world.shares.resolve(short_id, NOW).job.id == job_id
    assert not world.shares.resolve(short_id, NOW).is_settled
    world.shares.settle(short_id, NOW)
    world.put(new_id(), document(user, short_id=short_id))
    assert world.shares.resolve(short_id, NOW).job.id == job_id
    assert world.shares.resolve(short_id, NOW).is_settled


def test_a_short_id_that_two_jobs_have_and_no_link_names_leads_nowhere(world: World, user: str) -> None:
    short_id = new_short_id(8)
    for _ in range(2):
        world.put(new_id(), document(user, short_id=short_id))
    assert leads_nowhere(world, short_id)


def test_a_link_to_what_must_not_be_seen_is_not_made(world: World, user: str) -> None:
    short_id = new_short_id(8)
    under_way, job_id = new_id(), new_id()
    world.put(under_way, document(user, short_id=short_id, status="processing"))
    world.shares.settle(short_id, NOW)
    assert leads_nowhere(world, short_id)
    world.put(under_way, document(user, status="processing"))
    world.put(job_id, document(user, short_id=short_id))
    assert world.shares.resolve(short_id, NOW).job.id == job_id


@pytest.mark.parametrize("renews", [True, False])
def test_a_short_id_that_was_given_out_never_shows_another_video(world: World, user: str, renews: bool) -> None:
    short_id = new_short_id(8)
    job_id = new_id()
    world.put(job_id, document(user, short_id=short_id))
    if renews:
        world.shares.renew(user, job_id, NOW, None)
    else:
        world.shares.revoke(user, job_id, NOW)
    world.put(new_id(), document(user, short_id=short_id))
    assert leads_nowhere(world, short_id)


def test_an_ended_link_is_not_told_as_good_whatever_a_worker_writes(world: World, user: str) -> None:
    job_id = new_id()
    world.put(job_id, document(user, short_id=new_short_id(8), share_revoked_at=NOW))
    job = world.repository.get(user, job_id)
    assert (job.short_id, job.share_url("https://nuumee.ai")) == (None, None)


@pytest.mark.parametrize("ends", ["revoked", "renewed", "expired"])
def test_a_worker_who_saves_an_older_copy_brings_no_ended_link_back(world: World, user: str, ends: str) -> None:
    job_id = new_id()
    world.put(job_id, document(user))
    short_id = str(world.shares.renew(user, job_id, NOW, None).short_id)
    copy = dict(world.read(job_id))
    end = NOW + timedelta(hours=1)
    if ends == "revoked":
        world.shares.revoke(user, job_id, NOW)
    elif ends == "renewed":
        world.shares.renew(user, job_id, NOW, None)
    else:
        world.shares.change(user, job_id, NOW, {"share_expires_at": end})
    world.put(job_id, copy)
    if ends == "expired":
        assert world.shares.resolve(short_id, NOW).job.id == job_id
    with pytest.raises(NoSuchVideo):
        world.shares.resolve(short_id, end)
    with pytest.raises(NotShared):
        world.shares.change(user, job_id, end, {"share_expires_at": end + timedelta(hours=1)})
    assert world.repository.get(user, job_id).short_id is None, "its owner has met it"
    again = str(world.shares.renew(user, job_id, end, None).short_id)
    assert world.shares.resolve(again, end).job.id == job_id


@pytest.mark.parametrize("by", ["completion", "change"])
def test_an_older_copy_opens_no_link_whose_id_was_taken_from_its_job(world: World, user: str, by: str) -> None:
    job_id, short_id = new_id(), new_short_id(8)
    ended = {"share_revoked_at": NOW} if by == "completion" else {"share_expires_at": "soon"}
    world.put(job_id, document(user, short_id=short_id, **ended))
    if by == "completion":
        assert world.completions.complete(JobPrefix(user, job_id), f"{user}/{job_id}/output.mp4", NOW)
    else:
        with pytest.raises(NotShared):
            world.shares.change(user, job_id, NOW, {"share_name": True})
    world.shares.revoke(user, job_id, NOW)
    world.put(job_id, document(user, short_id=short_id))
    assert leads_nowhere(world, short_id)


def test_an_ended_link_whose_document_names_no_job_is_not_shared(
    database: firestore.Client, user: str, shared_in_firestore: tuple[str, str]
) -> None:
    job_id, short_id = shared_in_firestore
    database.collection("short_links").document(short_id).set({"ended_at": NOW})
    with pytest.raises(NotShared):
        FirestoreWorld(database).shares.change(user, job_id, NOW, {"share_name": True})


def test_a_limited_link_ends_although_an_older_copy_knows_no_limit(world: World, user: str) -> None:
    job_id, end = new_id(), NOW + timedelta(hours=1)
    world.put(job_id, document(user))
    short_id = str(world.shares.renew(user, job_id, NOW, end).short_id)
    world.put(job_id, {**world.read(job_id), "share_expires_at": None})
    with pytest.raises(NoSuchVideo):
        world.shares.resolve(short_id, end)
    world.shares.change(user, job_id, NOW, {"share_expires_at": None})
    assert world.shares.resolve(short_id, end).job.id == job_id


@pytest.mark.parametrize("longer", [None, timedelta(hours=1)])
def test_a_link_that_is_given_longer_does_not_end_although_an_older_copy_says_so(
    world: World, user: str, shared: tuple[str, str], longer: timedelta | None
) -> None:
    job_id, short_id = shared
    end = NOW + timedelta(hours=1)
    new_end = end + longer if longer else None
    world.shares.change(user, job_id, NOW, {"share_expires_at": end})
    copy = dict(world.read(job_id))
    world.shares.change(user, job_id, NOW, {"share_expires_at": new_end})
    world.put(job_id, dict(copy))
    assert world.shares.resolve(short_id, end).job.id == job_id
    assert world.shares.change(user, job_id, end, {"share_expires_at": new_end}).share_expires_at == new_end
    world.put(job_id, dict(copy))
    assert job_id not in set(world.expiries.end_due(end, 1000))
    assert (world.read(job_id)["short_id"], world.read(job_id).get("share_expires_at")) == (short_id, new_end)
    assert world.shares.resolve(short_id, end).job.id == job_id
    if new_end:
        with pytest.raises(NoSuchVideo):
            world.shares.resolve(short_id, new_end)
        assert job_id in set(world.expiries.end_due(new_end, 1000))


@pytest.mark.parametrize("job_id", ["job.1", "cost", "__job__"])
def test_a_job_that_nobody_can_ask_for_is_not_shown_to_strangers_either(
    world: World, user: str, job_id: str
) -> None:
    short_id = new_short_id(8)
    if not (job_id.startswith("__") and isinstance(world, FirestoreWorld)):  # Firestore has no such documents
        world.put(job_id, document(user, short_id=short_id))
    assert leads_nowhere(world, short_id)


@pytest.mark.parametrize(
    "short_id", ["", "25CA1D0F", "25ca1d0", "25ca1d0g", "../../jobs", "a" * 33, "25ca1d0f\n", "٢" * 8]
)
def test_what_could_be_no_short_id_leads_nowhere(world: World, short_id: str) -> None:
    assert leads_nowhere(world, short_id)


@pytest.mark.parametrize("job_id", [None, 7, "", "a/b", "__x__", "no-such-job"])
def test_a_damaged_link_leads_nowhere(world: World, job_id: object) -> None:
    short_id = new_short_id(8)
    world.put_link(short_id, job_id)
    assert leads_nowhere(world, short_id)


def test_an_unknown_link_leads_nowhere(world: World) -> None:
    assert leads_nowhere(world, new_short_id(8))


def test_a_new_link_ends_the_one_before(world: World, user: str, shared: tuple[str, str]) -> None:
    job_id, before = shared
    after = world.shares.renew(user, job_id, NOW, None).short_id
    assert after
    assert after != before
    assert world.shares.resolve(after, NOW).job.id == job_id
    assert leads_nowhere(world, before)


def test_a_job_without_a_link_gets_its_first(world: World, user: str) -> None:
    job_id = new_id()
    world.put(job_id, document(user))
    short_id = world.shares.renew(user, job_id, NOW, None).short_id
    assert short_id
    assert world.shares.resolve(short_id, NOW).job.id == job_id


def test_an_ended_link_leads_nowhere_until_the_owner_asks_for_a_new_one(
    world: World, user: str, shared: tuple[str, str]
) -> None:
    job_id, short_id = shared
    assert world.shares.revoke(user, job_id, NOW).short_id is None
    assert leads_nowhere(world, short_id)
    assert (world.read(job_id)["short_id"], world.read(job_id)["share_revoked_at"]) == (None, NOW)

    world.shares.revoke(user, job_id, NOW + timedelta(hours=1))
    assert world.read(job_id)["share_revoked_at"] == NOW

    renewed = world.shares.renew(user, job_id, NOW, None).short_id
    assert renewed
    assert world.shares.resolve(renewed, NOW).job.id == job_id
    assert world.read(job_id)["share_revoked_at"] is None
    assert leads_nowhere(world, short_id)


def test_a_job_under_way_can_be_kept_from_ever_having_a_link(world: World, user: str) -> None:
    job_id = new_id()
    world.put(job_id, document(user, status="processing"))
    world.shares.revoke(user, job_id, NOW)
    assert world.read(job_id)["share_revoked_at"] == NOW


@pytest.mark.parametrize("status", ["processing", "failed", None])
def test_only_a_completed_job_gets_a_link(world: World, user: str, status: str | None) -> None:
    job_id = new_id()
    world.put(job_id, document(user, status=status))
    with pytest.raises(NotCompleted):
        world.shares.renew(user, job_id, NOW, None)


@pytest.mark.parametrize("kind", ["unknown", "foreign", "deleted"])
def test_the_link_of_what_is_not_the_users_cannot_be_changed(world: World, user: str, kind: str) -> None:
    job_id = new_id()
    if kind != "unknown":
        world.put(job_id, deleted(user) if kind == "deleted" else document("somebody-else"))
    with pytest.raises(NotFound):
        world.shares.renew(user, job_id, NOW, None)
    with pytest.raises(NotFound):
        world.shares.revoke(user, job_id, NOW)


def test_a_job_gets_ten_new_links_at_once_and_then_one_each_hour(world: World, user: str) -> None:
    job_id = new_id()
    world.put(job_id, document(user))
    given = [world.shares.renew(user, job_id, NOW, None).short_id for _ in range(10)]
    assert len(set(given)) == 10
    waits = []
    for later in (timedelta(), timedelta(minutes=59, seconds=30)):
        with pytest.raises(TooManyRequests) as caught:
            world.shares.renew(user, job_id, NOW + later, None)
        waits.append((caught.value.headers["Retry-After"], caught.value.detail.rpartition(" in ")[2]))
    assert waits == [("3600", "60 minutes."), ("30", "a minute.")]
    assert world.read(job_id)["short_id"] == given[-1], "a refusal leaves the link as it is"
    assert world.shares.renew(user, job_id, NOW + timedelta(hours=1), None).short_id
    with pytest.raises(TooManyRequests):
        world.shares.renew(user, job_id, NOW + timedelta(hours=1, minutes=1), None)
    for _ in range(10):
        world.shares.renew(user, job_id, NOW + timedelta(days=2), None)


def test_ending_links_in_between_gives_a_job_no_more_of_them(world: World, user: str) -> None:
    job_id = new_id()
    world.put(job_id, document(user))
    for _ in range(10):
        world.shares.renew(user, job_id, NOW, None)
        world.shares.revoke(user, job_id, NOW)
    with pytest.raises(TooManyRequests):
        world.shares.renew(user, job_id, NOW, None)
    assert world.shares.revoke(user, job_id, NOW).short_id is None
    other = new_id()
    world.put(other, document(user))
    assert world.shares.renew(user, other, NOW, None).short_id, "another job has links of its own"


@pytest.mark.parametrize("found", ["soon", 7, None, NOW - timedelta(days=365), NOW + timedelta(days=365)])
def test_whatever_a_document_says_the_next_link_is_an_hour_away_at_most(
    world: World, user: str, found: object
) -> None:
    job_id = new_id()
    world.put(job_id, document(user, share_renewals_until=found))
    if found == NOW + timedelta(days=365):
        with pytest.raises(TooManyRequests) as caught:
            world.shares.renew(user, job_id, NOW, None)
        assert caught.value.headers["Retry-After"] == "3600"
        world.put(job_id, document(user, share_renewals_until=NOW + timedelta(hours=9)))
    assert world.shares.renew(user, job_id, NOW, None).short_id


@pytest.fixture
def ids(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Short ids to hand out next. Once it is empty, ids are new again."""
    planned: list[str] = []
    made = new_short_id

    def next_one(length: int) -> str:
        return planned.pop(0) if planned else made(length)

    monkeypatch.setattr(short_links, "new_short_id", next_one)
    return planned


def test_an_id_that_is_taken_is_passed_over(
    database: firestore.Client, user: str, ids: list[str], shared_in_firestore: tuple[str, str]
) -> None:
    taken_by, taken = shared_in_firestore
    ids += [taken, taken]
    job_id = new_id()
    database.collection("jobs").document(job_id).set(document(user))
    short_id = Shares(database, 8).renew(user, job_id, NOW, None).short_id
    assert short_id not in (None, taken)
    assert Shares(database, 8).resolve(taken, NOW).job.id == taken_by


def test_where_every_id_is_taken_nothing_is_called_unreachable(
    database: firestore.Client, user: str, ids: list[str], shared_in_firestore: tuple[str, str]
) -> None:
    ids += [shared_in_firestore[1]] * 8
    job_id = new_id()
    database.collection("jobs").document(job_id).set(document(user))
    with pytest.raises(Contended) as caught:
        Shares(database, 8).renew(user, job_id, NOW, None)
    assert caught.value.detail == "All the short ids that were tried are taken. Please try again shortly."


def test_of_many_renewals_at_once_no_more_than_ten_are_given(
    database: firestore.Client, user: str, shared_in_firestore: tuple[str, str]
) -> None:
    job_id, _ = shared_in_firestore
    functions = [Shares(database, 8) for _ in range(3)]

    def renew(number: int) -> bool:
        try:
            return bool(functions[number % 3].renew(user, job_id, NOW, None).short_id)
        except (TooManyRequests, Contended):
            return False

    with ThreadPoolExecutor(3) as threads:
        given = list(threads.map(renew, range(40)))
    links = database.collection("short_links").where(filter=FieldFilter("job_id", "==", job_id)).get()
    assert sum(given) == 10
    assert len(links) == 11, "and the one from before"


def test_a_link_is_made_with_the_jobs_change_or_not_at_all(database: firestore.Client, user: str) -> None:
    job = database.collection("jobs").document(new_id())
    job.set(document(user, status="processing"))
    before = job.get()
    job.update({"status": "failed"})
    links = database.collection("short_links").where(filter=FieldFilter("job_id", "==", job.id))
    with pytest.raises(FailedPrecondition):
        link_for(database, before, {"status": "completed"}, 8)
    assert (read(database, job.id)["status"], links.get()) == ("failed", [])

    short_id = link_for(database, job.get(), {"status": "completed"}, 16)
    fields = read(database, job.id)
    assert (fields["status"], fields["short_id"], len(short_id)) == ("completed", short_id, 16)
    assert [link.id for link in links.get()] == [short_id]


def test_of_many_renewals_at_once_one_link_is_left(
    database: firestore.Client, user: str, shared_in_firestore: tuple[str, str]
) -> None:
    job_id, _ = shared_in_firestore
    shares = Shares(database, 8)
    with ThreadPoolExecutor(4) as threads:
        given = list(threads.map(lambda _: shares.renew(user, job_id, NOW, None).short_id, range(4)))
    good = []
    for short_id in given:
        try:
            good.append(shares.resolve(str(short_id), NOW).short_id)
        except NoSuchVideo:
            continue
    assert good == [read(database, job_id)["short_id"]]


def test_the_link_of_a_job_without_room_ends_too_when_its_time_has_come(
    database: firestore.Client, user: str
) -> None:
    job_id, long_ago = new_id(), NOW - timedelta(days=301)
    fields = document(user, short_id=new_short_id(8), share_expires_at=long_ago)
    assert "share_revoked_at" not in fields
    fill(database, job_id, fields)
    expiries = Expiries(database)
    assert job_id in set(expiries.end_due(long_ago, 1000))
    assert job_id not in set(expiries.end_due(NOW, 1000))
    assert read(database, job_id)["share_revoked_at"] == long_ago


def test_a_job_without_a_link_only_loses_its_end(world: World, user: str) -> None:
    long_ago = NOW - timedelta(days=302)
    without = {new_id(): document(user, short_id=short_id) for short_id in (None, "")}
    for job_id, fields in without.items():
        world.put(job_id, {**fields, "share_expires_at": long_ago})
    assert not without.keys() & set(world.expiries.end_due(long_ago, 1000))
    assert {job_id: world.read(job_id) for job_id in without} == without


def test_a_full_document_without_a_link_keeps_no_other_link_from_its_end(
    database: firestore.Client, user: str
) -> None:
    full, other, long_ago = new_id(), new_id(), NOW - timedelta(days=303)
    fill(database, full, {"user_id": user, "share_expires_at": long_ago})
    world = FirestoreWorld(database)
    world.put(other, document(user, short_id=new_short_id(8), share_expires_at=long_ago + timedelta(hours=1)))
    assert other in set(world.expiries.end_due(long_ago + timedelta(hours=1), 1000))
    assert "share_expires_at" not in read(database, full)


def test_documents_that_take_no_change_keep_no_other_link_from_its_end(
    database: firestore.Client, user: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    odd, other, long_ago = [new_id(), new_id(), new_id()], new_id(), NOW - timedelta(days=304)
    world = FirestoreWorld(database)
    for one in odd:
        world.put(one, document(user, short_id=new_short_id(8), share_expires_at=long_ago))
    world.put(other, document(user, short_id=new_short_id(8), share_expires_at=long_ago + timedelta(hours=1)))

    def refused(client: firestore.Client, snapshot: Any, *changes: Any) -> None:
        if snapshot.id in odd:
            raise InvalidArgument("no room")
        short_links.update_with_link(client, snapshot, *changes)

    monkeypatch.setattr(expiry, "update_with_link", refused)
    assert list(world.expiries.end_due(long_ago + timedelta(hours=1), 1)) == [other]
    assert caplog.messages == ["link_not_ended"] * 3


def test_a_run_passes_over_only_so_many_documents_that_take_no_change(
    database: firestore.Client, user: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    long_ago = NOW - timedelta(days=305)
    world = FirestoreWorld(database)
    for _ in range(5):
        world.put(new_id(), document(user, short_id=new_short_id(8), share_expires_at=long_ago))
    monkeypatch.setattr(expiry, "PASSED_OVER", 2)
    with monkeypatch.context() as patched:
        patched.setattr(expiry, "update_with_link", Mock(side_effect=InvalidArgument("no room")))
        assert list(world.expiries.end_due(long_ago, 1000)) == []
    assert caplog.messages == ["link_not_ended"] * 2
    assert len(list(world.expiries.end_due(long_ago, 1000))) == 5


def test_a_job_without_room_says_so_when_it_is_renamed_or_shared(database: firestore.Client, user: str) -> None:
    job_id = new_id()
    fill(database, job_id, document(user))
    before = read(database, job_id)
    shares = Shares(database, 8)
    with pytest.raises(JobFull):
        Renaming(database).rename(user, job_id, "No room")
    with pytest.raises(JobFull):
        shares.renew(user, job_id, NOW, None)
    with pytest.raises(JobFull):
        shares.revoke(user, job_id, NOW)
    assert read(database, job_id) == before


def test_a_link_shows_nothing_from_its_end_on(world: World, user: str, shared: tuple[str, str]) -> None:
    job_id, short_id = shared
    end = NOW + timedelta(days=1)
    assert world.shares.change(user, job_id, NOW, {"share_expires_at": end}).share_expires_at == end
    assert world.shares.resolve(short_id, end - timedelta(microseconds=1)).job.id == job_id
    with pytest.raises(NoSuchVideo):
        world.shares.resolve(short_id, end)
    with pytest.raises(NotShared):
        world.shares.change(user, job_id, end, {"share_expires_at": None})
    with pytest.raises(NotFound):
        world.shares.change("somebody-else", job_id, NOW, {"share_expires_at": None})
    assert world.shares.change(user, job_id, NOW, {"share_expires_at": None}).share_expires_at is None
    renewed = world.shares.renew(user, job_id, NOW, end)
    assert (renewed.share_expires_at, world.read(job_id)["share_expires_at"]) == (end, end)
    assert world.shares.renew(user, job_id, NOW, None).share_expires_at is None


def test_links_whose_time_has_come_end_once_and_for_good(world: World, user: str) -> None:
    long_ago = NOW - timedelta(days=300)
    due, dead, later = new_id(), new_id(), new_id()
    ids = {job_id: new_short_id(8) for job_id in (due, dead, later)}
    world.put(due, document(user, short_id=ids[due], share_expires_at=long_ago))
    world.put(dead, deleted(user, short_id=ids[dead], share_expires_at=long_ago))
    world.put(later, document(user, short_id=ids[later], share_expires_at=long_ago + timedelta(days=1)))
    assert {due, dead} <= set(world.expiries.end_due(long_ago, 1000))
    assert not {due, dead, later} & set(world.expiries.end_due(long_ago, 1000))
    for job_id in (due, dead):
        after = world.read(job_id)
        assert (after["short_id"], after["share_revoked_at"]) == (None, long_ago)
        assert "share_expires_at" not in after
    assert world.read(later)["short_id"] == ids[later]
    set(world.expiries.end_due(NOW, 1000))
    world.put(new_id(), document(user, short_id=ids[due], share_revoked_at=None))
    with pytest.raises(NoSuchVideo):
        world.shares.resolve(ids[due], NOW)


def test_a_link_shows_the_jobs_name_only_while_its_owner_wishes(
    world: World, user: str, shared: tuple[str, str]
) -> None:
    job_id, short_id = shared
    world.put(job_id, document(user, short_id=short_id, name="First try"))
    assert world.shares.resolve(short_id, NOW).job.name is None
    assert "share_name" not in world.read(job_id)
    assert world.shares.change(user, job_id, NOW, {"share_name": True}).share_name
    assert world.shares.resolve(short_id, NOW).job.name == "First try"
    renewed = str(world.shares.renew(user, job_id, NOW, None).short_id)
    assert world.shares.resolve(renewed, NOW).job.name == "First try", "the wish is the job's"
    assert not world.shares.change(user, job_id, NOW, {"share_name": False}).share_name
    assert world.shares.resolve(renewed, NOW).job.name is None
    world.shares.revoke(user, job_id, NOW)
    with pytest.raises(NotShared):
        world.shares.change(user, job_id, NOW, {"share_name": True})


def test_a_worker_who_saves_an_older_copy_shows_no_name_that_its_owner_took_away(
    world: World, user: str, shared: tuple[str, str]
) -> None:
    job_id, short_id = shared
    world.put(job_id, document(user, short_id=short_id, name="First try"))
    world.shares.change(user, job_id, NOW, {"share_name": True})
    copy = dict(world.read(job_id))
    world.shares.change(user, job_id, NOW, {"share_name": False})
    world.put(job_id, dict(copy))
    assert world.shares.resolve(short_id, NOW).job.name is None
    assert world.shares.change(user, job_id, NOW, {"share_name": True}).share_name
    assert world.shares.resolve(short_id, NOW).job.name == "First try"
    world.shares.change(user, job_id, NOW, {"share_name": False})
    world.put(job_id, dict(copy))

    renewed = world.shares.renew(user, job_id, NOW, None)
    assert not renewed.share_name, "what the owner is told is what the link shows"
    world.put(job_id, {**copy, "short_id": renewed.short_id})
    assert world.shares.resolve(str(renewed.short_id), NOW).job.name is None


@pytest.mark.parametrize("ends", ["revoked", "expired", "come back"])
def test_a_name_stays_hidden_after_an_older_copys_link_has_ended(
    world: World, user: str, shared: tuple[str, str], ends: str
) -> None:
    job_id, short_id = shared
    end = NOW + timedelta(hours=1)
    world.put(job_id, document(user, short_id=short_id, name="First try"))
    world.shares.change(user, job_id, NOW, {"share_name": True, "share_expires_at": end})
    copy = dict(world.read(job_id))
    world.shares.change(user, job_id, NOW, {"share_name": False})
    world.put(job_id, dict(copy))
    if ends == "revoked":
        world.shares.revoke(user, job_id, NOW)
    elif ends == "expired":
        assert job_id in set(world.expiries.end_due(end, 1000))
    else:
        world.put(job_id, {**copy, "share_expires_at": None})
        with pytest.raises(NotShared):
            world.shares.change(user, job_id, end, {"share_name": True})
    renewed = world.shares.renew(user, job_id, end, None)
    assert not renewed.share_name
    assert world.shares.resolve(str(renewed.short_id), end).job.name is None


@pytest.mark.parametrize("ends", ["revoked", "expired"])
def test_the_wish_of_another_jobs_link_is_not_kept(
    world: World, user: str, shared: tuple[str, str], ends: str
) -> None:
    _, short_id = shared
    end = NOW + timedelta(hours=1)
    world.shares.change(user, shared[0], NOW, {"share_name": True})
    other = new_id()
    world.put(other, document(user, short_id=short_id, share_expires_at=end, share_name=False))
    if ends == "revoked":
        world.shares.revoke(user, other, end)
    else:
        assert other in set(world.expiries.end_due(end, 1000))
    assert not world.shares.renew(user, other, end, None).share_name
    assert world.shares.resolve(short_id, end).job.id == shared[0]


@pytest.mark.parametrize("wishes", [{"share_name": True}, {"share_name": False, "share_expires_at": None}])
def test_a_job_with_the_short_id_of_another_jobs_link_loses_it_and_gets_a_link_of_its_own(
    world: World, user: str, shared: tuple[str, str], wishes: dict[str, Any]
) -> None:
    job_id, short_id = shared
    other = new_id()
    world.put(other, document(f"{user}-2", short_id=short_id, share_name=False, share_expires_at=None))
    with pytest.raises(NotShared):
        world.shares.change(f"{user}-2", other, NOW, wishes)
    assert world.repository.get(f"{user}-2", other).share_url("https://nuumee.ai") is None
    own = str(world.shares.renew(f"{user}-2", other, NOW, None).short_id)
    assert world.shares.resolve(own, NOW).job.id == other
    assert world.shares.change(user, job_id, NOW, {"share_name": False}).short_id == short_id
    assert world.shares.resolve(short_id, NOW).job.id == job_id


@pytest.mark.parametrize("damaged", ["yes", 1, None])
def test_what_is_no_wish_shows_no_name(world: World, user: str, shared: tuple[str, str], damaged: object) -> None:
    job_id, short_id = shared
    world.put(job_id, document(user, short_id=short_id, name="First try", share_name=damaged))
    assert world.shares.resolve(short_id, NOW).job.name is None
