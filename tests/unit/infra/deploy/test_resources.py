"""What the functions need: topics, dead letters, roles, indexes, notifications and the schedule."""

from __future__ import annotations

import json

import pytest

from infra.functions import table
from shared.settings import dead_letters
from tests.unit.infra.deploy.checkout import (
    DEFAULTS,
    REQUIRED,
    RETRIED,
    TOPICS,
    Checkout,
    Command,
    deployed,
    option,
    those,
)


def test_every_topic_is_made(commands: list[Command]) -> None:
    made = [command[3] for command in those(commands, "pubsub", "topics", "create")]
    assert sorted(made) == sorted({*TOPICS.values(), *(dead_letters(TOPICS[function]) for function in RETRIED)})


@pytest.mark.parametrize("function", RETRIED)
def test_what_cannot_be_processed_is_kept_for_a_week(function: str, commands: list[Command]) -> None:
    dead = dead_letters(TOPICS[function])
    subscription = f"SUBSCRIPTION_OF_{function}"
    assert those(commands, "pubsub", "topics", "create", dead)
    (kept,) = those(commands, "pubsub", "subscriptions", "create", dead)
    assert {f"--topic={dead}", "--message-retention-duration=7d", "--expiration-period=never"} <= set(kept)
    assert option(kept, "--ack-deadline") == option(deployed(commands, "sweep_purges"), "--timeout").removesuffix(
        "s"
    )

    (_, update) = those(commands, "pubsub", "subscriptions", "update", subscription)
    assert {f"--dead-letter-topic={dead}", f"--max-delivery-attempts={table().attempts}"} <= set(update)

    agent = "--member=serviceAccount:service-PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com"
    publisher, *_ = those(commands, "pubsub", "topics", "add-iam-policy-binding", dead)
    (subscriber,) = those(commands, "pubsub", "subscriptions", "add-iam-policy-binding", subscription)
    assert {agent, "--role=roles/pubsub.publisher"} <= set(publisher)
    assert {agent, "--role=roles/pubsub.subscriber"} <= set(subscriber)


@pytest.mark.parametrize("function", TOPICS)
def test_pubsub_waits_for_a_function_for_longer_than_that_may_take(function: str, commands: list[Command]) -> None:
    update, *_ = those(commands, "pubsub", "subscriptions", "update", f"SUBSCRIPTION_OF_{function}")
    timeout = option(deployed(commands, function), "--timeout").removesuffix("s")
    assert int(option(update, "--ack-deadline")) == table().ack_deadline > int(timeout)
    assert commands.index(update) > commands.index(deployed(commands, function))


def test_a_sweep_that_failed_is_no_dead_letter(commands: list[Command]) -> None:
    (update,) = those(commands, "pubsub", "subscriptions", "update", "SUBSCRIPTION_OF_sweep_purges")
    assert "dead-letter" not in " ".join(update)


def grants(commands: list[Command]) -> dict[str, set[str]]:
    """The roles that each account gets, with the resource of each."""
    granted: dict[str, set[str]] = {}
    for command in commands:
        if "add-iam-policy-binding" not in command or "gcp-sa-pubsub" in option(command, "--member"):
            continue
        email = option(command, "--member").removeprefix("serviceAccount:")
        on = command[command.index("add-iam-policy-binding") + 1]
        kind = f"{command[1]} " if command[0] == "pubsub" else ""
        role = option(command, "--role").removeprefix("roles/")
        conditions = {word for word in command if word.startswith("--condition=")} - {"--condition=None"}
        condition = ", under a condition" if conditions else ""
        granted.setdefault(email.partition("@")[0], set()).add(
            f"{role} on {kind}{'itself' if on == email else on}{condition}"
        )
    return granted


def test_each_account_has_the_roles_that_it_needs_and_no_other(commands: list[Command]) -> None:
    buckets = tuple(f"gs://{bucket}" for bucket in DEFAULTS.buckets)
    signs = {"datastore.viewer on nuumee-test", "secretmanager.secretAccessor on url-signing-key"}
    reads = {f"storage.objectViewer on {bucket}" for bucket in buckets}
    pictures = {f"storage.objectUser on {bucket}, under a condition" for bucket in buckets}
    removes = {"datastore.user on nuumee-test", *(f"storage.objectUser on {bucket}" for bucket in buckets)}
    assert grants(commands) == {
        "list-jobs": signs | reads,
        "get-thumbnails": signs | reads,
        "get-output": signs | {"storage.objectViewer on gs://nuumee-outputs"},
        "delete-job": {
            "datastore.user on nuumee-test",
            "firebaseauth.viewer on nuumee-test",
            "pubsub.publisher on topics job-deleted",
        },
        "purge-job": removes,
        "process-upload": removes,
        "make-posters": {"datastore.user on nuumee-test"} | reads | pictures,
        "share-job": {"datastore.user on nuumee-test", "firebaseauth.viewer on nuumee-test"},
        "share-video": {
            "datastore.user on nuumee-test",
            "secretmanager.secretAccessor on url-signing-key",
            "storage.objectViewer on gs://nuumee-outputs",
        },
        "count-views": {"datastore.user on nuumee-test"},
        "url-signer": {f"storage.legacyObjectReader on {bucket}" for bucket in buckets},
        "sweep-purges": {
            "datastore.user on nuumee-test",
            "pubsub.publisher on topics job-deleted",
            "pubsub.publisher on topics object-finalized",
            "pubsub.subscriber on subscriptions job-deleted-dead-letters",
            "pubsub.subscriber on subscriptions object-finalized-dead-letters",
        },
    }


