"""Firebase: what a run makes of it, and what it leaves to a person."""

from __future__ import annotations

import json
import re
from unittest.mock import Mock

import pytest

from infra.cloud.deployment import Refused
from infra.cloud.fetch import Answer, Request
from tests.unit.infra.deploy.checkout import REQUIRED, Checkout, Done, those

HOSTS = ["a.example", "b.example"]
ON = {"authorizedDomains": ["localhost"], "signIn": {"email": {"enabled": True}}}


def steps(done: Done) -> list[str]:
    """What is left to a person."""
    assert done.returncode == 0, done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("deploy.sh: left to you, ")]


def changes(checkout: Checkout) -> list[Request]:
    return [
        one
        for one in checkout.cloud.requests
        if re.search("firebase[.]|firebasehosting|identitytoolkit", one.url) and one.method in ("POST", "PATCH")
    ]


@pytest.fixture
def on(checkout: Checkout) -> Checkout:
    """A project in which a person has turned Authentication on."""
    checkout.cloud.auth = {**ON}
    return checkout


def test_the_project_becomes_one_of_firebase_with_a_web_app(checkout: Checkout) -> None:
    done = checkout.deploy()
    (step,) = steps(done)
    assert step.startswith(
        "deploy.sh: left to you, 1: Turn on Authentication, and a provider, at https://console."
    )
    assert step.count("/project/nuumee-test/authentication/providers") == 1
    assert [app["displayName"] for app in checkout.cloud.web_apps] == ["NuuMee Jobs"]
    assert checkout.cloud.firebase
    about = changes(checkout)[0].headers
    assert (about["Authorization"], about["X-Goog-User-Project"]) == ("Bearer ya29.token", "nuumee-test")
    assert "ya29" not in done.stdout + done.stderr


def test_a_second_run_makes_nothing_of_it_anew(on: Checkout) -> None:
    on.must()
    on.cloud.requests.clear()
    assert steps(on.deploy()) == []
    assert changes(on) == []


def test_a_web_app_of_somebody_else_stays_alone(on: Checkout) -> None:
    on.cloud.firebase = {"projectId": "nuumee-test"}
    on.cloud.web_apps = [{"displayName": "Other", "appId": "other"}]
    on.must()
    assert [app["displayName"] for app in on.cloud.web_apps] == ["Other", "NuuMee Jobs"]


def test_the_project_gets_the_site_that_the_page_is_put_on(on: Checkout) -> None:
    on.must()
    assert [site["name"] for site in on.cloud.sites] == ["projects/nuumee-test/sites/nuumee-test"]
    (enabled,) = those(on.calls(), "services", "enable")
    assert "firebasehosting.googleapis.com" in enabled


@pytest.mark.parametrize(
    "site",
    [
        {"name": "projects/nuumee-test/sites/nuumee-test-0a1b2", "type": "DEFAULT_SITE"},
        {"name": "projects/123456/sites/nuumee-test", "type": "USER_SITE"},
    ],
)
def test_a_site_that_is_there_is_kept(site: dict[str, str], on: Checkout) -> None:
    on.cloud.sites = [site]
    on.must()
    assert on.cloud.sites == [site]


def test_a_name_of_the_site_that_another_project_has_is_told(on: Checkout) -> None:
    on.cloud.sites_taken = {"nuumee-test"}
    (step,) = steps(on.deploy())
    assert "`nuumee-test` is reserved by another project" in step
    assert "Choose Get started at https://console.firebase.google.com/project/nuumee-test/hosting" in step
    assert on.cloud.web_apps


def test_users_may_sign_in_on_the_pages_hosts_and_where_they_could_before(on: Checkout) -> None:
    assert steps(on.deploy()) == []
    assert on.cloud.auth == {**ON, "authorizedDomains": ["localhost", *HOSTS]}


def test_only_hosts_that_are_missing_are_added(on: Checkout) -> None:
    on.must()
    on.must(
        "--project=nuumee-test", "--region=us-central1", "--allowed-origins=https://a.example,http://c.example:8"
    )
    assert on.cloud.auth == {**ON, "authorizedDomains": ["localhost", *HOSTS, "c.example"]}


def test_an_address_of_ipv6_is_no_domain_to_sign_in_on(on: Checkout) -> None:
    on.must(
        "--project=nuumee-test", "--region=us-central1", "--allowed-origins=https://a.example,http://[2001:db8::1]"
    )
    assert on.cloud.auth == {**ON, "authorizedDomains": ["localhost", "a.example"]}


@pytest.mark.parametrize(
    ("email", "others", "is_told"),
    [
        (False, [], True),
        (False, [{"name": "google.com", "enabled": False}], True),
        (False, [{"name": "google.com", "enabled": True}], False),
        (True, [], False),
    ],
)
def test_without_a_provider_a_person_is_asked_for_one(
    email: bool, others: list[dict[str, object]], is_told: bool, on: Checkout
) -> None:
    on.cloud.auth = {**ON, "signIn": {"email": {"enabled": email}}}
    on.cloud.providers = others
    assert ["Turn on a provider at" in step for step in steps(on.deploy())] == [True] * is_told


def test_terms_that_were_not_accepted_hold_back_nothing_else(on: Checkout) -> None:
    on.cloud.denied = ":addFirebase"
    done = on.deploy()
    (step,) = steps(done)
    assert "POST projects/nuumee-test:addFirebase: 403" in step
    assert step.endswith("must accept the terms at https://console.firebase.google.com")
    assert set(on.cloud.serving()) == set(on.cloud.services)
    assert "NEXT_PUBLIC_LIST_JOBS_URL=https://list-jobs.run.app" in done.stdout
    assert "FIREBASE_API_KEY" not in done.stdout
    assert on.cloud.auth
    assert HOSTS[0] in on.cloud.auth["authorizedDomains"]
    on.cloud.denied = None
    assert steps(on.deploy()) == []
    assert on.cloud.web_apps


