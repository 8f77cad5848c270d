"""How a new revision is tried: over HTTP, or with a probe."""

from __future__ import annotations

import pytest

from infra.cloud.fetch import Answer, Request
from infra.cloud.smoke import LET_IN, harmless
from infra.functions import Function, Route, table
from shared.web.endpoint import HttpFunction
from tests.calls import call
from tests.enumerated import FOUND
from tests.fakes import FakeServices
from tests.unit.infra.deploy.checkout import ACCOUNTS, FUNCTIONS, REQUIRED, TOPICS, Checkout, option, those

OVER_HTTP = [function for function in FUNCTIONS.values() if not function.topic]


def asked(checkout: Checkout) -> list[Request]:
    return [request for request in checkout.cloud.requests if ".run.app/" in request.url]


def test_each_function_with_routes_is_asked_at_the_address_of_its_candidate(checkout: Checkout) -> None:
    checkout.must()
    hosts = [request.url.split("/")[2] for request in asked(checkout)]
    assert sorted(hosts) == sorted(f"candidate---{function.account}.run.app" for function in OVER_HTTP)
    assert not any("Authorization" in request.headers for request in asked(checkout))
    assert not any("{" in request.url for request in asked(checkout))


def test_every_public_function_has_a_path_with_refusals_that_can_be_told_from_googles() -> None:
    public = [function for function in FUNCTIONS.values() if function.public]
    assert public
    assert all(any(route.path.startswith("/public/") for route in function.routes) for function in public)


def test_a_revision_may_take_some_time_until_it_answers(checkout: Checkout) -> None:
    checkout.cloud.late = 2
    done = checkout.deploy()
    assert done.returncode == 0
    assert done.stderr.count(" answers\n") == 2


@pytest.mark.parametrize(
    "answer",
    [
        Answer(0, "", b"timed out"),
        Answer(401, "text/html", b"<html>"),
        Answer(403, "application/problem+json", b'{"request_id": "1"}'),
        Answer(401, "application/problem+json", b"nothing"),
        Answer(200, "application/json", b"{}"),
    ],
)
def test_only_this_products_own_refusal_will_do(
    answer: Answer, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = checkout.cloud.fetch
    monkeypatch.setattr(
        checkout.cloud, "fetch", lambda request: answer if "get-output" in request.url else usual(request)
    )
    done = checkout.deploy()
    assert done.returncode == 1
    assert f"with {answer}, and not with our 401" in done.stderr


def test_with_a_token_functions_are_asked_as_a_signed_in_user_too(checkout: Checkout) -> None:
    checkout.environment["SMOKE_TOKEN"] = "eyJ.token"
    done = checkout.deploy()
    assert done.returncode == 0
    signed = [request for request in asked(checkout) if "Authorization" in request.headers]
    assert {request.headers["Authorization"] for request in signed} == {"Bearer eyJ.token"}
    hosts = {request.url.split("/")[2] for request in signed}
    asked_for = {
        f"candidate---{function.account}.run.app"
        for function in OVER_HTTP
        if not function.public and harmless(function)
    }
    assert hosts == asked_for
    # Whatever is asked for with a token changes nothing, whoever's it is.
    assert all(request.method == "GET" or "smoke-test-no-such-id" in request.url for request in signed)
    assert "eyJ.token" not in done.stdout + done.stderr + str(checkout.calls())


@pytest.mark.parametrize("function", [one for one in OVER_HTTP if not one.public], ids=lambda one: one.name)
def test_every_function_answers_what_is_asked_with_a_token_as_the_test_wants(function: Function) -> None:
    endpoint = FOUND[function.name]
    assert isinstance(endpoint, HttpFunction)
    for route in harmless(function):
        path = route.path.replace("{job_id}", "smoke-test-no-such-id")
        answer = call(endpoint, FakeServices(), path, method=route.method)
        assert answer.status_code in LET_IN


def test_a_function_that_could_change_something_with_a_token_is_asked_without_one(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.environment["SMOKE_TOKEN"] = "eyJ.token"
    function = table().functions["delete_job"]
    monkeypatch.setitem(function.__dict__, "routes", (Route("DELETE", "/jobs"),))
    checkout.must()
    requests = [request for request in asked(checkout) if "-delete-job.run.app" in request.url]
    assert [(request.method, dict(request.headers)) for request in requests] == [("DELETE", {})]


def test_what_only_a_load_balancer_reaches_is_tried_by_its_start_alone(checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, "--forwarded-hops=2")
    assert done.returncode == 0
    assert "can be reached through its load balancer alone: only its start is tested" in done.stdout
    assert not any("share-video" in request.url for request in asked(checkout))


def test_each_function_that_receives_events_gets_a_probe_at_its_candidate(checkout: Checkout) -> None:
    changes = checkout.must()
    probing = [one for one in those(changes, "pubsub", "subscriptions", "create") if one[3].startswith("probe-")]
    assert {command[3] for command in probing} == {f"probe-{FUNCTIONS[name].account}" for name in TOPICS}
    for command in probing:
        name = command[3].removeprefix("probe-")
        at = f"https://candidate---{name}.run.app/projects/nuumee-test/topics/release-probe"
        assert option(command, "--push-endpoint") == at
        assert option(command, "--push-auth-token-audience") == f"https://{name}.run.app"
        assert option(command, "--push-auth-service-account").startswith("event-pusher@")
    (sent,) = those(changes, "pubsub", "topics", "publish")
    assert option(sent, "--attribute") == "probe=20261126100100"
    gone = {command[3] for command in those(changes, "pubsub", "subscriptions", "delete")}
    assert gone == {command[3] for command in probing}


def test_the_probes_subscriptions_go_even_if_nothing_answers(checkout: Checkout) -> None:
    checkout.cloud.broken = {"purge-job", "count-views"}
    done = checkout.deploy()
    assert done.returncode == 1
    assert "has not answered the probe 20261126100100" in done.stderr
    assert "count-views-" in done.stderr.splitlines()[-1]
    assert not any("probe-" in name for name in checkout.cloud.subscriptions)


def test_a_subscription_of_a_probe_that_cannot_be_deleted_is_told_of_and_goes_next_time(
    checkout: Checkout,
) -> None:
    checkout.cloud.failing = "pubsub subscriptions delete probe-purge-job"
    done = checkout.deploy()
    assert done.returncode == 0
    assert "the subscription probe-purge-job is still there" in done.stdout
    checkout.cloud.failing = None
    checkout.change_source()
    checkout.must()
    assert not any("probe-" in name for name in checkout.cloud.subscriptions)


def test_functions_with_routes_get_no_probe(checkout: Checkout) -> None:
    changes = checkout.must()
    subscribed = {command[3] for command in those(changes, "pubsub", "subscriptions", "create")}
    assert not subscribed & {account for account, function in ACCOUNTS.items() if not function.topic}
