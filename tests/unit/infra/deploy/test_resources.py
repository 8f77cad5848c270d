"""What the functions need: topics, subscriptions, dead letters and roles."""

from __future__ import annotations

from typing import Any

import pytest

from infra.functions import table
from shared.settings import dead_letters
from tests.unit.infra.deploy.checkout import (
    DEFAULTS,
    FUNCTIONS,
    REQUIRED,
    RETRIED,
    TOPICS,
    Checkout,
    Line,
    deployed,
    option,
    those,
)

SUBSCRIBE = ("pubsub", "subscriptions", "create")
WEEK = "--message-retention-duration=604800s"
PURGES = "https://purge-job.run.app"
PUSHED = {
    "pushEndpoint": f"{PURGES}/projects/nuumee-test/topics/job-deleted",
    "oidcToken": {
        "serviceAccountEmail": "event-pusher@nuumee-test.iam.gserviceaccount.com",
        "audience": PURGES,
    },
}


def test_every_topic_is_made(commands: list[Line]) -> None:
    made = [command[3] for command in those(commands, "pubsub", "topics", "create")]
    dead = {dead_letters(TOPICS[function]) for function in RETRIED}
    assert sorted(made) == sorted({*TOPICS.values(), *dead, "release-probe"})


@pytest.mark.parametrize("function", TOPICS)
def test_a_background_function_gets_the_messages_of_its_topic(function: str, checkout: Checkout) -> None:
    (command,) = those(checkout.must(), *SUBSCRIBE, FUNCTIONS[function].account)
    name, topic = FUNCTIONS[function].account, TOPICS[function]
    assert option(command, "--topic") == topic
    assert option(command, "--push-endpoint") == f"https://{name}.run.app/projects/nuumee-test/topics/{topic}"
    assert option(command, "--push-auth-token-audience") == f"https://{name}.run.app"
    assert option(command, "--push-auth-service-account") == "event-pusher@nuumee-test.iam.gserviceaccount.com"
    assert {"--expiration-period=never", "--min-retry-delay=60s", "--max-retry-delay=600s"} <= set(command)
    assert option(command, "--labels") == "product=nuumee-jobs"


@pytest.mark.parametrize("function", TOPICS)
def test_pubsub_waits_for_a_function_for_longer_than_that_may_take(function: str, commands: list[Line]) -> None:
    (command,) = those(commands, *SUBSCRIBE, FUNCTIONS[function].account)
    timeout = option(deployed(commands, function), "--timeout").removesuffix("s")
    assert int(option(command, "--ack-deadline")) == table().ack_deadline > int(timeout)
    # What is pushed finds somebody from the first message on.
    assert commands.index(command) > commands.index(deployed(commands, function))


@pytest.mark.parametrize("function", RETRIED)
def test_what_cannot_be_processed_is_kept_for_a_week(function: str, commands: list[Line]) -> None:
    name, dead = FUNCTIONS[function].account, dead_letters(TOPICS[function])
    (kept,) = those(commands, *SUBSCRIBE, dead)
    assert {f"--topic={dead}", WEEK, "--expiration-period=never"} <= set(kept)
    assert option(kept, "--ack-deadline") == option(deployed(commands, "sweep_purges"), "--timeout").removesuffix(
        "s"
    )
    (pushed,) = those(commands, *SUBSCRIBE, name)
    assert {WEEK, f"--dead-letter-topic={dead}", f"--max-delivery-attempts={table().attempts}"} <= set(pushed)
    agent = "--member=serviceAccount:service-PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com"
    publisher = those(commands, "pubsub", "topics", "add-iam-policy-binding", dead)
    (subscriber,) = those(commands, "pubsub", "subscriptions", "add-iam-policy-binding", name)
    assert {agent, "--role=roles/pubsub.publisher"} <= set(publisher[0])
    assert {agent, "--role=roles/pubsub.subscriber"} <= set(subscriber)


