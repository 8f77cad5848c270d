"""The rules of Firestore: published unless somebody else's stand there."""

from __future__ import annotations

import json
from ssl import SSLCertVerificationError
from urllib.error import URLError

import pytest

from infra.cloud.fetch import Answer, Request, fetch
from infra.stage import ROOT
from tests.unit.infra.deploy.checkout import REQUIRED, Checkout

OURS = (ROOT / "infra/cloud/firestore.rules").read_text()
CLOSED = """
rules_version = '2'; // allow read: if true;
service cloud.firestore { match /databases/{d}/documents { match /{all=**} { allow read, write: if false; } } }
"""


def rules(content: str, name: str = "firestore.rules") -> list[dict[str, str]]:
    return [{"name": name, "content": content}]


def sent(checkout: Checkout) -> list[Request]:
    return [one for one in checkout.cloud.requests if "firebaserules" in one.url and one.method != "GET"]


def test_where_there_are_none_ours_are_published(checkout: Checkout) -> None:
    checkout.must()
    assert checkout.cloud.rules == rules(OURS, "nuumee-jobs.rules")
    assert {request.headers["Authorization"] for request in sent(checkout)} == {"Bearer ya29.token"}
    checkout.cloud.requests.clear()
    checkout.must()
    assert sent(checkout) == []


@pytest.mark.parametrize(
    "there",
    [
        rules(CLOSED),
        rules(OURS.replace("Browsers", "Some browsers"), "nuumee-jobs.rules"),
        rules(CLOSED.replace("if false", "if request.auth != null"), "nuumee-jobs.rules"),
    ],
    ids=["closed", "ours of before", "ours of before that were open"],
)
def test_rules_on_which_nobody_else_depends_are_replaced(there: list[dict[str, str]], checkout: Checkout) -> None:
    checkout.cloud.rules = there
    checkout.must()
    assert checkout.cloud.rules == rules(OURS, "nuumee-jobs.rules")


def test_ours_that_were_published_by_hand_stay(checkout: Checkout) -> None:
    checkout.cloud.rules = rules(OURS)
    checkout.must()
    assert sent(checkout) == []


@pytest.mark.parametrize(
    "condition", ["if request.auth != null", "if true", "if false || request.auth.uid == d", ""]
)
def test_rules_that_let_somebody_in_are_not_replaced_unless_it_is_said_so(
    condition: str, checkout: Checkout
) -> None:
    there = rules(CLOSED.replace(": if false", f": {condition}" if condition else ""))
    checkout.cloud.rules = there
    done = checkout.deploy()
    assert done.returncode == 2
    assert "Firestore has rules that are not from here" in done.stderr
    assert "--replace-rules" in done.stderr
    assert checkout.cloud.rules == there
    assert [call[:2] for call in checkout.cloud.changes()] == [["services", "enable"]]
    checkout.must(*REQUIRED, "--replace-rules")
    assert checkout.cloud.rules == rules(OURS, "nuumee-jobs.rules")


@pytest.mark.parametrize(
    "permission",
    [
        'allow get: if "https://a.example" in request.auth.token; allow write: if false;',
        "allow get: if 'it\\'s // here' != ''; allow write: if false;",
        'allow get: if "/*" != ""; allow write: if false; match /b { allow read; } // */',
        "allow get: if true",
        "allow get",
        "allow/**/get: if true;",
    ],
)
def test_rules_that_let_somebody_in_are_known_by_whatever_form(permission: str, checkout: Checkout) -> None:
    checkout.cloud.rules = rules(CLOSED.replace("allow read, write: if false;", permission))
    done = checkout.deploy()
    assert (done.returncode, "Firestore has rules that are not from here" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "permission",
    [
        'function about() { return "allow read: if true; // all"; } allow read, write: if false;',
        "/* allow read; */ allow read: if false; allow write: if  false ; // 'allow",
        "",
    ],
)
def test_rules_that_let_nobody_in_are_known_by_whatever_form(permission: str, checkout: Checkout) -> None:
    checkout.cloud.rules = rules(CLOSED.replace("allow read, write: if false;", f"{permission}\n"))
    checkout.must()
    assert checkout.cloud.rules == rules(OURS, "nuumee-jobs.rules")


@pytest.mark.parametrize(
    ("release", "named"),
    [
        ("firebase.storage/nuumee-images", "The bucket nuumee-images"),
        ("cloud.firestore/(default)", "The database (default)"),
    ],
)
@pytest.mark.parametrize("option", [(), ("--replace-rules",)])
def test_rules_that_let_browsers_past_the_functions_end_the_run(
    release: str, named: str, option: tuple[str, ...], checkout: Checkout
) -> None:
    is_open = rules(CLOSED.replace("if false", "if request.auth != null"))
    checkout.cloud.other_rules = {"firebase.storage/of-another": is_open, release: is_open}
    done = checkout.deploy(*REQUIRED, *option)
    assert (done.returncode, f"{named} has rules of Firebase that let browsers in" in done.stderr) == (2, True)
    assert [call[:2] for call in checkout.cloud.changes()] == [["services", "enable"]]


def test_closed_rules_of_our_buckets_and_those_of_other_buckets_are_left_alone(checkout: Checkout) -> None:
    is_open = rules(CLOSED.replace("if false", "if true"))
    checkout.cloud.other_rules = {
        "firebase.storage/nuumee-images": rules(CLOSED),
        "firebase.storage/of-another": is_open,
    }
    checkout.must()


def test_an_api_that_was_turned_on_just_now_is_waited_for(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = [
        Answer(
            403, "application/json", json.dumps({"error": {"details": [{"reason": "SERVICE_DISABLED"}]}}).encode()
        ),
        Answer(503, "text/html", b""),
    ]
    usual = checkout.cloud.fetch
    monkeypatch.setattr(checkout.cloud, "fetch", lambda request: early.pop(0) if early else usual(request))
    done = checkout.deploy()
    assert done.returncode == 0
    assert done.stderr.count("waiting until the API of Firebase's rules answers") == 2


def test_a_python_without_certificates_is_told_of_at_once(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(*_: object, **__: object) -> None:
        asked.append(1)
        raise URLError(SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"))

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr(checkout.cloud, "fetch", fetch)
    done = checkout.deploy()
    assert (done.returncode, len(asked)) == (2, 1)
    assert "certificate verify failed" in done.stderr


def test_an_api_that_refuses_ends_the_run_before_anything_is_made(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = Answer(403, "application/json", b"{}")
    monkeypatch.setattr(checkout.cloud, "fetch", lambda request: refusal)
    done = checkout.deploy()
    assert done.returncode == 2
    assert "could not be read or published: GET projects/nuumee-test/releases/cloud.firestore: 403" in done.stderr
    assert "ya29" not in done.stderr + done.stdout
    assert [call[:2] for call in checkout.cloud.changes()] == [["services", "enable"]]
