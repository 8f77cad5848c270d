"""Values that gcloud's parser takes whatever they are, held against the lists of the platform."""

from __future__ import annotations

import re

import pytest

from infra.cloud.build import FORGET, KEEP
from infra.cloud.deployment import read_config
from infra.functions import table
from infra.stage import ROOT
from tests.unit.infra.deploy.checkout import FUNCTIONS, REQUIRED, Checkout, Line, option, those

REGIONS = {
    *("africa-south1", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3"),
    *("asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2", "australia-southeast1"),
    *("australia-southeast2", "europe-central2", "europe-north1", "europe-southwest1", "europe-west1"),
    *("europe-west2", "europe-west3", "europe-west4", "europe-west6", "europe-west8", "europe-west9"),
    *("europe-west10", "europe-west12", "me-central1", "me-central2", "me-west1", "northamerica-northeast1"),
    *(
        "northamerica-northeast2",
        "southamerica-east1",
        "southamerica-west1",
        "us-central1",
        "us-east1",
        "us-east4",
    ),
    *("us-east5", "us-south1", "us-west1", "us-west2", "us-west3", "us-west4"),
}
"""https://cloud.google.com/run/docs/locations"""
MEMORY = {1: (0.5, 4), 2: (0.5, 8), 4: (2, 16), 6: (4, 24), 8: (4, 32)}
"""GiB that the second generation may have, by its CPUs:
https://cloud.google.com/run/docs/configuring/services/cpu,
https://cloud.google.com/run/docs/configuring/services/memory-limits
"""
ROLES = re.compile(r"roles/[a-z]+\.[A-Za-z.]+")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_a_size_that_cloud_run_has(function: str) -> None:
    row = FUNCTIONS[function]
    gib = float(row.memory[:-2]) / (1024 if row.memory.endswith("Mi") else 1)
    least, most = MEMORY[row.cpu]
    assert least <= gib <= most
    # A whole CPU takes any concurrency up to 1000: https://cloud.google.com/run/docs/about-concurrency
    assert 1 <= row.concurrency <= 1000
    # https://cloud.google.com/run/docs/configuring/request-timeout
    assert 1 <= row.timeout <= 3600


def test_the_example_is_of_a_region_that_there_is() -> None:
    settings = dict(read_config(ROOT / "infra/cloud/example.env"))
    assert settings["region"] in REGIONS


def test_the_settings_let_every_region_through(checkout: Checkout) -> None:
    for region in sorted(REGIONS)[::8]:
        assert checkout.commands(REQUIRED[0], f"--region={region}", REQUIRED[2])


def test_names_are_such_as_the_platform_takes(commands: list[Line]) -> None:
    # https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
    for kind in ("topics", "subscriptions"):
        names = [command[3] for command in those(commands, "pubsub", kind, "create")]
        assert all(re.fullmatch("(?!goog)[A-Za-z][A-Za-z0-9._~%+-]{2,254}", name) for name in names)
    # https://cloud.google.com/iam/docs/service-accounts-create
    accounts = [command[3] for command in those(commands, "iam", "service-accounts", "create")]
    assert all(re.fullmatch("[a-z][a-z0-9-]{4,28}[a-z0-9]", name) for name in accounts)
    # Services have at most 49 characters, and a revision's name 63: https://cloud.google.com/run/docs/deploying
    services = [command[2] for command in those(commands, "run", "deploy")]
    assert all(re.fullmatch("[a-z]([a-z0-9-]{0,47}[a-z0-9])?", name) for name in services)
    assert max(map(len, services)) + len("-0123456789-20261126100100") <= 63
    # https://cloud.google.com/storage/docs/buckets#naming
    buckets = [command[3] for command in those(commands, "storage", "buckets", "create")]
    assert all(re.fullmatch("gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]", name) for name in buckets)


def test_deadlines_and_delays_are_such_as_pubsub_takes(commands: list[Line]) -> None:
    """https://cloud.google.com/pubsub/docs/subscription-properties"""
    made = [one for one in those(commands, "pubsub", "subscriptions", "create") if not one[3].startswith("probe-")]
    for command in made:
        assert 10 <= int(option(command, "--ack-deadline")) <= 600
        assert 600 <= int(option(command, "--message-retention-duration").removesuffix("s")) <= 31 * 86_400
    assert 5 <= table().attempts <= 100


def test_policies_of_images_and_of_build_files_say_what_they_should() -> None:
    # https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy
    assert [(one["action"], sorted(one)) for one in KEEP] == [
        ({"type": "Delete"}, ["action", "condition", "name"]),
        ({"type": "Keep"}, ["action", "mostRecentVersions", "name"]),
    ]
    (rule,) = FORGET["lifecycle"]["rule"]
    # Never a record of a release: what could be gone back to would be forgotten.
    assert rule["condition"] == {"age": 30, "matchesPrefix": ["source/", "logs/"]}


def test_roles_are_predefined_ones_or_of_the_table(commands: list[Line]) -> None:
    granted = {option(command, "--role") for command in commands if "add-iam-policy-binding" in command}
    own = {f"projects/nuumee-test/roles/{role}" for role in table().custom_roles}
    assert own < granted
    assert all(ROLES.fullmatch(role) for role in granted - own)
    # Basic roles give far more than any function needs: https://cloud.google.com/iam/docs/roles-overview#basic
    assert not granted & {"roles/owner", "roles/editor", "roles/viewer"}


def test_a_topic_with_a_reserved_name_is_refused(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, "--job-deleted-topic=goog-job-deleted")
    assert (done.returncode, checkout.calls()) == (2, [])
    assert "JOB_DELETED_TOPIC is 'goog-job-deleted', which is no topic name" in done.stderr
