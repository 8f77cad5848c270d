"""Tokens signed as Google signs them: RS256, with certificates from the test's own server."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import firebase_admin
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from google.auth import credentials as google_credentials
from google.auth import crypt, jwt
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from shared.access.auth import TokenVerifier
from shared.access.user import User, bearer_token
from shared.errors import Unauthorized, Unavailable
from tests.tokens import encode, pem, private_key

PROJECT = "nuumee-test"
KEY_ID = "key-1"


class Credential(firebase_admin.credentials.Base):  # type: ignore[misc]  # untyped
    def get_credential(self) -> google_credentials.AnonymousCredentials:
        return google_credentials.AnonymousCredentials()


class Google:
    """One server for both the certificates and the accounts."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self.user: dict[str, Any] | None = {"localId": "user-1", "validSince": "0"}
        self.fails = False
        self.certificates: object = {KEY_ID: certificate(key)}
        google = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                google.answer(self, google.certificates)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                google.answer(self, {"users": [google.user]} if google.user else {})

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, handler: BaseHTTPRequestHandler, body: object) -> None:
        content = json.dumps(body).encode()
        handler.send_response(503 if self.fails else 200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "securetoken")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=1))
    signed = builder.not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return private_key()


@pytest.fixture
def google(key: rsa.RSAPrivateKey) -> Iterator[Google]:
    server = Google(key)
    thread = threading.Thread(target=server.server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.server.shutdown()
    thread.join()
    server.server.server_close()


@pytest.fixture
def verifier(google: Google, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenVerifier]:
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    monkeypatch.setattr("firebase_admin._token_gen.ID_TOKEN_CERT_URI", f"{google.url}/certificates")
    monkeypatch.setattr("firebase_admin._user_mgt.UserManager.ID_TOOLKIT_URL", google.url)
    app = firebase_admin.initialize_app(
        Credential(), {"projectId": PROJECT, "httpTimeout": 2}, name="tests/unit/test_auth"
    )
    yield TokenVerifier(app, PROJECT)
    firebase_admin.delete_app(app)


@cache
def signer(key: bytes) -> crypt.RSASigner:
    """What signs with this key. To read a key takes longer than to sign with it."""
    read: crypt.RSASigner = crypt.RSASigner.from_string(key, KEY_ID)
    return read


@pytest.fixture
def token(key: rsa.RSAPrivateKey) -> Callable[..., str]:
    ours = pem(key)

    def make(signing_key: bytes = ours, **changes: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": f"https://securetoken.google.com/{PROJECT}",
            "aud": PROJECT,
            "sub": "user-1",
            "iat": now - 60,
            "exp": now + 3600,
            **changes,
        }
        encoded: bytes = jwt.encode(signer(signing_key), claims)
        return encoded.decode()

    return make


@pytest.fixture
def claims() -> dict[str, Any]:
    now = int(time.time())
    issuer = f"https://securetoken.google.com/{PROJECT}"
    return {"iss": issuer, "aud": PROJECT, "sub": "user-1", "iat": now - 60, "exp": now + 3600}


def refusal(verifier: TokenVerifier, token: str, *, check_revoked: bool = False) -> str:
    with pytest.raises(Unauthorized) as caught:
        verifier.verify(token, check_revoked=check_revoked)
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}
    return caught.value.detail


def test_a_token_that_google_signed_names_its_user(verifier: TokenVerifier, token: Callable[..., str]) -> None:
    assert verifier.verify(token(), check_revoked=False).id == "user-1"
    assert verifier.verify(token(), check_revoked=True).id == "user-1"


