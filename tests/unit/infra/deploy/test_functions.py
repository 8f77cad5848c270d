"""The functions: how each is deployed, and what calls it."""

from __future__ import annotations

import re

import pytest

from shared.settings import Settings
from tests.unit.infra.deploy.checkout import (
    DEFAULTS,
    FUNCTIONS,
    REQUIRED,
    RETRIED,
    TOPICS,
    Checkout,
    Command,
    deployed,
    option,
    those,
    variables,
)


def test_every_function_is_deployed_once(commands: list[Command]) -> None:
    assert sorted(command[2] for command in those(commands, "functions", "deploy")) == sorted(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_own_code_account_and_size(function: str, commands: list[Command]) -> None:
    command, row = deployed(commands, function), FUNCTIONS[function]
    assert {"--gen2", "--quiet", "--project=nuumee-test", "--region=us-central1"} <= set(command)
    assert {"--runtime=python311", f"--entry-point={function}", f"--source=build/{function}"} <= set(command)
    assert {f"--memory={row.memory}", f"--cpu={row.cpu}", "--max-instances=20"} <= set(command)
    assert {f"--concurrency={row.concurrency}", f"--timeout={row.timeout}s"} <= set(command)
    account = function.replace("_", "-")
    assert option(command, "--service-account") == f"{account}@nuumee-test.iam.gserviceaccount.com"
    assert those(commands, "iam", "service-accounts", "create", account)
    assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", account)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_a_thread_for_each_request(function: str, commands: list[Command]) -> None:
    command = deployed(commands, function)
    # With a single thread, gunicorn would choose a worker that waits for the end of each connection.
    assert int(variables(command)["THREADS"]) == max(2, int(option(command, "--concurrency")))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_gets_settings_that_it_understands(function: str, commands: list[Command]) -> None:
    assert Settings.from_environment(variables(deployed(commands, function))) == DEFAULTS


def test_every_setting_reaches_the_functions(checkout: Checkout) -> None:
    buckets = ("--images-bucket=pictures", "--videos-bucket=movies", "--outputs-bucket=results")
    topics = ("--job-deleted-topic=gone", "--job-restored-topic=back", "--object-finalized-topic=come")
    links = ("--share-origin=https://s.example", "--short-id-length=12", "--forwarded-hops=2")
    others = (*links, "--max-instances=3")
    commands = checkout.commands(*REQUIRED, *buckets, *topics, *others)
    command = deployed(commands, "purge_job")
    settings = Settings.from_environment(variables(command))
    assert settings.buckets == ("pictures", "movies", "results")
    assert (settings.job_deleted_topic, settings.job_restored_topic) == ("gone", "back")
    assert settings.object_finalized_topic == "come"
    assert settings.share_origin == "https://s.example"
    assert (settings.short_id_length, settings.forwarded_hops) == (12, 2)
    assert {"--trigger-topic=gone", "--max-instances=3"} <= set(command)
    assert "--trigger-topic=back" in deployed(commands, "restore_job")
    assert "--trigger-topic=come" in deployed(commands, "process_upload")


def test_only_http_functions_can_be_called_by_anybody(commands: list[Command]) -> None:
    for function in FUNCTIONS:
        command = deployed(commands, function)
        public = function not in TOPICS
        assert ("--allow-unauthenticated" in command, "--trigger-http" in command) == (public, public)


@pytest.mark.parametrize(("hops", "ingress"), [(1, ["all"]), (2, ["internal-and-gclb"])])
def test_behind_a_load_balancer_nobody_goes_round_it(checkout: Checkout, hops: int, ingress: list[str]) -> None:
    commands = checkout.commands(*REQUIRED, f"--forwarded-hops={hops}")
    flag = "--ingress-settings="
    found = {
        name: [word.removeprefix(flag) for word in deployed(commands, name) if word.startswith(flag)]
        for name in FUNCTIONS
    }
    assert found == {name: ingress if function.public else [] for name, function in FUNCTIONS.items()}
    assert found["share_video"] == ingress


def test_a_background_function_gets_the_messages_of_its_topic(commands: list[Command]) -> None:
    assert {name: option(deployed(commands, name), "--trigger-topic") for name in TOPICS} == TOPICS


def test_only_a_sweep_that_failed_does_not_come_again(commands: list[Command]) -> None:
    assert {name for name in FUNCTIONS if "--retry" in deployed(commands, name)} == set(RETRIED)


@pytest.mark.parametrize("function", TOPICS)
def test_a_background_function_may_be_called_in_its_own_name(function: str, commands: list[Command]) -> None:
    (command,) = those(commands, "functions", "add-invoker-policy-binding", function)
    account = function.replace("_", "-")
    assert option(command, "--member") == f"serviceAccount:{account}@nuumee-test.iam.gserviceaccount.com"
    assert commands.index(command) > commands.index(deployed(commands, function))
