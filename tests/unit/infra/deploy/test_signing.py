"""What the functions get to sign URLs: a key that is never shown, or a role to sign without one."""

from __future__ import annotations

import subprocess

import pytest

from infra.stage import ROOT
from tests.unit.infra.deploy.checkout import (
    FUNCTIONS,
    HMAC_KEY,
    REQUIRED,
    Checkout,
    Command,
    deployed,
    option,
    those,
    variables,
)
from tests.unit.infra.deploy.test_resources import grants

SIGNING = {name for name, function in FUNCTIONS.items() if function.signs}
MAKE_KEY = ("storage", "hmac", "create")
SIGNER = "url-signer@nuumee-test.iam.gserviceaccount.com"
KEEP = ("secrets", "versions", "add")
FROM_SECRET = "--set-secrets=SIGNING_KEY=url-signing-key:latest"


def test_the_functions_that_sign_get_the_key_and_no_others_do(commands: list[Command]) -> None:
    assert {name for name in FUNCTIONS if FROM_SECRET in deployed(commands, name)} == SIGNING
    assert {variables(deployed(commands, name))["SIGNING"] for name in FUNCTIONS} == {"key"}
    assert not any("SIGNING_KEY" in variables(deployed(commands, name)) for name in FUNCTIONS)


def test_the_key_is_made_before_what_needs_it(commands: list[Command]) -> None:
    (account,) = those(commands, "iam", "service-accounts", "create", "url-signer")
    (secret,) = those(commands, "secrets", "create", "url-signing-key")
    (key,), (kept,) = those(commands, *MAKE_KEY), those(commands, *KEEP)
    (enabled,) = those(commands, "services", "enable")
    steps = [enabled, account, secret, key, kept, deployed(commands, "list_jobs")]
    assert [commands.index(step) for step in steps] == sorted(commands.index(step) for step in steps)
    assert "secretmanager.googleapis.com" in enabled
    assert key[3] == "url-signer@nuumee-test.iam.gserviceaccount.com"
    assert kept[3:5] == ["url-signing-key", "--data-file=-"]


def test_the_key_is_kept_and_shown_nowhere(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED)
    assert done.returncode == 0, done.stderr
    assert checkout.cloud.secret == HMAC_KEY
    secret = HMAC_KEY.partition(":")[2]
    assert secret not in done.stdout + done.stderr + str(checkout.calls())
    # gcloud would write its output, including the key, into a log file.
    (made,) = [call for call in checkout.cloud.calls if list(call.words[:3]) == [*MAKE_KEY]]
    assert made.environment == {"CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1"}
    assert made.takes_output


def test_a_key_that_is_there_is_not_made_again(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, versions=(("1", "destroyed"), ("2", "enabled")))
    assert done.returncode == 0, done.stderr
    assert those(checkout.calls(), "secrets", "versions", "list")
    assert (those(checkout.calls(), *MAKE_KEY), those(checkout.calls(), *KEEP)) == ([], [])
    assert FROM_SECRET in deployed(checkout.calls(), "list_jobs")


def test_a_second_run_makes_no_second_key(checkout: Checkout) -> None:
    assert [checkout.deploy(*REQUIRED).returncode for _ in range(2)] == [0, 0]
    assert len(those(checkout.calls(), *MAKE_KEY)) == 1


@pytest.mark.parametrize("state", ["disabled", "destroyed"])
def test_a_key_that_cannot_be_read_any_more_is_made_anew(state: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, versions=(("1", state),))
    assert done.returncode == 0, done.stderr
    assert checkout.cloud.secret == HMAC_KEY


@pytest.mark.parametrize("made", ["", "GOOG1EKEY", ":secret", "GOOG1EKEY:se cret"])
def test_what_is_no_key_is_not_kept(made: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, hmac_key=made)
    assert done.returncode == 2
    problem = f"deploy.sh: gcloud made no HMAC key for {SIGNER} that can be kept"
    known = made.startswith("GOOG1EKEY")
    left = f", and may still be there: see gcloud storage hmac list --service-account={SIGNER}"
    assert done.stderr.splitlines()[-1] == problem + ("" if known else left)
    assert deleted_keys(checkout) == (["GOOG1EKEY"] if known else [])
    assert (checkout.cloud.secret, those(checkout.calls(), "functions", "deploy")) == (None, [])