def test_each_thing_wrong_with_a_token_has_a_sentence_of_its_own(
    verifier: TokenVerifier, token: Callable[..., str], google: Google
) -> None:
    now = int(time.time())
    stranger = pem(private_key())
    details = {
        "expired": refusal(verifier, token(iat=now - 7200, exp=now - 3600)),
        "audience": refusal(verifier, token(aud="another-project")),
        "issuer": refusal(verifier, token(iss="https://accounts.google.com")),
        "signature": refusal(verifier, token(stranger)),
        "too early": refusal(verifier, token(iat=now + 600, exp=now + 3600)),
        "malformed": refusal(verifier, "garbage"),
    }
    google.user = {"localId": "user-1", "validSince": str(now)}
    details["revoked"] = refusal(verifier, token(), check_revoked=True)
    google.user = {"localId": "user-1", "validSince": "0", "disabled": True}
    details["disabled"] = refusal(verifier, token(), check_revoked=True)
    google.user = None
    details["removed"] = refusal(verifier, token(), check_revoked=True)
    assert len(set(details.values())) == len(details), details
    assert "expired" in details["expired"]
    assert "another project" in details["audience"]
    assert "issuer" in details["issuer"]
    assert "not signed" in details["signature"]
    assert "disabled" in details["disabled"]


def test_a_revoked_token_lives_on_where_revocation_is_not_checked(
    verifier: TokenVerifier, token: Callable[..., str], google: Google
) -> None:
    google.user = {"localId": "user-1", "validSince": str(int(time.time()))}
    assert verifier.verify(token(), check_revoked=False).id == "user-1"


