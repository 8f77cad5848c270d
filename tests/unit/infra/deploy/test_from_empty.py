"""What a new project gets first, and how a run bears that Google Cloud learns of it slowly."""

from __future__ import annotations

import json

import pytest

from infra.cloud.deploy import CORS
from infra.stage import ROOT
from tests.unit.infra.deploy.checkout import DEFAULTS, REQUIRED, Checkout, Command, deployed, option, those

DATABASES = ("firestore", "databases")
BUCKETS = ("storage", "buckets")
URLS = [f"gs://{bucket}" for bucket in DEFAULTS.buckets]


def run(checkout: Checkout) -> list[Command]:
    done = checkout.deploy(*REQUIRED)
    assert done.returncode == 0, done.stderr
    return checkout.calls()


def test_a_project_without_a_database_gets_a_protected_one(checkout: Checkout) -> None:
    checkout.cloud.database = None
    calls = run(checkout)
    (made,) = those(calls, *DATABASES, "create")
    assert {"--type=firestore-native", "--delete-protection", "--enable-pitr"} <= set(made)
    assert option(made, "--location") == "us-central1"
    assert those(calls, *DATABASES, "update") == []
    assert calls.index(made) < calls.index(those(calls, "firestore", "indexes", "composite", "create")[0])


def test_the_database_may_be_elsewhere(checkout: Checkout) -> None:
    (made,) = those(checkout.commands(*REQUIRED, "--firestore-location=nam5"), *DATABASES, "create")
    assert option(made, "--location") == "nam5"


def test_a_database_that_was_there_is_protected_and_not_made(checkout: Checkout) -> None:
    calls = run(checkout)
    (updated,) = those(calls, *DATABASES, "update")
    assert {"--database=(default)", "--delete-protection", "--enable-pitr"} <= set(updated)
    assert those(calls, *DATABASES, "create") == []


def test_a_database_of_another_kind_is_named_before_anything_is_made(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, database="DATASTORE_MODE")
    assert done.returncode == 2
    assert "the project's Firestore database is DATASTORE_MODE" in done.stderr
    assert not any("create" in call or "update" in call for call in checkout.calls())


def test_missing_buckets_are_made_private_and_recoverable(checkout: Checkout) -> None:
    checkout.cloud.missing = (DEFAULTS.videos_bucket,)
    calls = run(checkout)
    (made,) = those(calls, *BUCKETS, "create")
    assert made[3] == f"gs://{DEFAULTS.videos_bucket}"
    assert {"--uniform-bucket-level-access", "--public-access-prevention", "--soft-delete-duration=7d"} <= set(
        made
    )
    assert option(made, "--location") == "us-central1"
    rules = json.loads((ROOT / option(made, "--lifecycle-file")).read_text())["lifecycle"]["rule"]
    # A rule that deletes objects would take users' videos away.
    assert [rule["action"]["type"] for rule in rules] == ["AbortIncompleteMultipartUpload"]


def test_the_pages_origins_may_read_a_new_bucket(checkout: Checkout) -> None:
    checkout.cloud.missing = DEFAULTS.buckets
    calls = run(checkout)
    assert [(call[3], option(call, "--cors-file")) for call in those(calls, *BUCKETS, "update")] == [
        (url, CORS) for url in URLS
    ]
    (rule,) = json.loads((checkout.root / CORS).read_text())
    assert (rule["origin"], rule["method"]) == ([*DEFAULTS.allowed_origins], ["GET", "HEAD"])


def test_buckets_that_were_there_stay_as_they_are(checkout: Checkout) -> None:
    calls = run(checkout)
    assert len(those(calls, *BUCKETS, "describe")) == len(URLS)
    assert those(calls, *BUCKETS, "create") + those(calls, *BUCKETS, "update") == []


def test_a_bucket_that_an_interrupted_run_left_without_rules_for_scripts_gets_them(checkout: Checkout) -> None:
    checkout.cloud.cors = ""
    calls = run(checkout)
    assert [call[3] for call in those(calls, *BUCKETS, "update")] == URLS
    assert those(calls, *BUCKETS, "create") == []


def test_a_bucket_whose_roles_can_have_no_conditions_is_named(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, uniform="False", database=None, missing=(DEFAULTS.images_bucket,))
    assert done.returncode == 2
    assert "gs://nuumee-videos has no uniform bucket-level access" in done.stderr
    assert not any("create" in call or "update" in call for call in checkout.calls())


@pytest.mark.parametrize(
    "command",
    [
        "projects add-iam-policy-binding",
        "storage buckets add-iam-policy-binding gs://nuumee-outputs",
        "secrets add-iam-policy-binding",
        "pubsub topics add-iam-policy-binding job-deleted",
        "functions add-invoker-policy-binding purge_job",
        "functions describe purge_job",
        "eventarc triggers describe",
        "firestore databases describe",
        "storage buckets describe gs://nuumee-images",
        "iam service-accounts create list-jobs",
        "pubsub topics create job-deleted-dead-letters",
        "secrets versions list",
        "storage buckets notifications list gs://nuumee-images",
        "alpha monitoring policies list",
    ],
)
def test_what_is_not_known_everywhere_yet_is_waited_for(command: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, lags={command: 2})
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("deploy.sh: waiting until gcloud ") == 2
    repeated = [call for call in checkout.calls() if " ".join(call).startswith(command)]
    assert repeated[0] == repeated[1] == repeated[2]
    assert deployed(checkout.calls(), "share_video")


def test_what_never_becomes_known_ends_the_run_with_the_code_of_gcloud(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, lags={"projects add-iam-policy-binding": 1000})
    assert done.returncode == 1
    assert "Service account list-jobs does not exist" in done.stderr
    assert those(checkout.calls(), "functions", "deploy") == []


def test_an_answer_that_never_comes_ends_the_run_in_a_sentence(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, lags={"functions describe": 1000})
    assert done.returncode == 2
    assert "there is no answer to gcloud functions describe purge_job" in done.stderr