def test_a_key_that_cannot_be_kept_is_deleted_each_time(checkout: Checkout) -> None:
    for _ in range(2):
        done = checkout.deploy(*REQUIRED, failing=" ".join(KEEP), saying="PERMISSION_DENIED")
        assert done.returncode == 2
        assert "PERMISSION_DENIED" in done.stderr
        assert done.stderr.splitlines()[-1] == (
            f"deploy.sh: the HMAC key of {SIGNER} could not be kept in the secret url-signing-key"
        )
    assert deleted_keys(checkout) == ["GOOG1EKEY"] * len(those(checkout.calls(), *MAKE_KEY)) == ["GOOG1EKEY"] * 2
    assert those(checkout.calls(), "functions", "deploy") == []


@pytest.mark.parametrize("step", ["update", "delete"])
def test_a_key_that_can_be_neither_kept_nor_deleted_is_told_of(step: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, hmac_key="GOOG1EKEY", failing=f"storage hmac {step}", saying="INTERNAL")
    assert done.returncode == 2
    assert done.stderr.endswith(f"see gcloud storage hmac list --service-account={SIGNER}\n")


def test_a_key_that_was_kept_although_the_answer_was_lost_stays(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, lost=" ".join(KEEP))
    assert done.returncode == 0, done.stderr
    assert (checkout.cloud.secret, deleted_keys(checkout)) == (HMAC_KEY, [])


def deleted_keys(checkout: Checkout) -> list[str]:
    """Access ids of the keys that were deactivated and then deleted."""
    changed = [call[2:5] for call in checkout.calls() if call[:2] == ["storage", "hmac"] and call[2] != "create"]
    ids = [access_id for step, access_id, _ in changed if step == "delete"]
    steps = [(["update", one, "--deactivate"], ["delete", one, "--project=nuumee-test"]) for one in ids]
    assert changed == [step for both in steps for step in both]
    return ids


@pytest.mark.parametrize(("failing", "secret"), [("no such command", HMAC_KEY), ("storage hmac create", None)])
def test_the_documented_rotation_keeps_a_key_only_if_one_was_made(
    failing: str, secret: str | None, checkout: Checkout
) -> None:
    rotation = (ROOT / "docs/deploying.md").read_text().partition("**To rotate the key**")[2].split("```")[1]
    steps = rotation.partition("./deploy.sh")[0].replace("PROJECT", "nuumee-test")
    environment = {"PATH": str(checkout.path), "FAILING": failing}
    subprocess.run(["bash", "-c", steps], env=environment, check=False, timeout=60)
    assert checkout.stored_secret() == secret
    calls = checkout.recorded()
    assert [call[3] for call in those(calls, *MAKE_KEY)] == [SIGNER]
    assert len(those(calls, *KEEP)) == (secret is not None)
    assert all("--project=nuumee-test" in call for call in calls)


def test_without_a_key_each_function_may_sign_as_itself(checkout: Checkout) -> None:
    commands = checkout.commands(*REQUIRED, "--signing=keyless")
    names = {FUNCTIONS[name].account for name in SIGNING}
    may = {account for account, roles in grants(commands).items() if "TokenCreator on itself" in str(roles)}
    assert may == names
    assert "url-sign" not in str(commands)
    for name in FUNCTIONS:
        assert variables(deployed(commands, name))["SIGNING"] == "keyless"
        assert ("--clear-secrets" in deployed(commands, name)) == (name in SIGNING)


def test_with_a_key_the_role_to_sign_as_itself_goes_once_no_function_needs_it(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, sign_as_themselves=("list-jobs", "share-video", "purge-job"))
    assert done.returncode == 0, done.stderr
    calls = checkout.calls()
    taken = those(calls, "iam", "service-accounts", "remove-iam-policy-binding")
    emails = [f"{account}@nuumee-test.iam.gserviceaccount.com" for account in ("list-jobs", "share-video")]
    assert [call[3] for call in taken] == emails
    assert [option(call, "--member") for call in taken] == [f"serviceAccount:{email}" for email in emails]
    assert {option(call, "--role") for call in taken} == {"roles/iam.serviceAccountTokenCreator"}
    assert all("--all" in call for call in taken)
    assert min(map(calls.index, taken)) > max(map(calls.index, those(calls, "functions", "deploy")))


def test_a_role_that_is_not_there_is_not_taken_away(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED)
    assert done.returncode == 0, done.stderr
    asked = those(checkout.calls(), "iam", "service-accounts", "get-iam-policy")
    assert {call[3].partition("@")[0] for call in asked} == {FUNCTIONS[name].account for name in SIGNING}
    assert those(checkout.calls(), "iam", "service-accounts", "remove-iam-policy-binding") == []


def test_with_a_key_no_account_may_sign_as_another(commands: list[Command]) -> None:
    assert "TokenCreator" not in str(grants(commands))
    assert option(deployed(commands, "list_jobs"), "--service-account").startswith("list-jobs@")
