"""The functions as services: how each is deployed, and who may call it."""

from __future__ import annotations

import copy
import re
import subprocess

import pytest

from shared.settings import Settings
from tests.unit.infra.deploy.checkout import (
    ACCOUNTS,
    DEFAULTS,
    FUNCTIONS,
    REQUIRED,
    TOPICS,
    Checkout,
    Line,
    deployed,
    option,
    those,
    variables,
)
from tests.unit.infra.deploy.cloud import Cloud
from tests.unit.infra.deploy.cloud.run import LOCATION


def test_every_function_is_deployed_once_from_one_image(commands: list[Line]) -> None:
    made = those(commands, "run", "deploy")
    assert sorted(command[2] for command in made) == sorted(ACCOUNTS)
    (image,) = {option(command, "--image") for command in made}
    assert re.fullmatch(r"us-central1-docker\.pkg\.dev/nuumee-test/nuumee-jobs/functions@sha256:\w+", image)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_chosen_and_has_its_own_account_and_size(function: str, commands: list[Line]) -> None:
    command, row = deployed(commands, function), FUNCTIONS[function]
    assert variables(command)["FUNCTION_TARGET"] == function
    assert variables(command)["FUNCTION_SIGNATURE_TYPE"] == ("cloudevent" if row.topic else "http")
    assert {"--quiet", "--project=nuumee-test", "--region=us-central1", "--execution-environment=gen2"} <= set(
        command
    )
    assert {f"--memory={row.memory}", f"--cpu={row.cpu}", "--max-instances=20"} <= set(command)
    assert {f"--concurrency={row.concurrency}", f"--timeout={row.timeout}s"} <= set(command)
    account = function.replace("_", "-")
    assert option(command, "--service-account") == f"{account}@nuumee-test.iam.gserviceaccount.com"
    assert those(commands, "iam", "service-accounts", "create", account)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_a_thread_for_each_request_and_they_share_memory(
    function: str, commands: list[Line]
) -> None:
    command = deployed(commands, function)
    # With a single thread, gunicorn would choose a worker that waits for the end of each connection.
    assert int(variables(command)["THREADS"]) == max(2, int(option(command, "--concurrency")))
    assert variables(command)["MALLOC_ARENA_MAX"] == "1"
    assert variables(command)["GLIBC_TUNABLES"] == "glibc.malloc.tcache_count=0"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_gets_settings_that_it_understands(function: str, commands: list[Line]) -> None:
    found = variables(deployed(commands, function))
    release = found.pop("RELEASE")
    assert Settings.from_environment(found) == DEFAULTS
    assert Settings.from_environment({**found, "RELEASE": release}).release == release


def test_every_setting_reaches_the_functions(checkout: Checkout) -> None:
    buckets = ("--images-bucket=pictures", "--videos-bucket=movies", "--outputs-bucket=results")
    topics = ("--job-deleted-topic=gone", "--object-finalized-topic=come", "--video-viewed-topic=seen")
    links = ("--share-origin=https://s.example", "--short-id-length=12", "--forwarded-hops=2")
    commands = checkout.commands(*REQUIRED, *buckets, *topics, *links, "--max-instances=3")
    command = deployed(commands, "purge_job")
    settings = Settings.from_environment(variables(command))
    assert settings.buckets == ("pictures", "movies", "results")
    assert (settings.job_deleted_topic, settings.object_finalized_topic) == ("gone", "come")
    assert settings.video_viewed_topic == "seen"
    assert settings.share_origin == "https://s.example"
    assert (settings.short_id_length, settings.forwarded_hops) == (12, 2)
    assert "--max-instances=3" in command
    (purging,) = those(commands, "pubsub", "subscriptions", "create", "purge-job")
    assert option(purging, "--topic") == "gone"


def test_functions_with_routes_are_called_without_a_role_and_no_others_are(commands: list[Line]) -> None:
    for function in FUNCTIONS:
        command = set(deployed(commands, function))
        if function in TOPICS:
            assert {"--ingress=internal", "--invoker-iam-check", "--no-allow-unauthenticated"} <= command
        else:
            assert "--no-invoker-iam-check" in command
            assert "--ingress=all" in command
        assert "--allow-unauthenticated" not in command


def test_behind_a_load_balancer_nobody_goes_round_it(checkout: Checkout) -> None:
    commands = checkout.commands(*REQUIRED, "--forwarded-hops=2")
    closed = {
        name for name in FUNCTIONS if "--ingress=internal-and-cloud-load-balancing" in deployed(commands, name)
    }
    assert closed == {name for name, function in FUNCTIONS.items() if function.public} != set()


def test_only_pubsub_may_call_the_functions_that_receive_events(checkout: Checkout) -> None:
    checkout.must()
    policies = {
        name: granted for name, granted in checkout.cloud.policies.items() if name.startswith("run services")
    }
    pusher = "serviceAccount:event-pusher@nuumee-test.iam.gserviceaccount.com"
    wanted = [(pusher, "roles/run.invoker", None)]
    assert policies == {f"run services {FUNCTIONS[name].account}": wanted for name in TOPICS}


