"""What a new project gets first: APIs, a database with indexes, buckets; and what is there already."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.stage import ROOT
from tests.unit.infra.deploy.checkout import DEFAULTS, REQUIRED, Checkout, Line, option, those

DATABASES = ("firestore", "databases")
BUCKETS = ("storage", "buckets")
URLS = [f"gs://{bucket}" for bucket in DEFAULTS.buckets]
BUILDS = "gs://nuumee-test-nuumee-build"


def refused(checkout: Checkout) -> str:
    """What is said when nothing but APIs was changed."""
    done = checkout.deploy()
    assert done.returncode == 2
    assert [call[:2] for call in checkout.cloud.changes()] == [["services", "enable"]]
    return done.stderr


def test_only_apis_that_are_missing_are_enabled(checkout: Checkout) -> None:
    checkout.cloud.enabled = {"run.googleapis.com", "pubsub.googleapis.com", "other.googleapis.com"}
    (enabled,) = those(checkout.must(), "services", "enable")
    assert {"cloudscheduler.googleapis.com", "firebaserules.googleapis.com"} <= set(enabled)
    assert "run.googleapis.com" not in enabled


def test_a_project_without_a_database_gets_a_protected_one(checkout: Checkout) -> None:
    changes = checkout.must()
    (made,) = those(changes, *DATABASES, "create")
    assert {"--type=firestore-native", "--delete-protection", "--enable-pitr"} <= set(made)
    assert option(made, "--location") == "us-central1"
    assert those(changes, *DATABASES, "update") == []
    assert changes.index(made) < changes.index(those(changes, "firestore", "indexes", "composite", "create")[0])


def test_the_database_may_be_elsewhere(checkout: Checkout) -> None:
    (made,) = those(checkout.commands(*REQUIRED, "--firestore-location=nam5"), *DATABASES, "create")
    assert option(made, "--location") == "nam5"


def test_a_database_that_was_there_is_protected_and_not_made(checkout: Checkout) -> None:
    checkout.cloud.database = {"type": "FIRESTORE_NATIVE", "deleteProtectionState": "DELETE_PROTECTION_DISABLED"}
    changes = checkout.must()
    (updated,) = those(changes, *DATABASES, "update")
    assert {"--database=(default)", "--delete-protection", "--enable-pitr"} <= set(updated)
    assert those(changes, *DATABASES, "create") == []


def test_a_database_of_another_kind_is_named_before_anything_is_made(checkout: Checkout) -> None:
    checkout.cloud.database = {"type": "DATASTORE_MODE"}
    assert "the project's Firestore database is DATASTORE_MODE" in refused(checkout)


def test_missing_buckets_are_made_private_and_recoverable(checkout: Checkout) -> None:
    for url in URLS[:2]:
        checkout.cloud.buckets[url] = {"uniform_bucket_level_access": True, "cors_config": [{"origin": ["*"]}]}
    made = [command for command in those(checkout.must(), *BUCKETS, "create") if command[3] in URLS]
    assert [command[3] for command in made] == URLS[2:]
    assert {
        *("--uniform-bucket-level-access", "--public-access-prevention", "--soft-delete-duration=7d"),
        "--location=us-central1",
    } <= set(made[0])
    rules = json.loads((ROOT / option(made[0], "--lifecycle-file")).read_text())["lifecycle"]["rule"]
    # A rule that deletes objects would take users' videos away.
    assert [rule["action"]["type"] for rule in rules] == ["AbortIncompleteMultipartUpload"]


def test_the_pages_origins_may_read_a_new_bucket(checkout: Checkout) -> None:
    assert [command[3] for command in those(checkout.must(), *BUCKETS, "update")] == URLS
    for url in URLS:
        (rule,) = checkout.cloud.buckets[url]["cors_config"]
        assert (rule["origin"], rule["method"]) == ([*DEFAULTS.allowed_origins], ["GET", "HEAD"])


def test_other_origins_of_the_page_reach_the_buckets_too(checkout: Checkout) -> None:
    checkout.must()
    assert those(checkout.must(), *BUCKETS, "update") == []
    elsewhere = (*REQUIRED, "--allowed-origins=https://new.example")
    assert checkout.deploy("check", *elsewhere).stdout.count("--cors-file") == len(URLS)
    assert [command[3] for command in those(checkout.must(*elsewhere), *BUCKETS, "update")] == URLS


OTHERS = [
    {"origin": ["*"], "method": ["GET"], "responseHeader": ["Content-Type"], "maxAgeSeconds": 3600},
    {"origin": ["https://a.example"], "method": ["GET", "HEAD"], "maxAgeSeconds": 3600},
    {"origin": ["https://worker.example"], "method": ["PUT"], "responseHeader": ["Content-Type"]},
]


def test_a_bucket_that_was_there_keeps_its_rules_for_scripts_beside_ours(checkout: Checkout) -> None:
    for url in URLS:
        checkout.cloud.buckets[url] = {"uniform_bucket_level_access": True, "cors_config": [*OTHERS]}
    changes = checkout.must()
    assert [command[3] for command in those(changes, *BUCKETS, "create")] == [BUILDS]
    for origins in (["https://a.example", "https://b.example"], ["https://new.example"]):
        flags = (*REQUIRED, f"--allowed-origins={','.join(origins)}")
        checkout.must(*flags)
        for url in URLS:
            *others, ours = checkout.cloud.buckets[url]["cors_config"]
            assert (others, ours["origin"]) == (OTHERS, origins)
        assert checkout.deploy("check", *flags).stdout.count("--cors-file") == 0


def test_a_bucket_that_an_interrupted_run_left_without_rules_for_scripts_gets_them(checkout: Checkout) -> None:
    for url in URLS:
        checkout.cloud.buckets[url] = {"uniform_bucket_level_access": True, "cors_config": []}
    changes = checkout.must()
    assert [command[3] for command in those(changes, *BUCKETS, "update")] == URLS


def test_rules_for_scripts_of_an_earlier_release_are_renewed_once(checkout: Checkout) -> None:
    checkout.must()
    for url in URLS:
        checkout.cloud.buckets[url]["cors_config"][0]["responseHeader"].remove("Range")
    assert [command[3] for command in those(checkout.must(), *BUCKETS, "update")] == URLS
    assert those(checkout.must(), *BUCKETS, "update") == []


def test_a_bucket_whose_roles_can_have_no_conditions_is_named(checkout: Checkout) -> None:
    checkout.cloud.buckets[URLS[1]] = {"uniform_bucket_level_access": False}
    assert "gs://nuumee-videos has no uniform bucket-level access" in refused(checkout)


@pytest.mark.parametrize(
    ("place", "is_elsewhere"),
    [
        ({"location": "EUROPE-WEST1", "location_type": "region"}, True),
        ({"location": "US-CENTRAL1", "location_type": "region"}, False),
        (
            {
                "location": "US",
                "location_type": "dual-region",
                "data_locations": ["US-EAST1", "US-EAST4"],
            },
            True,
        ),
        (
            {
                "location": "US",
                "location_type": "dual-region",
                "data_locations": ["US-EAST1", "US-CENTRAL1"],
            },
            False,
        ),
        ({"location": "US", "location_type": "multi-region"}, False),
        ({}, False),
    ],
)
def test_a_bucket_elsewhere_is_used_and_its_cost_is_told(
    place: dict[str, Any], is_elsewhere: bool, checkout: Checkout
) -> None:
    checkout.cloud.buckets[URLS[1]] = {"uniform_bucket_level_access": True, **place}
    done = checkout.deploy()
    assert done.returncode == 0, done.stderr
    assert ("gs://nuumee-videos is not in us-central1: Google charges" in done.stderr) == is_elsewhere


@pytest.mark.parametrize("kept", ["private", "for everybody"])
@pytest.mark.parametrize(("url", "setting"), [(URLS[1], "VIDEOS_BUCKET"), (BUILDS, "BUILD_BUCKET")])
def test_a_bucket_of_another_project_is_not_used(url: str, setting: str, kept: str, checkout: Checkout) -> None:
    checkout.cloud.others_buckets = {url: kept}
    said = refused(checkout)
    assert f"{url} is another project's" in said
    assert f"choose another name for {setting}" in said
    checkout.must(*REQUIRED, f"--{setting.lower().replace('_', '-')}=nuumee-test-mine")
    assert "gs://nuumee-test-mine" in checkout.cloud.buckets


def test_a_bucket_of_ours_that_may_not_be_looked_at_is_not_called_anothers(checkout: Checkout) -> None:
    checkout.cloud.buckets[URLS[1]] = {"uniform_bucket_level_access": True}
    checkout.cloud.others_buckets = {URLS[1]: "private"}
    done = checkout.deploy()
    assert (done.returncode, "another project's" in done.stderr) == (1, False)
    assert "does not have permission to access" in done.stderr


@pytest.mark.parametrize("url", [URLS[0], BUILDS])
@pytest.mark.parametrize("member", ["allUsers", "allAuthenticatedUsers"])
def test_a_bucket_that_is_open_to_everybody_is_named_until_it_is_closed(
    member: str, url: str, checkout: Checkout
) -> None:
    checkout.cloud.buckets[url] = {"uniform_bucket_level_access": True, "public_access_prevention": "inherited"}
    checkout.cloud.policies[f"storage buckets {url}"] = [(member, "roles/storage.objectViewer", None)]
    close = f"gcloud storage buckets update {url} --public-access-prevention"
    assert f"{url} is open to everybody. To close it: {close}" in refused(checkout)
    checkout.cloud.buckets[url]["public_access_prevention"] = "enforced"
    checkout.must()


def test_the_indexes_are_made_without_waiting_for_each(commands: list[Line]) -> None:
    made = those(commands, "firestore", "indexes", "composite", "create")
    assert all({"--query-scope=collection", "--async"} <= set(command) for command in made)
    assert {option(command, "--collection-group") for command in made} == {"jobs", "deletions", "erasures"}
    fields = [
        [word.partition("=")[2] for word in command if word.startswith("--field-config=")] for command in made
    ]
    assert ["field-path=state,order=ascending", "field-path=requested_at,order=ascending"] in fields
    assert ["field-path=user_id,order=ascending", "field-path=created_at,order=descending"] in fields


def test_only_indexes_that_are_missing_are_made(checkout: Checkout) -> None:
    checkout.must()
    gone = checkout.cloud.indexes.pop(1)
    (made,) = checkout.must()
    assert f"--field-config=field-path={gone['fields'][0]['fieldPath']},order=ascending" in made


def test_dead_letters_that_are_kept_go_some_time(commands: list[Line]) -> None:
    (ttl,) = those(commands, "firestore", "fields", "ttls", "update", "expire_at")
    assert {"--collection-group=dead_letters", "--enable-ttl", "--async"} <= set(ttl)


def test_an_account_of_an_earlier_deployment_is_marked_as_ours(checkout: Checkout) -> None:
    email = "list-jobs@nuumee-test.iam.gserviceaccount.com"
    checkout.cloud.accounts[email] = {"email": email}
    changes = checkout.must()
    (marked,) = those(changes, "iam", "service-accounts", "update")
    assert marked[3:5] == [email, "--description=Part of NuuMee Jobs"]
    assert those(changes, "iam", "service-accounts", "create", "list-jobs") == []


def test_an_account_of_somebody_elses_is_neither_used_nor_marked(checkout: Checkout) -> None:
    email = "image-builder@nuumee-test.iam.gserviceaccount.com"
    checkout.cloud.accounts[email] = others = {"email": email, "description": "Builds another product"}
    done = checkout.deploy()
    assert (done.returncode, f"the account {email} may be another product's" in done.stderr) == (2, True)
    assert [command[:2] for command in checkout.cloud.changes()] == [["services", "enable"]]
    assert others["description"] == "Builds another product"