def test_what_is_left_to_a_person_is_told_although_the_pages_settings_cannot_be_kept(
    on: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    on.cloud.denied = ":addFirebase"
    monkeypatch.setattr("infra.cloud.deploy.write_settings", Mock(side_effect=Refused("no such bucket")))
    done = on.deploy()
    assert done.returncode != 0
    assert "must accept the terms" in done.stderr
    assert "no such bucket" in done.stderr


def test_an_account_that_may_not_see_authentication_is_told_so_and_the_web_app_is_made(on: Checkout) -> None:
    on.cloud.denied = "nuumee-test/config"
    (step,) = steps(on.deploy())
    assert "GET projects/nuumee-test/config: 403" in step
    assert on.cloud.web_apps


def test_a_slow_operation_is_waited_for(on: Checkout) -> None:
    on.cloud.slow = 3
    done = on.deploy()
    assert done.returncode == 0
    assert done.stderr.count("waiting until Firebase has done projects/nuumee-test:addFirebase") == 3


@pytest.mark.parametrize(
    ("error", "slow", "said"),
    [
        (
            "no quota is left",
            0,
            "Firebase could not be set up: projects/nuumee-test:addFirebase: no quota is left",
        ),
        (None, 1000, "Firebase has not done projects/nuumee-test:addFirebase yet: run deploy.sh again later"),
    ],
)
def test_an_operation_that_comes_to_nothing_is_named(
    error: str | None, slow: int, said: str, on: Checkout
) -> None:
    on.cloud.operation_error, on.cloud.slow = error, slow
    done = on.deploy()
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"deploy.sh: {said}")
    assert "NEXT_PUBLIC_LIST_JOBS_URL=https://list-jobs.run.app" in done.stdout


def test_a_refusal_is_told_in_googles_words(on: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = Answer(400, "application/json", b'{"error": {"message": "Precondition check failed."}}')
    usual = on.cloud.fetch
    monkeypatch.setattr(
        on.cloud, "fetch", lambda request: refusal if request.url.endswith(":addFirebase") else usual(request)
    )
    done = on.deploy()
    assert done.returncode == 2
    assert "addFirebase: 400 application/json: Precondition check failed." in done.stderr


def test_an_api_that_was_turned_on_just_now_is_waited_for(on: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    disabled = json.dumps({"error": {"details": [{"reason": "SERVICE_DISABLED"}]}}).encode()
    early = [Answer(403, "application/json", disabled), Answer(0, "", b"timed out")]
    usual = on.cloud.fetch

    def fetch(request: Request) -> Answer:
        return early.pop(0) if early and "//firebase.googleapis" in request.url else usual(request)

    monkeypatch.setattr(on.cloud, "fetch", fetch)
    done = on.deploy()
    assert done.returncode == 0
    assert done.stderr.count("waiting until the API of Firebase answers") == 2


def test_a_check_says_what_a_run_would_make_and_makes_nothing(on: Checkout) -> None:
    on.must()
    on.cloud.firebase, on.cloud.web_apps, on.cloud.auth = None, [], {**ON}
    on.cloud.requests.clear()
    done = on.deploy("check", *REQUIRED)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "add Firebase to the project",
        "let users sign in on a.example, b.example",
    ]
    assert changes(on) == []
    on.cloud.firebase = {"projectId": "nuumee-test"}
    on.cloud.sites = []
    told = on.deploy("check", *REQUIRED).stdout.splitlines()
    assert told[:2] == ["make the web app NuuMee Jobs", "make the site nuumee-test of Firebase Hosting"]
    assert changes(on) == []


def test_what_makes_something_is_asked_for_once_and_found_by_the_next_run(
    on: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = on.cloud.fetch

    def fetch(request: Request) -> Answer:
        answer = usual(request)
        return Answer(0, "", b"timed out") if request.url.endswith("/webApps") and request.body else answer

    monkeypatch.setattr(on.cloud, "fetch", fetch)
    done = on.deploy()
    assert done.returncode == 2
    assert "Firebase could not be set up: POST projects/nuumee-test/webApps: no answer: timed out" in done.stderr
    assert set(on.cloud.serving()) == set(on.cloud.services)
    monkeypatch.undo()
    on.must()
    assert len(on.cloud.web_apps) == 1


def test_a_check_names_hosts_that_are_no_longer_in_the_data_and_leaves_them_to_a_person(on: Checkout) -> None:
    on.must()
    firebases = ["localhost", "nuumee-test.firebaseapp.com", "nuumee-test.web.app"]
    on.cloud.auth = {**ON, "authorizedDomains": [*firebases, *HOSTS]}
    assert steps(on.deploy("check", *REQUIRED)) == []
    on.cloud.auth["authorizedDomains"] += ["old.example", "other.example"]
    (step,) = steps(on.deploy("check", *REQUIRED))
    assert "Users may also sign in on old.example, other.example, which ALLOWED_ORIGINS does not have" in step
    assert step.endswith("/project/nuumee-test/authentication/settings")
    assert steps(on.deploy()) == [], "a run does not repeat it each time"
    assert "old.example" in on.cloud.auth["authorizedDomains"]
