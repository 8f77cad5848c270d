"""Each function does its work as its account: with what the table of functions lets that do, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest

from infra.functions import Function, Role, table
from infra.local.objects import VersionedStorage
from shared.settings import EMULATOR_VARIABLES
from tests.accounts import StorageAs, TopicAs, needed, permissions
from tests.enumerated import FOUND
from tests.fakes import SETTINGS, FakeServices
from tests.faults import Trouble
from tests.integration.faults.grpc_proxy import serving
from tests.jobs import NOW
from tests.read_only_firestore import ReadOnlyFirestore
from tests.storages import a_storage
from tests.unit.functions.stories import DOCUMENTS, Story, stories
from tests.unit.infra.who_may_what import FIRESTORE, parts

pytestmark = pytest.mark.slow  # plays every story of every function

FUNCTIONS = table().functions
VIEWER = Role("roles/datastore.viewer", "project")
IN_STORAGE = {"buckets", "outputs", "pictures"}
VIEWERS = sorted(name for name, function in FUNCTIONS.items() if VIEWER in function.roles)


@dataclass
class Deeds:
    """What a function did in its stories."""

    used: set[str] = field(default_factory=set)
    """Permissions on buckets, and topics."""
    refused: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    """Calls of Firestore, if its account may only read."""


def told(function: Function, told_stories: list[Story]) -> Deeds:
    """Let the function act in each story as its account."""
    deeds = Deeds()
    for story in told_stories:
        with ExitStack() as ends:
            _tell(story, function, deeds, ends)
    return deeds


def _tell(story: Story, function: Function, deeds: Deeds, ends: ExitStack) -> None:
    held = VersionedStorage()
    held.now = lambda: NOW
    client = ends.enter_context(a_storage(Trouble(), SETTINGS.buckets, held))
    services = FakeServices()
    for part in ("media", "objects", "retention"):
        del services.__dict__[part]  # the real ones, on this client
    services.__dict__["storage"] = client
    acting = story(services)
    next(acting)
    StorageAs(function, client, SETTINGS, deeds.used, deeds.refused)
    for part, reached in parts().items():
        if len(reached) == 1 and (topic := min(reached)).endswith("_topic"):
            services.__dict__[part] = TopicAs(function, topic, deeds.used, deeds.refused)
        if VIEWER in function.roles and FIRESTORE in reached:
            services.__dict__.pop(part, None)  # the real one, on the Firestore below
    firestore = ReadOnlyFirestore(SETTINGS.project, DOCUMENTS, deeds.read, deeds.refused)
    patch = ends.enter_context(pytest.MonkeyPatch.context())
    patch.setenv("FIRESTORE_EMULATOR_HOST", ends.enter_context(serving(firestore)))
    assert next(acting, None) is None


@pytest.fixture(scope="module")
def deeds() -> Iterator[Mapping[str, Deeds]]:
    with pytest.MonkeyPatch.context() as patch:
        for name in EMULATOR_VARIABLES:
            patch.delenv(name, raising=False)
        yield {name: told(FUNCTIONS[name], stories(name)) for name in FOUND}


@pytest.mark.parametrize("name", FOUND)
def test_a_function_is_refused_nothing_that_its_work_takes(name: str, deeds: Mapping[str, Deeds]) -> None:
    assert deeds[name].refused == []


@pytest.mark.parametrize("name", VIEWERS)
def test_a_function_that_may_only_read_firestore_reads_it_and_writes_nothing(
    name: str, deeds: Mapping[str, Deeds]
) -> None:
    assert deeds[name].read
    assert deeds[name].refused == []


@pytest.mark.parametrize("name", FOUND)
def test_a_function_publishes_to_the_topics_of_its_roles_and_to_no_others(
    name: str, deeds: Mapping[str, Deeds]
) -> None:
    may = {role.on for role in FUNCTIONS[name].roles if role.name == "roles/pubsub.publisher"}
    assert {one for one in deeds[name].used if one.endswith("_topic")} == may


@pytest.mark.parametrize("name", FOUND)
def test_a_function_may_do_nothing_in_the_buckets_that_its_work_does_not_take(
    name: str, deeds: Mapping[str, Deeds]
) -> None:
    function = FUNCTIONS[name]
    may = set().union(*(permissions(role.name) for role in function.roles if role.on in IN_STORAGE))
    # One that signs as itself lends its own permissions to whoever has the URL.
    assert may <= deeds[name].used | ({"storage.objects.get"} if function.signs else set())


@pytest.mark.parametrize(
    ("name", "roles", "refused"),
    [
        ("purge_job", [Role("roles/storage.objectViewer", "buckets")], "DELETE"),
        ("restore_job", [Role("nuumeeJobsRemover", "buckets")], "storage.objects.restore"),
        ("make_posters", [Role("nuumeeJobsPictureWriter", "pictures")], "storage.objects.get"),
        ("make_posters", [Role("roles/storage.objectViewer", "buckets")], "storage.objects.create"),
        ("share_job", [VIEWER], "Commit"),
        ("rename_job", [VIEWER], "Commit"),
        ("share_video", [VIEWER, Role("roles/storage.objectViewer", "outputs")], "publish to video_viewed_topic"),
        ("delete_job", [], "publish to job_deleted_topic"),
        ("sweep_purges", [], "publish to object_finalized_topic"),
    ],
)
def test_an_account_without_a_role_is_refused(name: str, roles: list[Role], refused: str) -> None:
    function, found = replace(FUNCTIONS[name], roles=tuple(roles)), Deeds()
    for story in stories(name):
        with ExitStack() as ends:
            try:
                _tell(story, function, found, ends)
            except Exception:
                assert found.refused  # the story ends badly, because of that
    assert refused in " ".join(found.refused)


@pytest.mark.parametrize(
    ("method", "path", "takes", "if_there", "if_not"),
    [
        ("GET", "storage/v1/b/b", {"storage.buckets.get"}, set(), set()),
        ("GET", "storage/v1/b/b/o?prefix=a", {"storage.objects.list"}, set(), set()),
        ("GET", "storage/v1/b/b/o/o", {"storage.objects.get"}, set(), {"storage.objects.list"}),
        ("GET", "download/storage/v1/b/b/o/o?alt=media", {"storage.objects.get"}, set(), {"storage.objects.list"}),
        ("DELETE", "storage/v1/b/b/o/a%2Fo", {"storage.objects.delete"}, set(), set()),
        ("POST", "upload/storage/v1/b/b/o?name=o", {"storage.objects.create"}, {"storage.objects.delete"}, set()),
        (
            *("POST", "storage/v1/b/b/o/o/restore", {"storage.objects.create", "storage.objects.restore"}),
            *({"storage.objects.delete"}, set()),
        ),
    ],
)
def test_what_a_request_takes_is_known(
    method: str, path: str, takes: set[str], if_there: set[str], if_not: set[str]
) -> None:
    url = f"http://127.0.0.1:1/{path}"
    assert needed(method, url, is_there=True) == takes | if_there
    assert needed(method, url, is_there=False) == takes | if_not


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/storage/v1/b/b"), ("POST", "/batch/storage/v1")])
def test_a_request_that_nobody_knows_is_no_permission_at_all(method: str, path: str) -> None:
    with pytest.raises(AssertionError, match="known to nobody"):
        needed(method, f"http://127.0.0.1:1{path}", is_there=False)