def test_a_sweep_that_failed_is_no_dead_letter_and_comes_again_for_ten_minutes_at_most(
    commands: list[Line],
) -> None:
    for name in TOPICS.keys() - set(RETRIED):
        (command,) = those(commands, *SUBSCRIBE, FUNCTIONS[name].account)
        assert "dead-letter" not in " ".join(command)
        # The shortest that Pub/Sub allows: https://cloud.google.com/pubsub/docs/subscription-properties
        assert option(command, "--message-retention-duration") == "600s"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("purge-job", {"ackDeadlineSeconds": 10}),
        ("purge-job", {"pushConfig": {"pushEndpoint": "https://old.run.app"}}),
        ("purge-job", {"pushConfig": {**PUSHED, "noWrapper": {"writeMetadata": True}}}),
        ("purge-job", {"deadLetterPolicy": None}),
        ("purge-job", {"expirationPolicy": {"ttl": "2678400s"}}),
        ("purge-job", {"labels": {}}),
        ("make-posters", {"retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"}}),
        ("count-views", {"messageRetentionDuration": "604800s"}),
        ("count-views", {"deadLetterPolicy": {"deadLetterTopic": "projects/nuumee-test/topics/d"}}),
        ("job-deleted-dead-letters", {"ackDeadlineSeconds": 10}),
    ],
)
def test_a_subscription_that_differs_is_updated(name: str, changes: dict[str, Any], checkout: Checkout) -> None:
    checkout.must()
    path = f"projects/nuumee-test/subscriptions/{name}"
    wanted = dict(checkout.cloud.subscriptions[path])
    checkout.cloud.subscriptions[path] = {**wanted, **changes}
    (updated,) = checkout.must()
    assert updated[:4] == ["pubsub", "subscriptions", "update", name]
    assert checkout.cloud.subscriptions[path] == wanted


@pytest.mark.parametrize("added", [{}, {"attributes": {"x-goog-version": "v1"}}, {"pubsubWrapper": {}}])
def test_what_pubsub_adds_to_how_it_pushes_is_no_difference(added: dict[str, Any], checkout: Checkout) -> None:
    checkout.must()
    for one in checkout.cloud.subscriptions.values():
        if pushed := one.get("pushConfig"):
            del pushed["attributes"]
            pushed.update(added)
    assert checkout.must() == []


