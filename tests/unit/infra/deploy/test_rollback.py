"""Back to an earlier release, all services or none."""

from __future__ import annotations

import json

import pytest

from tests.unit.infra.deploy.checkout import REQUIRED, Checkout, Line
from tests.unit.infra.deploy.test_release import MOVE, ORDER


def rollback(checkout: Checkout) -> list[Line]:
    return checkout.must("rollback", *REQUIRED)


def test_rollback_serves_the_release_before_the_present_one(released: Checkout) -> None:
    first = released.cloud.serving()
    released.must()
    second = released.cloud.serving()
    released.change_source()
    released.must()
    moved = rollback(released)
    assert released.cloud.serving() == second
    assert [command[:3] for command in moved[:-1]] == [[*MOVE]] * len(ORDER)
    assert moved[-1][:2] == ["storage", "cp"], "it is recorded"
    rollback(released)
    assert released.cloud.serving() == first
    done = released.deploy("rollback", *REQUIRED)
    assert (done.returncode, released.cloud.serving()) == (2, first)
    assert "there is no earlier release that could be gone back to" in done.stderr


def test_a_rollback_needs_no_right_to_list_keys(released: Checkout) -> None:
    first = released.cloud.serving()
    released.must()
    released.cloud.failing = "storage hmac list"
    rollback(released)
    assert released.cloud.serving() == first


def test_a_rollback_leaves_a_service_of_somebody_else_with_several_containers_alone(
    released: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = released.cloud.serving()
    released.must()
    containers: list[dict[str, object]] = [{"image": "sidecar"}, {"env": [{"name": "A", "value": "b"}]}]
    other = {"metadata": {"name": "other-1"}, "spec": {"containers": containers}}
    ours = released.cloud.on_run_revisions_list
    monkeypatch.setattr(released.cloud, "on_run_revisions_list", lambda command: [other, *ours(command)])
    rollback(released)
    assert released.cloud.serving() == first


def test_no_rollback_comes_to_a_release_that_was_left(released: Checkout) -> None:
    first = released.cloud.serving()
    released.must()
    rollback(released)
    released.change_source()
    released.must()
    rollback(released)
    assert released.cloud.serving() == first
    done = released.deploy("rollback", *REQUIRED)
    assert (done.returncode, released.cloud.serving()) == (2, first)


def test_rollback_goes_on_to_what_was_before_a_release_that_was_gone_back_to(released: Checkout) -> None:
    first = released.cloud.serving()
    released.must()
    second = released.cloud.serving()
    for _ in range(2):
        released.change_source()
        released.must()
        rollback(released)
        assert released.cloud.serving() == second
    rollback(released)
    assert released.cloud.serving() == first


def test_a_rollback_that_cannot_be_recorded_says_what_serves(released: Checkout) -> None:
    first = released.cloud.serving()
    released.must()
    released.cloud.failing = "storage cp"
    done = released.deploy("rollback", *REQUIRED)
    assert (done.returncode, released.cloud.serving()) == (7, first)
    assert "serves again, but this could not be recorded" in done.stderr


def test_after_a_rollback_a_run_releases_the_present_source_again(released: Checkout) -> None:
    released.must()
    second = released.cloud.serving()
    rollback(released)
    released.must()
    serving = released.cloud.serving()
    assert {name: revision[:-14] for name, revision in serving.items()} == {
        name: revision[:-14] for name, revision in second.items()
    }


def test_rollback_from_a_release_that_is_moved_in_part_serves_the_last_whole_one(released: Checkout) -> None:
    whole = released.cloud.serving()
    released.cloud.failing = "update-traffic"
    assert released.deploy().returncode == 7
    released.cloud.failing = None
    candidates = {
        name: next(one["revisionName"] for one in service["status"]["traffic"] if "tag" in one)
        for name, service in released.cloud.services.items()
    }
    for name in ORDER[:4]:
        released.cloud._serve(name, {candidates[name]: 100})
    rollback(released)
    assert released.cloud.serving() == whole


def test_rollback_leaves_a_service_that_the_release_did_not_know(released: Checkout) -> None:
    released.must()
    name = ORDER[0]
    (record, *_) = sorted(name for name in released.cloud.objects if "/releases/" in name)
    known = json.loads(released.cloud.objects[record])
    del known["revisions"][name]
    released.cloud.objects[record] = json.dumps(known) + "\n"
    kept = released.cloud.serving()[name]
    rollback(released)
    assert released.cloud.serving()[name] == kept


KEYLESS = (*REQUIRED, "--signing=keyless")


@pytest.mark.parametrize("gone", ["secret", "account", "key"])
def test_no_rollback_comes_to_a_release_whose_key_is_gone(gone: str, checkout: Checkout) -> None:
    checkout.must()
    checkout.must(*KEYLESS)
    if gone == "secret":
        checkout.cloud.versions = None
    elif gone == "key":
        checkout.cloud.keys.clear()
    else:
        del checkout.cloud.accounts["url-signer@nuumee-test.iam.gserviceaccount.com"]
    before = checkout.cloud.serving()
    checkout.cloud.calls.clear()
    done = checkout.deploy("rollback", *KEYLESS)
    assert (done.returncode, checkout.cloud.changes(), checkout.cloud.serving()) == (2, [], before)
    assert "there is no earlier release that could be gone back to" in done.stderr


def test_no_rollback_comes_to_a_release_that_may_no_longer_sign_without_a_key(checkout: Checkout) -> None:
    checkout.must(*KEYLESS)
    checkout.must()
    checkout.cloud.calls.clear()
    done = checkout.deploy("rollback", *REQUIRED)
    assert (done.returncode, checkout.cloud.changes()) == (2, [])


def test_a_rollback_comes_to_a_release_whose_way_to_sign_is_still_there(checkout: Checkout) -> None:
    checkout.must(*KEYLESS)
    checkout.change_source()
    checkout.must(*KEYLESS)
    checkout.must("rollback", *KEYLESS)
    checkout.must()
    first = checkout.cloud.serving()
    checkout.must(*KEYLESS)
    checkout.must("rollback", *KEYLESS)
    assert checkout.cloud.serving() == first


BEHIND = (*REQUIRED, "--forwarded-hops=2")


@pytest.mark.parametrize(("before", "now"), [(REQUIRED, BEHIND), (BEHIND, REQUIRED)])
def test_no_rollback_comes_to_a_release_that_takes_another_address_for_its_clients(
    before: tuple[str, ...], now: tuple[str, ...], checkout: Checkout
) -> None:
    checkout.must(*before)
    checkout.must(*now)
    first = checkout.cloud.serving()
    checkout.change_source()
    checkout.must(*now)
    checkout.must("rollback", *now)
    assert checkout.cloud.serving() == first
    checkout.cloud.calls.clear()
    done = checkout.deploy("rollback", *now)
    assert (done.returncode, checkout.cloud.changes(), checkout.cloud.serving()) == (2, [], first)
    assert "there is no earlier release that could be gone back to" in done.stderr


def test_a_rollback_that_fails_moves_all_back(released: Checkout) -> None:
    released.must()
    before = released.cloud.serving()
    released.cloud.lost = f"update-traffic {ORDER[4]}"
    assert released.deploy("rollback", *REQUIRED).returncode == 7
    assert released.cloud.serving() == before