def test_the_indexes_are_made_without_waiting_for_them(commands: list[Command]) -> None:
    made = those(commands, "firestore", "indexes", "composite", "create")
    assert all(
        {"--collection-group=jobs", "--query-scope=collection", "--async"} <= set(command) for command in made
    )
    fields = [
        [word.partition("=")[2] for word in command if word.startswith("--field-config=")] for command in made
    ]
    assert ["field-path=purge.state,order=ascending", "field-path=purge.requested_at,order=ascending"] in fields
    assert ["field-path=user_id,order=ascending", "field-path=created_at,order=descending"] in fields


def test_each_bucket_tells_of_its_new_objects_once_somebody_listens(commands: list[Command]) -> None:
    listening = commands.index(deployed(commands, "process_upload"))
    for bucket in DEFAULTS.buckets:
        (command,) = those(commands, "storage", "buckets", "notifications", "create", f"gs://{bucket}")
        assert option(command, "--topic") == "projects/nuumee-test/topics/object-finalized"
        assert {"--event-types=OBJECT_FINALIZE", "--payload-format=json"} <= set(command)
        assert commands.index(command) > listening
    assert len(those(commands, "storage", "buckets", "notifications", "create")) == len(DEFAULTS.buckets)


def notifications(topic: str) -> str:
    """What gcloud prints for a bucket that notifies this topic of new objects."""
    configuration = {"event_types": ["OBJECT_FINALIZE"], "topic": f"//pubsub.googleapis.com/{topic}"}
    return json.dumps([{"Bucket URL": "gs://b/", "Notification Configuration": configuration}], indent=2)


@pytest.mark.parametrize(
    ("topic", "made"),
    [
        ("projects/nuumee-test/topics/object-finalized", 0),
        ("projects/nuumee-test/topics/object-finalized-too", 3),
        ("projects/nuumee-test/topics/another-object-finalized", 3),
        ("projects/another/topics/object-finalized", 3),
    ],
)
def test_a_bucket_that_tells_the_topic_is_not_made_to_tell_it_twice(
    topic: str, made: int, checkout: Checkout
) -> None:
    done = checkout.deploy(*REQUIRED, notifications=notifications(topic))
    assert done.returncode == 0, done.stderr
    assert len(those(checkout.calls(), "storage", "buckets", "notifications", "list")) == len(DEFAULTS.buckets)
    assert len(those(checkout.calls(), "storage", "buckets", "notifications", "create")) == made


PICTURES = ("poster.webp", "preview.mp4", "view.webp", "storyboard.webp")


def test_what_decodes_uploads_can_write_pictures_alone(commands: list[Command]) -> None:
    account = "--member=serviceAccount:make-posters@nuumee-test.iam.gserviceaccount.com"
    grants = [
        command
        for bucket in DEFAULTS.buckets
        for command in those(commands, "storage", "buckets", "add-iam-policy-binding", f"gs://{bucket}")
        if account in command and "--role=roles/storage.objectUser" in command
    ]
    assert len(grants) == len(DEFAULTS.buckets)
    for grant in grants:
        title, expression = option(grant, "--condition").split(",")
        assert title == "title=pictures"
        names = [f'resource.name.endsWith("/{name}")' for name in PICTURES]
        assert expression == f"expression={'||'.join(names)}"


def test_a_sweep_is_due_every_minute(commands: list[Command]) -> None:
    (command,) = those(commands, "scheduler", "jobs", "create", "pubsub")
    assert command[4] == "every-minute"
    assert {"--location=us-central1", "--schedule=* * * * *", "--message-body={}"} <= set(command)
    assert option(command, "--topic") == "projects/nuumee-test/topics/every-minute"
    assert commands.index(command) > commands.index(deployed(commands, "sweep_purges"))


def test_every_service_that_is_used_is_enabled(commands: list[Command]) -> None:
    (command,) = those(commands, "services", "enable")
    assert {"cloudscheduler.googleapis.com", "monitoring.googleapis.com", "pubsub.googleapis.com"} <= set(command)


def test_dead_letters_that_are_kept_go_some_time(commands: list[Command]) -> None:
    (ttl,) = those(commands, "firestore", "fields", "ttls", "update", "expire_at")
    assert {"--collection-group=dead_letters", "--enable-ttl", "--async"} <= set(ttl)


def test_a_dead_letters_subscription_that_was_there_gets_its_deadline(commands: list[Command]) -> None:
    for topic in ("job-deleted", "object-finalized"):
        (update,) = those(commands, "pubsub", "subscriptions", "update", f"{topic}-dead-letters")
        assert option(update, "--ack-deadline") == "60"
