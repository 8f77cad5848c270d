"""What the functions get to sign URLs: a key that is never shown, or a role to sign without one."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest

from infra.cloud.project import LABEL
from tests.unit.infra.deploy.checkout import (
    FUNCTIONS,
    REQUIRED,
    Checkout,
    Line,
    deployed,
    option,
    those,
    variables,
)
from tests.unit.infra.deploy.cloud.access import HMAC_KEY
from tests.unit.infra.deploy.cloud.command import Command
from tests.unit.infra.deploy.test_resources import grants

SIGNING = {name for name, function in FUNCTIONS.items() if function.signs}
MAKE_KEY = ("storage", "hmac", "create")
SIGNER = "url-signer@nuumee-test.iam.gserviceaccount.com"
KEEP = ("secrets", "versions", "add")
KEYLESS = (*REQUIRED, "--signing=keyless")
FROM_SECRET = "--set-secrets=SIGNING_KEY=url-signing-key:latest"


def test_the_functions_that_sign_get_the_key_and_no_others_do(commands: list[Line]) -> None:
    assert {name for name in FUNCTIONS if FROM_SECRET in deployed(commands, name)} == SIGNING
    assert {variables(deployed(commands, name))["SIGNING"] for name in FUNCTIONS} == {"key"}
    assert not any("SIGNING_KEY" in variables(deployed(commands, name)) for name in FUNCTIONS)


def test_the_key_is_made_before_what_needs_it(commands: list[Line]) -> None:
    (account,) = those(commands, "iam", "service-accounts", "create", "url-signer")
    (secret,) = those(commands, "secrets", "create", "url-signing-key")
    (key,), (kept,) = those(commands, *MAKE_KEY), those(commands, *KEEP)
    (enabled,) = those(commands, "services", "enable")
    steps = [enabled, account, secret, key, kept, deployed(commands, "list_jobs")]
    assert [commands.index(step) for step in steps] == sorted(commands.index(step) for step in steps)
    assert "secretmanager.googleapis.com" in enabled
    assert key[3] == "url-signer@nuumee-test.iam.gserviceaccount.com"
    assert kept[3:5] == ["url-signing-key", "--data-file=-"]


def test_the_secret_is_kept_in_the_region_alone(checkout: Checkout) -> None:
    """An organisation that restricts locations refuses any other."""
    (secret,) = those(checkout.must(), "secrets", "create", "url-signing-key")
    assert {"--replication-policy=user-managed", "--locations=us-central1"} <= set(secret)


def kept(checkout: Checkout) -> list[str]:
    """What is in the secret's versions that can be read."""
    return [content for state, content in (checkout.cloud.versions or {}).values() if state == "enabled"]


def test_the_key_is_kept_and_shown_nowhere(checkout: Checkout) -> None:
    done = checkout.deploy()
    assert done.returncode == 0, done.stderr
    assert kept(checkout) == [HMAC_KEY]
    secret = HMAC_KEY.partition(":")[2]
    assert secret not in done.stdout + done.stderr + str(checkout.calls())
    # gcloud would write its output, including the key, into a log file.
    (made,) = [call for call in checkout.cloud.calls if list(call.words[:3]) == [*MAKE_KEY]]
    assert made.environment == {"CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1"}
    assert made.takes_output