def test_a_subscription_of_another_topic_is_named_and_stays(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.calls.clear()
    done = checkout.deploy(*REQUIRED, "--job-deleted-topic=gone")
    assert (done.returncode, checkout.cloud.changes()) == (2, [])
    assert (
        "the subscription purge-job is of projects/nuumee-test/topics/job-deleted and should be of gone"
        in done.stderr
    )
    assert "gcloud pubsub subscriptions delete purge-job" in done.stderr
    assert "sweeps ask again" in done.stderr


def test_a_change_of_the_topic_of_uploads_names_what_tells_of_those_that_nobody_receives(
    checkout: Checkout,
) -> None:
    checkout.must()
    said = checkout.deploy(*REQUIRED, "--object-finalized-topic=come").stderr
    assert "should be of come" in said
    assert "infra.announce --send (docs/tools.md) tells of all uploads again, after that run" in said


def test_a_topic_that_was_deleted_is_told_with_what_brings_it_back(checkout: Checkout) -> None:
    checkout.must()
    del checkout.cloud.topics["projects/nuumee-test/topics/job-deleted"]
    checkout.cloud.subscriptions["projects/nuumee-test/subscriptions/purge-job"]["topic"] = "_deleted-topic_"
    done = checkout.deploy()
    assert (done.returncode, "the topic job-deleted was deleted" in done.stderr) == (2, True)
    (command,) = (line for line in done.stderr.splitlines() if "subscriptions delete" in line)
    assert command.endswith("gcloud pubsub subscriptions delete purge-job --project=nuumee-test")
    del checkout.cloud.subscriptions["projects/nuumee-test/subscriptions/purge-job"]
    checkout.must()
    assert checkout.must() == []


def test_buckets_tell_a_topic_that_was_made_anew(checkout: Checkout) -> None:
    checkout.must()
    del checkout.cloud.topics["projects/nuumee-test/topics/object-finalized"]
    was_granted = checkout.cloud.policies.pop("pubsub topics object-finalized")
    subscriptions = [
        one for one in checkout.cloud.subscriptions.values() if one["topic"].endswith("/object-finalized")
    ]
    for one in subscriptions:
        one["topic"] = "_deleted-topic_"
    said = checkout.deploy().stderr
    assert "infra.announce --send (docs/tools.md) tells of all uploads again" in said
    for one in subscriptions:
        del checkout.cloud.subscriptions[one["name"]]
    checkout.must()
    assert sorted(checkout.cloud.policies["pubsub topics object-finalized"]) == sorted(was_granted)
    assert checkout.must() == []


def grants(commands: list[Line]) -> dict[str, set[str]]:
    """The roles that each account gets, with the resource of each."""
    granted: dict[str, set[str]] = {}
    for command in commands:
        if "add-iam-policy-binding" not in command or "@nuumee-test." not in option(command, "--member"):
            continue
        email = option(command, "--member").removeprefix("serviceAccount:")
        on = command[command.index("add-iam-policy-binding") + 1]
        kind = f"{command[1]} " if command[0] == "pubsub" else ""
        role = option(command, "--role").removeprefix("projects/nuumee-test/").removeprefix("roles/")
        conditions = {word for word in command if word.startswith("--condition=")} - {"--condition=None"}
        condition = ", under a condition" if conditions else ""
        granted.setdefault(email.partition("@")[0], set()).add(
            f"{role} on {kind}{'itself' if on == email else on}{condition}"
        )
    return granted


def test_each_account_has_the_roles_that_it_needs_and_no_other(commands: list[Line]) -> None:
    buckets = tuple(f"gs://{bucket}" for bucket in DEFAULTS.buckets)
    signs = {"datastore.viewer on nuumee-test", "secretmanager.secretAccessor on url-signing-key"}
    reads = {f"storage.objectViewer on {bucket}" for bucket in buckets}
    policies = {f"nuumeeJobsRetentionReader on {bucket}" for bucket in buckets}
    pictures = {f"nuumeeJobsPictureWriter on {bucket}, under a condition" for bucket in buckets}
    writes = {"datastore.user on nuumee-test"}
    removes = writes | {f"nuumeeJobsRemover on {bucket}" for bucket in buckets}
    looks = {f"storage.legacyObjectReader on {bucket}" for bucket in buckets}
    restores = writes | {f"nuumeeJobsRestorer on {bucket}" for bucket in buckets}
    assert grants(commands) == {
        "list-jobs": signs | reads | policies,
        "get-thumbnails": signs | reads,
        "get-output": signs | {"storage.objectViewer on gs://nuumee-outputs"},
        "rename-job": {"datastore.user on nuumee-test", "firebaseauth.viewer on nuumee-test"},
        "delete-job": {
            "datastore.user on nuumee-test",
            "firebaseauth.viewer on nuumee-test",
            "pubsub.publisher on topics job-deleted",
        },
        "undelete-job": policies
        | {
            "datastore.user on nuumee-test",
            "firebaseauth.viewer on nuumee-test",
            "pubsub.publisher on topics job-restored",
        },
        "delete-jobs": {
            "datastore.user on nuumee-test",
            "firebaseauth.viewer on nuumee-test",
            "pubsub.publisher on topics jobs-erased",
        },
        "erase-jobs": {
            "datastore.user on nuumee-test",
            "pubsub.publisher on topics job-deleted",
            "pubsub.publisher on topics jobs-erased",
        },
        "purge-job": removes,
        "restore-job": restores | policies,
        "process-upload": removes | looks,
        "make-posters": {"datastore.user on nuumee-test"} | reads | pictures,
        "share-job": {"datastore.user on nuumee-test", "firebaseauth.viewer on nuumee-test"},
        "share-video": {
            "datastore.viewer on nuumee-test",
            "pubsub.publisher on topics video-viewed",
            "secretmanager.secretAccessor on url-signing-key",
            "storage.objectViewer on gs://nuumee-outputs",
        },
        "record-view": {"datastore.user on nuumee-test"},
        "count-views": {"datastore.user on nuumee-test"},
        "image-builder": {"cloudbuild.builds.builder on nuumee-test"},
        "event-pusher": {f"run.invoker on {FUNCTIONS[name].account}" for name in TOPICS},
        "url-signer": looks,
        "sweep-purges": {
            "datastore.user on nuumee-test",
            "pubsub.publisher on topics job-deleted",
            "pubsub.publisher on topics job-restored",
            "pubsub.publisher on topics jobs-erased",
            "pubsub.publisher on topics object-finalized",
            "pubsub.subscriber on subscriptions job-deleted-dead-letters",
            "pubsub.subscriber on subscriptions job-restored-dead-letters",
            "pubsub.subscriber on subscriptions object-finalized-dead-letters",
        },
    }


PICTURES = ("poster.webp", "preview.mp4", "view.webp", "storyboard.webp", "picture.jpg")


def test_what_decodes_uploads_can_write_pictures_alone(commands: list[Line]) -> None:
    account = "--member=serviceAccount:make-posters@nuumee-test.iam.gserviceaccount.com"
    grants = [
        command
        for bucket in DEFAULTS.buckets
        for command in those(commands, "storage", "buckets", "add-iam-policy-binding", f"gs://{bucket}")
        if account in command and "--role=projects/nuumee-test/roles/nuumeeJobsPictureWriter" in command
    ]
    assert len(grants) == len(DEFAULTS.buckets)
    for grant in grants:
        title, expression = option(grant, "--condition").split(",")
        assert title == "title=pictures"
        names = [f'resource.name.endsWith("/{name}")' for name in PICTURES]
        assert expression == f"expression={'||'.join(names)}"