def test_a_token_that_was_verified_is_known_until_it_expires(
    verifier: TokenVerifier, token: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good, expires = token(sub="user-2", exp=int(time.time()) + 60), time.time() + 60
    assert verifier.known(good) is None
    verifier.verify(good, check_revoked=False)
    assert verifier.known(good) == User("user-2")
    assert verifier.known(good[:-1] + "x") is None
    monkeypatch.setattr("shared.access.auth.time.time", lambda: expires + 1)
    assert verifier.known(good) is None
    assert "expired" in refusal(verifier, good)


def test_a_token_that_was_refused_is_not_known(
    verifier: TokenVerifier, token: Callable[..., str], google: Google
) -> None:
    google.user = {"localId": "user-1", "validSince": str(int(time.time()))}
    for bad, check_revoked in ((token(aud="another-project"), False), (token(), True)):
        refusal(verifier, bad, check_revoked=check_revoked)
        assert verifier.known(bad) is None


def test_known_tokens_are_bounded_in_number_and_not_kept_themselves(
    verifier: TokenVerifier, token: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.access.auth._MOST_KNOWN", 2)
    tokens = [token(sub=f"user-{number}") for number in range(3)]
    for one in tokens:
        verifier.verify(one, check_revoked=False)
    assert [verifier.known(one) is not None for one in tokens] == [False, True, True]
    assert not any(one in repr(vars(verifier)) for one in tokens)


def test_an_unsigned_token_is_refused_where_emulators_are_off(verifier: TokenVerifier) -> None:
    now = int(time.time())
    claims = {"iss": f"https://securetoken.google.com/{PROJECT}", "aud": PROJECT, "sub": "user-1"}
    for token in (
        encode({**claims, "iat": now, "exp": now + 3600}),
        encode({**claims, "iat": now, "exp": now + 3600}, kid=KEY_ID),
        encode({**claims, "iat": now, "exp": now + 3600}, kid=KEY_ID, alg="RS256"),
    ):
        assert "not signed" in refusal(verifier, token)


@given(
    st.text(max_size=50) | st.tuples(st.text(max_size=9), st.text(max_size=9), st.text(max_size=9)).map(".".join)
)
def test_garbage_is_malformed_and_nothing_else(verifier: TokenVerifier, garbage: str) -> None:
    assert "malformed" in refusal(verifier, garbage)


@pytest.mark.parametrize("text", ["[" * 5500, '{"a":' * 1000, '{"a":' + "9" * 5000 + "}", "NaN", '"\\ud800"'])
def test_a_token_that_json_chokes_on_is_malformed(verifier: TokenVerifier, text: str) -> None:
    choking = base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
    header = base64.urlsafe_b64encode(b'{"alg": "RS256", "kid": "key-1"}').rstrip(b"=").decode()
    for token in (f"{header}.{choking}.", f"{choking}.{choking}.", f"{choking}.{header}."):
        refusal(verifier, token)


@pytest.mark.parametrize("uid", ["", "a" * 129, None, 7, "\ud800"])
def test_an_invalid_user_id_is_refused(monkeypatch: pytest.MonkeyPatch, verifier: TokenVerifier, uid: Any) -> None:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:1")
    claims = {"iss": f"https://securetoken.google.com/{PROJECT}", "aud": PROJECT, "sub": uid}
    assert "malformed" in refusal(verifier, encode({**claims, "exp": time.time() + 60}))


@pytest.mark.parametrize("claims", [[], "text", 7, None, {"aud": PROJECT}])
def test_claims_of_the_wrong_shape_are_refused(verifier: TokenVerifier, claims: Any) -> None:
    refusal(verifier, encode(claims))


def test_expiry_and_missing_claims_count_with_the_auth_emulator_too(
    monkeypatch: pytest.MonkeyPatch, verifier: TokenVerifier
) -> None:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:1")
    now = int(time.time())
    claims = {"iss": f"https://securetoken.google.com/{PROJECT}", "aud": PROJECT, "sub": "user-1", "iat": now}
    assert verifier.verify(encode({**claims, "exp": now + 60}), check_revoked=False).id == "user-1"
    assert "expired" in refusal(verifier, encode({**claims, "exp": now - 1}))
    assert "malformed" in refusal(verifier, encode(claims))
    assert "malformed" in refusal(verifier, encode({**claims, "exp": "never"}))


def test_certificates_that_cannot_be_fetched_are_an_outage(
    verifier: TokenVerifier, token: Callable[..., str], google: Google
) -> None:
    google.fails = True
    with pytest.raises(Unavailable) as caught:
        verifier.verify(token(), check_revoked=False)
    assert int(caught.value.headers["Retry-After"]) > 0
    google.fails = False
    assert verifier.verify(token(), check_revoked=False).id == "user-1"


@pytest.mark.parametrize(
    "broken", ["", "garbage", 7, None, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_a_certificate_that_cannot_be_used_is_an_outage(
    verifier: TokenVerifier, token: Callable[..., str], google: Google, broken: object
) -> None:
    google.certificates = {KEY_ID: broken}
    with pytest.raises(Unavailable):
        verifier.verify(token(), check_revoked=False)


def test_a_certificate_of_another_kind_of_key_is_an_outage(
    verifier: TokenVerifier, token: Callable[..., str], google: Google
) -> None:
    google.certificates = {KEY_ID: certificate(ec.generate_private_key(ec.SECP256R1()))}
    with pytest.raises(Unavailable):
        verifier.verify(token(), check_revoked=False)


@pytest.mark.parametrize("answer", [None, 7, {"keys": 7}])
def test_certificates_in_a_form_that_nobody_knows_sign_nobody_out(
    verifier: TokenVerifier, token: Callable[..., str], google: Google, answer: object
) -> None:
    google.certificates = answer
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any error of the library's
        verifier.verify(token(), check_revoked=False)
    assert not isinstance(caught.value, Unauthorized)


@pytest.mark.parametrize("error", [TypeError, KeyError, AttributeError, ValueError, LookupError])
@pytest.mark.parametrize("check_revoked", [False, True])
def test_a_failure_within_the_verification_is_no_fault_of_the_tokens(
    verifier: TokenVerifier,
    token: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    check_revoked: bool,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error("inside")

    inside = "_user_mgt.UserManager.get_user" if check_revoked else "_token_gen.TokenVerifier.verify_id_token"
    monkeypatch.setattr(f"firebase_admin.{inside}", fail)
    with pytest.raises(error, match="inside"):
        verifier.verify(token(), check_revoked=check_revoked)


NO_TIMES: list[Any] = ["now", None, [], {}, True, float("nan"), float("inf")]
ODD_CLAIMS: dict[str, list[Any]] = {
    "iat": NO_TIMES,
    "exp": NO_TIMES,
    "sub": ["", "a" * 129, None, 7, [], "\ud800"],
    "firebase": ["tenant", 7, []],
}


@pytest.mark.parametrize(
    "changes", [{name: value} for name, values in ODD_CLAIMS.items() for value in values], ids=str
)
@pytest.mark.parametrize("emulated", [False, True])
def test_a_token_whose_claims_are_of_other_types_is_malformed(
    verifier: TokenVerifier,
    token: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    emulated: bool,
) -> None:
    if emulated:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:1")
    assert "malformed" in refusal(verifier, token(**changes), check_revoked=True)


@pytest.mark.parametrize("header", [{"kid": []}, {"kid": 7}, {"kid": {}}, {"alg": None}, {"alg": []}, {"alg": {}}])
def test_a_token_whose_header_is_of_other_types_is_malformed(
    verifier: TokenVerifier, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    assert "malformed" in refusal(verifier, encode(claims, **{"alg": "RS256", "kid": KEY_ID, **header}))


@pytest.mark.parametrize(
    "odd",
    [
        {"header": {"alg": "HS256"}, "v": 0, "d": 7},
        {"header": {"alg": "HS256"}, "v": 0, "d": None},
        {"header": {"alg": "ES256", "kid": KEY_ID}},
        {"header": {"alg": "RS256", "kid": "unknown"}},
        {"header": {"alg": "RS256", "kid": ""}},
    ],
)
def test_a_token_with_another_algorithm_or_key_is_not_signed_by_google(
    verifier: TokenVerifier, claims: dict[str, Any], odd: dict[str, Any]
) -> None:
    header = odd["header"]
    more = {key: value for key, value in odd.items() if key != "header"}
    assert "not signed" in refusal(verifier, encode({**claims, **more}, **header))


@pytest.mark.parametrize("name", ["aud", "iss"])
@pytest.mark.parametrize("value", [7, None, [], {}, [[PROJECT]]])
def test_a_token_for_nobody_in_particular_is_refused(
    verifier: TokenVerifier, token: Callable[..., str], name: str, value: object
) -> None:
    assert "another" in refusal(verifier, token(**{name: value}))


def test_json_that_is_nested_to_any_depth_is_refused_as_the_tokens_fault(
    verifier: TokenVerifier, claims: dict[str, Any]
) -> None:
    for depth in range(700, 1000, 3):
        nested: Any = {}
        for _ in range(depth):
            nested = [nested]
        try:
            deep = encode({**claims, "aud": nested}, alg="RS256", kid=KEY_ID)
        except RecursionError:
            break
        refusal(verifier, deep)


@pytest.mark.parametrize("emulated", [False, True])
@pytest.mark.parametrize("check_revoked", [False, True])
def test_an_account_of_a_tenant_is_refused_and_told_why(
    verifier: TokenVerifier,
    token: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    check_revoked: bool,
    emulated: bool,
) -> None:
    if emulated:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:1")
    of_tenant = token(firebase={"sign_in_provider": "password", "tenant": "tenant-1"})
    assert "tenant" in refusal(verifier, of_tenant, check_revoked=check_revoked)
    assert verifier.verify(token(firebase={"sign_in_provider": "password"}), check_revoked=False).id == "user-1"


def test_accounts_that_cannot_be_looked_up_are_an_outage(
    verifier: TokenVerifier, token: Callable[..., str], google: Google
) -> None:
    verifier.verify(token(), check_revoked=False)  # so that the certificates are cached
    google.fails = True
    with pytest.raises(Unavailable):
        verifier.verify(token(), check_revoked=True)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer abc"}, "abc"),
        ({"X-Forwarded-Authorization": "Bearer abc"}, "abc"),
        ({"Authorization": "Bearer gateway", "X-Forwarded-Authorization": "Bearer caller"}, "caller"),
    ],
)
def test_the_callers_token_is_found_in_either_header(headers: dict[str, str], expected: str) -> None:
    assert bearer_token(Headers(headers)) == expected


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "abc", "Basic abc", "Bearerabc"])
def test_a_header_without_a_bearer_token_is_refused(value: str) -> None:
    with pytest.raises(Unauthorized):
        bearer_token(Headers({"Authorization": value}))


@pytest.mark.parametrize("name", ["X-Apigateway-Api-Userinfo", "X-User-Id", "Cookie"])
def test_no_other_header_makes_a_user(name: str) -> None:
    userinfo = base64.urlsafe_b64encode(b'{"user_id": "user-1"}').decode()
    with pytest.raises(Unauthorized, match="no ID token"):
        bearer_token(Headers({name: userinfo}))