def test_a_key_that_is_there_is_not_made_again(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.versions = {"1": ("destroyed", ""), "2": ("enabled", HMAC_KEY)}
    changes = checkout.must()
    assert (those(changes, *MAKE_KEY), those(changes, *KEEP)) == ([], [])
    assert FROM_SECRET in deployed(changes, "list_jobs")


def test_a_secret_of_somebody_elses_is_neither_used_nor_deleted(checkout: Checkout) -> None:
    checkout.cloud.versions = {"1": ("enabled", "GOOG1EOTHER:secret")}
    done = checkout.deploy()
    assert (done.returncode, "the secret url-signing-key may be another product's" in done.stderr) == (2, True)
    assert [command[:2] for command in checkout.cloud.changes()] == [["services", "enable"]]
    checkout.must(*REQUIRED, "--signing=keyless")
    checkout.answers = ["nuumee-test"]
    assert checkout.deploy("destroy", *REQUIRED, "--signing=keyless").returncode == 0
    assert checkout.cloud.versions == {"1": ("enabled", "GOOG1EOTHER:secret")}


def test_a_secret_that_an_earlier_version_made_without_a_label_gets_it(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.secret_labels = {"team": "video"}
    checkout.cloud.accounts[SIGNER]["description"] = ""
    marks = [command[:3] for command in checkout.must()]
    assert marks == [["iam", "service-accounts", "update"], ["secrets", "update", "url-signing-key"]]
    assert checkout.cloud.secret_labels == {"team": "video", **dict([LABEL])}
    assert checkout.must() == []


@pytest.mark.parametrize("state", ["disabled", "destroyed"])
def test_a_key_that_cannot_be_read_any_more_is_made_anew(state: str, checkout: Checkout) -> None:
    checkout.cloud.versions = {"1": (state, "")}
    checkout.cloud.secret_labels = dict([LABEL])
    checkout.must()
    assert kept(checkout) == [HMAC_KEY]


@pytest.mark.parametrize("state", [None, "INACTIVE"])
def test_a_key_that_can_sign_no_more_is_made_anew(state: str | None, checkout: Checkout) -> None:
    checkout.must()
    del checkout.cloud.keys["GOOG1EKEY"]
    if state:
        checkout.cloud.keys["GOOG1EOLD"] = state
    lines = checkout.deploy("check", *REQUIRED).stdout.splitlines()
    assert any(line.startswith(f"gcloud {' '.join(MAKE_KEY)}") for line in lines)
    changes = checkout.must()
    assert [command[:3] for command in changes[:2]] == [[*MAKE_KEY], [*KEEP]]
    assert {command[2] for command in those(changes, "run", "deploy")} == {
        FUNCTIONS[name].account for name in SIGNING
    }
    assert checkout.cloud.keys["GOOG1EKEY"] == "ACTIVE"
    # What was served before may have had to start until then.
    assert checkout.cloud.versions == {"1": ("enabled", HMAC_KEY), "2": ("enabled", HMAC_KEY)}
    assert checkout.must() == []


def test_a_key_that_went_with_its_account_is_made_anew(checkout: Checkout) -> None:
    checkout.must()
    checkout.must(*KEYLESS)
    checkout.answers = ["yes"]
    assert checkout.deploy("check", "--prune", *KEYLESS).returncode == 0
    assert SIGNER not in checkout.cloud.accounts
    # Whatever is listed for the name of the account, its former keys are none of the new one's.
    checkout.cloud.keys["GOOG1EOLD"] = "ACTIVE"
    assert len(those(checkout.must(), *MAKE_KEY)) == 1
    assert len(kept(checkout)) == 2


def test_a_key_that_an_interrupted_end_left_in_the_secret_alone_is_made_anew(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.failing = "secrets delete"
    checkout.answers = ["nuumee-test"]
    assert checkout.deploy("destroy", *REQUIRED).returncode == 1
    assert (checkout.cloud.keys, kept(checkout)) == ({}, [HMAC_KEY])
    checkout.cloud.failing = None
    checkout.must()
    assert [*checkout.cloud.keys.values()] == ["ACTIVE"]
    assert checkout.must() == []


@pytest.mark.parametrize("made", ["", "GOOG1EKEY", ":secret", "GOOG1EKEY:se cret"])
def test_what_is_no_key_is_not_kept(made: str, checkout: Checkout) -> None:
    checkout.cloud.hmac_key = made
    done = checkout.deploy()
    assert done.returncode == 2
    problem = f"deploy.sh: gcloud made no HMAC key for {SIGNER} that can be kept"
    known = made.startswith("GOOG1EKEY")
    left = (
        f", and may still be there: see gcloud storage hmac list --service-account={SIGNER} --project=nuumee-test"
    )
    assert done.stderr.splitlines()[-1] == problem + ("" if known else left)
    assert deleted_keys(checkout) == (["GOOG1EKEY"] if known else [])
    assert (kept(checkout), those(checkout.calls(), "run", "deploy")) == ([], [])


def test_a_key_that_cannot_be_kept_is_deleted_each_time(checkout: Checkout) -> None:
    checkout.cloud.failing, checkout.cloud.saying = " ".join(KEEP), "PERMISSION_DENIED"
    for _ in range(2):
        done = checkout.deploy()
        assert done.returncode == 2
        assert "PERMISSION_DENIED" in done.stderr
        assert done.stderr.splitlines()[-1] == (
            f"deploy.sh: the HMAC key of {SIGNER} could not be kept in the secret url-signing-key"
        )
    assert deleted_keys(checkout) == ["GOOG1EKEY"] * len(those(checkout.calls(), *MAKE_KEY)) == ["GOOG1EKEY"] * 2
    assert those(checkout.calls(), "run", "deploy") == []


@pytest.mark.parametrize("step", ["update", "delete"])
def test_a_key_that_can_be_neither_kept_nor_deleted_is_told_of(step: str, checkout: Checkout) -> None:
    checkout.cloud.hmac_key, checkout.cloud.failing = "GOOG1EKEY", f"storage hmac {step}"
    done = checkout.deploy()
    assert done.returncode == 2
    assert done.stderr.endswith(f"see gcloud storage hmac list --service-account={SIGNER} --project=nuumee-test\n")


def test_a_key_that_was_kept_although_the_answer_was_lost_stays(checkout: Checkout) -> None:
    checkout.cloud.lost = " ".join(KEEP)
    checkout.must()
    assert (kept(checkout), deleted_keys(checkout)) == ([HMAC_KEY], [])


def deleted_keys(checkout: Checkout) -> list[str]:
    """Access ids of the keys that were deactivated and then deleted."""
    changed = [call[2:5] for call in checkout.calls() if call[:2] == ["storage", "hmac"] and call[2] != "create"]
    ids = [access_id for step, access_id, _ in changed if step == "delete"]
    steps = [(["update", one, "--deactivate"], ["delete", one, "--project=nuumee-test"]) for one in ids]
    assert changed == [step for both in steps for step in both]
    return ids


def test_without_a_key_each_function_may_sign_as_itself(checkout: Checkout) -> None:
    commands = checkout.commands(*REQUIRED, "--signing=keyless")
    names = {FUNCTIONS[name].account for name in SIGNING}
    may = {account for account, roles in grants(commands).items() if "TokenCreator on itself" in str(roles)}
    assert may == names
    assert "url-sign" not in str(commands)
    for name in FUNCTIONS:
        assert variables(deployed(commands, name))["SIGNING"] == "keyless"
        assert "--clear-secrets" in deployed(commands, name)


def test_with_a_key_the_role_to_sign_as_itself_goes_once_no_function_needs_it(checkout: Checkout) -> None:
    checkout.must(*REQUIRED, "--signing=keyless")
    changes = checkout.must()
    taken = those(changes, "iam", "service-accounts", "remove-iam-policy-binding")
    emails = {f"{FUNCTIONS[name].account}@nuumee-test.iam.gserviceaccount.com" for name in SIGNING}
    assert {command[3] for command in taken} == emails
    assert {option(command, "--member") for command in taken} == {f"serviceAccount:{email}" for email in emails}
    assert {option(command, "--role") for command in taken} == {"roles/iam.serviceAccountTokenCreator"}
    assert all("--all" in command for command in taken)
    moved = those(changes, "run", "services", "update-traffic")
    assert min(map(changes.index, taken)) > max(map(changes.index, moved))
    assert checkout.must() == []


def test_with_a_key_no_account_may_sign_as_another(commands: list[Line]) -> None:
    assert "TokenCreator" not in str(grants(commands))
    assert option(deployed(commands, "list_jobs"), "--service-account").startswith("list-jobs@")


def rotate(checkout: Checkout, *flags: str) -> list[Line]:
    return checkout.must("rotate-signing-key", *REQUIRED, *flags)


def test_a_rotation_makes_a_new_key_and_deletes_the_old_one_an_hour_later(checkout: Checkout) -> None:
    checkout.must()
    first = rotate(checkout)
    # Only the functions that sign take a new revision.
    assert {command[2] for command in those(first, "run", "deploy")} == {
        FUNCTIONS[name].account for name in SIGNING
    }
    assert (len(kept(checkout)), [*checkout.cloud.keys]) == (2, ["GOOG1EKEY", "GOOG1EKEY2"])
    assert rotate(checkout) == [], "it is too early"
    checkout.time += timedelta(minutes=75)
    last = rotate(checkout)
    assert [command[:4] for command in last] == [
        ["storage", "hmac", "update", "GOOG1EKEY"],
        ["storage", "hmac", "delete", "GOOG1EKEY"],
        ["secrets", "versions", "destroy", "1"],
    ]
    assert ([*checkout.cloud.keys], kept(checkout)) == (["GOOG1EKEY2"], ["GOOG1EKEY2:se/cr+et="])
    assert checkout.must() == []


def test_the_old_key_stays_for_its_hour_from_when_no_function_uses_it_any_more(checkout: Checkout) -> None:
    checkout.must()
    usual = checkout.cloud.on_run_services_update_traffic

    def slow(command: Command) -> None:
        checkout.time += timedelta(minutes=7)
        usual(command)

    with patch.object(checkout.cloud, "on_run_services_update_traffic", slow):
        began = checkout.time
        rotate(checkout)
    assert checkout.time > began + timedelta(minutes=20)
    moved = checkout.time
    checkout.time = moved + timedelta(minutes=73)
    assert rotate(checkout) == [], "it is too early"
    checkout.time = moved + timedelta(minutes=75)
    assert rotate(checkout) != []


def test_a_key_that_leaked_is_deleted_as_soon_as_no_function_uses_it(checkout: Checkout) -> None:
    checkout.must()
    changes = rotate(checkout, "--leaked")
    assert [*checkout.cloud.keys] == ["GOOG1EKEY2"]
    moved = max(map(changes.index, those(changes, "run", "services", "update-traffic")))
    assert moved < changes.index(those(changes, "storage", "hmac", "update", "GOOG1EKEY")[0])


@pytest.mark.parametrize("step", ["run deploy share-video", "update-traffic get-output", "storage hmac delete"])
def test_a_rotation_that_was_interrupted_goes_on_with_the_key_that_it_made(step: str, checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.failing = step
    assert checkout.deploy("rotate-signing-key", *REQUIRED, "--leaked").returncode == 7
    checkout.cloud.failing = None
    rotate(checkout, "--leaked")
    assert ([*checkout.cloud.keys], len(kept(checkout))) == (["GOOG1EKEY2"], 1)


def test_a_rotation_does_not_release_again_what_was_rolled_back(checkout: Checkout) -> None:
    checkout.must()
    checkout.change_source()
    checkout.must()
    checkout.must("rollback", *REQUIRED)
    before = checkout.cloud.serving()
    done = checkout.deploy("rotate-signing-key", *REQUIRED, "--leaked")
    assert (done.returncode, checkout.cloud.serving(), len(kept(checkout))) == (2, before, 1)
    assert "is not what is served, and a rotation would release it" in done.stderr


def test_a_rotation_shows_no_key(checkout: Checkout) -> None:
    checkout.must()
    done = checkout.deploy("rotate-signing-key", *REQUIRED, "--leaked")
    assert done.returncode == 0
    assert "se/cr+et=" not in done.stdout + done.stderr + str(checkout.calls())
    assert all(call.environment for call in checkout.cloud.calls if "access" in call.words)


@pytest.mark.parametrize(
    ("access_id", "state"), [("GOOG1EOTHER", "ACTIVE"), ("GOOG1EKEY2", "INACTIVE")], ids=["other", "inactive"]
)
def test_a_rotation_whose_new_key_is_no_active_one_of_the_accounts_begins_anew_and_deletes_nothing_yet(
    access_id: str, state: str, checkout: Checkout
) -> None:
    checkout.must()
    rotate(checkout)
    checkout.time += timedelta(hours=2)
    assert checkout.cloud.versions
    checkout.cloud.versions["2"] = ("enabled", f"{access_id}:secret")
    checkout.cloud.keys["GOOG1EKEY2"] = state
    rotate(checkout)
    assert [*checkout.cloud.keys] == ["GOOG1EKEY", "GOOG1EKEY2", "GOOG1EKEY3"]
    assert {state for state, _ in checkout.cloud.versions.values()} == {"enabled"}
    checkout.time += timedelta(hours=2)
    rotate(checkout)
    assert [*checkout.cloud.keys] == ["GOOG1EKEY3"]


def test_a_rotation_that_is_not_finished_is_told_of(checkout: Checkout) -> None:
    step = "The secret still has an old signing key. Run ./deploy.sh rotate-signing-key again"

    def told(*flags: str) -> tuple[int, bool]:
        done = checkout.deploy(*(flags or REQUIRED))
        return done.returncode, step in done.stderr

    checkout.must()
    assert (told(), told("check", *REQUIRED)) == ((0, False), (0, False))
    rotate(checkout)
    assert (told(), told("check", *REQUIRED)) == ((0, True), (1, True))
    checkout.time += timedelta(hours=2)
    rotate(checkout)
    assert (told(), told("check", *REQUIRED)) == ((0, False), (0, False))


def test_keys_that_are_not_used_are_none_of_a_rotation(checkout: Checkout) -> None:
    checkout.must()
    rotate(checkout)
    done = checkout.deploy(*KEYLESS)
    assert (done.returncode, "old signing key" in done.stderr) == (0, False)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--signing=keyless",), "with SIGNING=keyless there is no key"),
        ((), "there is no key yet: run ./deploy.sh"),
    ],
)
def test_what_has_no_key_is_not_given_one_by_a_rotation(
    flags: tuple[str, ...], said: str, checkout: Checkout
) -> None:
    done = checkout.deploy("rotate-signing-key", *REQUIRED, *flags)
    assert (done.returncode, checkout.cloud.changes()) == (2, [])
    assert said in done.stderr


def test_going_back_behind_a_rotation_still_finds_a_key(checkout: Checkout) -> None:
    checkout.must()
    changes = rotate(checkout)
    assert all(option(command, "--set-secrets").endswith(":latest") for command in those(changes, "run", "deploy"))