def test_a_service_tells_from_which_commit_and_when_it_is(checkout: Checkout) -> None:
    git = ["git", "-C", str(checkout.root), "-c", "user.name=A", "-c", "user.email=a@b.example"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "All"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout[:12]
    checkout.environment["PATH"] = f"{checkout.path}:/usr/bin"
    clean = deployed(checkout.commands(), "list_jobs")
    labels = dict(pair.split("=") for pair in option(clean, "--labels").split(","))
    assert labels == {
        "product": "nuumee-jobs",
        "commit": commit,
        "released": "2026-11-26t10-01-00z",
        "dirty": "no",
    }
    assert all(re.fullmatch("[a-z0-9_-]{1,63}", text) for pair in labels.items() for text in pair)
    assert variables(clean)["RELEASE"] == f"{commit} 2026-11-26T10:01:00Z"
    checkout.change_source()
    dirty = deployed(checkout.commands(), "list_jobs")
    assert "dirty=yes" in option(dirty, "--labels")
    assert variables(dirty)["RELEASE"] == f"{commit} 2026-11-26T10:02:00Z dirty"


def test_who_may_call_a_service_is_put_right_without_a_release(checkout: Checkout) -> None:
    checkout.must()
    annotations = checkout.cloud.services["purge-job"]["metadata"]["annotations"]
    annotations["run.googleapis.com/ingress"] = "all"
    (changed,) = checkout.must()
    assert changed[:4] == ["run", "services", "update", "purge-job"]
    assert {"--ingress=internal", "--invoker-iam-check"} <= set(changed)
    assert annotations["run.googleapis.com/ingress"] == "internal"


def test_a_service_of_another_product_is_neither_changed_nor_destroyed(checkout: Checkout) -> None:
    checkout.must()
    others = copy.deepcopy(checkout.cloud.services["list-jobs"])
    others["metadata"]["labels"]["product"] = "another"
    others["spec"]["template"]["spec"] = {"serviceAccountName": "api@nuumee-test.iam.gserviceaccount.com"}
    checkout.cloud = Cloud()
    checkout.cloud.services["list-jobs"] = copy.deepcopy(others)
    done = checkout.deploy()
    assert (done.returncode, "the service list-jobs may be another product's" in done.stderr) == (2, True)
    assert [command[:2] for command in checkout.cloud.changes()] == [["services", "enable"]]
    for name in ("check", "page", "destroy"):
        checkout.answers = ["nuumee-test"]
        checkout.deploy(name, *REQUIRED)
    assert checkout.cloud.services == {"list-jobs": others}
    assert checkout.programs == [], "no page is built for another product's address"


@pytest.mark.parametrize(
    ("labels", "account"), [({"product": "nuumee-jobs"}, "old"), ({}, "list-jobs")], ids=["label", "account"]
)
def test_a_service_that_an_earlier_version_left_is_taken_on(
    labels: dict[str, str], account: str, checkout: Checkout
) -> None:
    checkout.must()
    service = checkout.cloud.services["list-jobs"]
    service["metadata"]["labels"] = {LOCATION: "us-central1", **labels}
    email = f"{account}@nuumee-test.iam.gserviceaccount.com"
    service["spec"]["template"]["spec"]["serviceAccountName"] = email
    checkout.change_source()
    checkout.must()
    assert service["metadata"]["labels"]["product"] == "nuumee-jobs"


def test_services_in_two_regions_are_to_be_deleted_one_by_one(checkout: Checkout) -> None:
    checkout.must()
    left = copy.deepcopy(checkout.cloud.services["list-jobs"])
    left["metadata"]["labels"] = {LOCATION: "europe-west1"}  # an earlier version marked none
    others = copy.deepcopy(left)
    others["metadata"]["name"] = "shop"
    others["spec"]["template"]["spec"]["serviceAccountName"] = "shop@nuumee-test.iam.gserviceaccount.com"
    further = copy.deepcopy(left)
    further["metadata"].update(name="old", labels={LOCATION: "asia-east1", "product": "nuumee-jobs"})
    checkout.cloud.services |= {"left": left, "others": others, "further": further}
    done = checkout.deploy()
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if line.startswith("gcloud")] == [
        "gcloud run services delete list-jobs --region=europe-west1 --project=nuumee-test",
        "gcloud run services delete old --region=asia-east1 --project=nuumee-test",
    ]
    assert "destroy" not in done.stderr


def test_services_in_another_region_are_ended_before_any_are_made_in_a_new_one(checkout: Checkout) -> None:
    checkout.must()
    moved = (*REQUIRED, "--region=europe-west1")
    for command in ((), ("check",)):
        checkout.cloud.calls.clear()
        done = checkout.deploy(*command, *moved)
        assert (done.returncode, checkout.cloud.changes()) == (2, [])
        assert "services of this product are in us-central1 too" in done.stderr
        assert "Run ./deploy.sh destroy --region=us-central1" in done.stderr
        assert "then this again, then ./deploy.sh page, " in done.stderr
    checkout.answers = ["no"]
    assert "destroy again with --region=us-central1" in checkout.deploy("destroy", *moved).stdout
    checkout.answers = ["nuumee-test"]
    assert checkout.deploy("destroy", *REQUIRED).returncode == 0
    assert checkout.cloud.services == {}
    checkout.must(*moved)
    assert {one["metadata"]["labels"][LOCATION] for one in checkout.cloud.services.values()} == {"europe-west1"}
    assert checkout.must(*moved) == []
