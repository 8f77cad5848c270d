"""What the table of functions may contain, and how an invalid table is refused."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from infra import functions
from infra.functions import EVERY_MINUTE, FILE, TOPICS, Role, Route, TableError, read, table
from shared.messaging.subscriber import Subscriber
from shared.settings import Settings
from tests.enumerated import FOUND

TEXT = FILE.read_text()
STUB = """
[functions.stub_it]
routes = ["GET /stub"]
roles.project = ["roles/datastore.viewer"]
"""


def stub(line: str, instead: str) -> str:
    """The table with one more row, in which one line is replaced."""
    assert line in STUB
    return TEXT + STUB.replace(line, instead)


def test_a_row_has_what_it_says_and_for_the_rest_the_defaults() -> None:
    text = stub("routes", "timeout = 5\nroles.buckets = ['roles/a.b']\nroutes")
    one = read(text).functions["stub_it"]
    assert (one.memory, one.cpu, one.concurrency, one.timeout) == ("512Mi", 1, 16, 5)
    assert (one.routes, one.topic) == ((Route("GET", "/stub"),), None)
    assert (one.public, one.signs, one.retry) == (False, False, False)
    assert one.roles == (Role("roles/a.b", "buckets"), Role("roles/datastore.viewer", "project"))
    assert (one.account, one.threads) == ("stub-it", 16)


def test_each_background_function_knows_the_name_of_its_subscription() -> None:
    known = {name: one.subscription for name, one in FOUND.items() if isinstance(one, Subscriber)}
    assert known == {name: one.account for name, one in table().functions.items() if one.topic}


def test_a_function_has_at_least_two_threads() -> None:
    assert {one.threads for one in table().functions.values() if one.concurrency == 1} == {2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("functions = [", "it is no TOML"),
        (TEXT.replace("[defaults]", "[default]"), "the file has default, which means nothing there"),
        ("[custom_roles]\n[defaults]\n[functions]", "the file has no events"),
        (
            TEXT.replace("[custom_roles.nuumeeJobsRemover]", "[custom_roles.remover]"),
            "remover is no custom role's id",
        ),
        (
            TEXT.replace(
                "[custom_roles.nuumeeJobsRemover]", "[custom_roles]\nnuumeeJobsA = 1\n[custom_roles.nuumeeJobsB]"
            ),
            "nuumeeJobsA is no table",
        ),
        (TEXT.replace("title =", "titel ="), "nuumeeJobsRemover has titel, which means nothing there"),
        (
            TEXT.replace('title = "NuuMee Jobs: removes objects"', 'title = ""'),
            "nuumeeJobsRemover has title = '', which is not a title of at most 100",
        ),
        (TEXT.replace('"storage.buckets.get"', '"get"'), 'which is not a list such as ["storage.objects.get"]'),
        (
            stub("roles/datastore.viewer", "nuumeeJobsOwner"),
            "stub_it has the role nuumeeJobsOwner, which custom_roles does not have",
        ),
        (TEXT.replace('memory = "512Mi"', ""), "defaults has no memory"),
        (
            TEXT.replace('memory = "512Mi"', "memory = 512"),
            "defaults has memory = 512, which is not a size such as",
        ),
        (
            TEXT.replace("attempts = 5", "attempts = 4"),
            "events has attempts = 4, which is not a whole number from 5",
        ),
        (TEXT.replace("ack_deadline = 600", "ack_deadline = 601"), "events has ack_deadline = 601, which is not"),
        (TEXT.replace('"every-minute"', '"a/b"'), "events has every_minute_topic = 'a/b', which is not a topic's"),
        (stub("stub_it", "stub"), "stub is no name of 6 to 30 small letters"),
        (stub("stub_it", "stub-it"), "stub-it is no name of 6 to 30 small letters"),
        (stub("stub_it", "a" * 31), "a is no name of 6 to 30 small letters"),
        (TEXT.replace("[functions.list_jobs]", "[functions]\nlisted = 1\n[functions.list_jobs]"), "listed is no"),
        (stub("routes", "memry = '1Gi'\nroutes"), "stub_it has memry, which means nothing there"),
        (stub('routes = ["GET /stub"]', ""), "stub_it has no routes"),
        (stub('["GET /stub"]', "[]"), "stub_it has routes = [], which is not a list such as"),
        (stub("GET /stub", "get /stub"), "stub_it has routes = ['get /stub'], which is not a list such as"),
        (stub("GET /stub", "GET stub"), "stub_it has routes = ['GET stub'], which is not a list such as"),
        (stub("GET /stub", "GET /jobs"), "list_jobs and stub_it both answer GET /jobs"),
        (stub("routes", "public = 1\nroutes"), "stub_it has public = 1, which is not true or false"),
        (stub("routes", "signs = 'yes'\nroutes"), "stub_it has signs = 'yes', which is not true or false"),
        (stub("routes", "retry = true\nroutes"), "stub_it has retry, which means nothing there"),
        (stub("routes", "topic = 'job_deleted_topic'\nroutes"), "stub_it has routes, which means nothing there"),
        (stub('routes = ["GET /stub"]', "topic = 'job_deleted_topic'"), "stub_it has no retry"),
        (
            stub('routes = ["GET /stub"]', "topic = 'job-deleted'\nretry = true"),
            f"stub_it has topic = 'job-deleted', which is not one of {', '.join(TOPICS)}",
        ),
        (stub("routes", "cpu = 0\nroutes"), "stub_it has cpu = 0, which is not a whole number from 1 to 8"),
        (stub("routes", "cpu = true\nroutes"), "stub_it has cpu = True, which is not a whole number"),
        (stub("routes", "concurrency = 1001\nroutes"), "stub_it has concurrency = 1001, which is not"),
        (stub("routes", "timeout = '30s'\nroutes"), "stub_it has timeout = '30s', which is not a whole number"),
        (stub('roles.project = ["roles/datastore.viewer"]', ""), "stub_it has no roles"),
        (
            stub('roles.project = ["roles/datastore.viewer"]', "roles = {}"),
            "stub_it has roles = {}, which is not a",
        ),
        (stub('["roles/datastore.viewer"]', "[]"), "stub_it has roles = {'project': []}, which is not a list"),
        (stub('["roles/datastore.viewer"]', "'roles/a.b'"), "stub_it has roles = {'project': 'roles/a.b'}, which"),
        (
            stub("roles/datastore.viewer", "owner"),
            "stub_it has roles = {'project': ['owner']}, which is not a list",
        ),
        (stub("roles.project", "roles.projects"), "stub_it has roles = {'projects': ['roles/datastore.viewer']}"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(TableError) as refused:
        read(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_topic_of_the_settings_is_known_and_has_a_function() -> None:
    settings = Settings(project="p", allowed_origins=())
    named = {name: table().topic_name(name, settings) for name in TOPICS}
    assert named == {
        "job_deleted_topic": settings.job_deleted_topic,
        "job_restored_topic": settings.job_restored_topic,
        "jobs_erased_topic": settings.jobs_erased_topic,
        "object_finalized_topic": settings.object_finalized_topic,
        "video_viewed_topic": settings.video_viewed_topic,
        EVERY_MINUTE: "every-minute",
    }
    assert {function.topic for function in table().functions.values()} == {*TOPICS, None}


def test_all_events_are_tried_again_but_views_and_those_that_a_minutes_sweep_makes_up_for() -> None:
    for function in table().functions.values():
        assert function.retry == (
            function.topic not in (None, EVERY_MINUTE, "video_viewed_topic", "jobs_erased_topic")
        )


def test_an_older_python_gets_as_far_as_to_be_told_so() -> None:
    ast.parse(Path(functions.__file__).read_text(), feature_version=(3, 8))


def test_a_run_that_removes_objects_is_over_when_a_restore_counts_it_as_killed() -> None:
    removing = ("purge_job", "process_upload")
    assert max(table().functions[name].timeout for name in removing) == Settings.longest_run.total_seconds()
