"""What the functions get to sign URLs: a key that is never shown, or a role to sign without one."""

from __future__ import annotations

import pytest

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
    assert checkout.secret() == HMAC_KEY
    secret = HMAC_KEY.partition(":")[2]
    assert secret not in done.stdout + done.stderr + str(checkout.calls())
    # gcloud would write its output, including the key, into a log file.
    assert "CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1" in (checkout.path / "gcloud.environment").read_text().split()


def test_a_key_that_is_there_is_not_made_again(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, VERSIONS="projects/123456/secrets/url-signing-key/versions/1")
    assert done.returncode == 0, done.stderr
    assert those(checkout.calls(), "secrets", "versions", "list")
    assert (those(checkout.calls(), *MAKE_KEY), those(checkout.calls(), *KEEP)) == ([], [])
    assert FROM_SECRET in deployed(checkout.calls(), "list_jobs")


@pytest.mark.parametrize("made", ["", "GOOG1EKEY", ":secret", "GOOG1EKEY:se cret"])
def test_what_is_no_key_is_not_kept(made: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, HMAC_KEY=made)
    assert done.returncode == 2
    assert done.stderr.endswith(
        "gcloud made no HMAC key for url-signer@nuumee-test.iam.gserviceaccount.com that can be kept\n"
    )
    assert (checkout.secret(), those(checkout.calls(), "functions", "deploy")) == (None, [])


def test_without_a_key_each_function_may_sign_as_itself(checkout: Checkout) -> None:
    commands = checkout.commands(*REQUIRED, "--signing=keyless")
    names = {FUNCTIONS[name].account for name in SIGNING}
    may = {account for account, roles in grants(commands).items() if "TokenCreator on itself" in str(roles)}
    assert may == names
    assert "url-sign" not in str(commands)
    for name in FUNCTIONS:
        assert variables(deployed(commands, name))["SIGNING"] == "keyless"
        assert ("--clear-secrets" in deployed(commands, name)) == (name in SIGNING)


def test_with_a_key_no_account_may_sign_as_another(commands: list[Command]) -> None:
    assert "TokenCreator" not in str(commands)
    assert option(deployed(commands, "list_jobs"), "--service-account").startswith("list-jobs@")
