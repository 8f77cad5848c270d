"""URLs are signed as google-cloud-storage does. tests/unit/infra/test_signatures.py verifies whole URLs."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import google.auth.credentials
import pytest
from google.cloud.storage._signing import generate_signed_url_v4
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.job import is_own_path
from shared.settings import SettingsError, SigningKey
from shared.storage.signing import KeySigner, Target, Urls, UrlSigner, attachment, url_signer
from tests.fakes import KEY, SETTINGS

ENDPOINT = "https://storage.googleapis.com"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TARGET = Target("nuumee-images", "me/job/reference.png")

texts = st.text(st.characters(codec="utf-8"), max_size=40)
own_paths = texts.map("me/{}".format).filter(lambda path: is_own_path(path, "me"))


class Credentials(google.auth.credentials.Signing):
    """Keeps the messages to sign, and returns a dummy signature."""

    signer = None
    signer_email = "signer@nuumee.test"

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def sign_bytes(self, message: bytes) -> bytes:
        self.messages.append(message)
        return b"signed"


class AnySigner:
    """The same for `Urls`."""

    account = Credentials.signer_email

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self.messages: list[bytes] = []

    def sign(self, date: str, message: bytes) -> bytes:
        assert message.splitlines()[1].decode().startswith(date)
        self.messages.append(message)
        return b"signed"


def canonical_request(make: Callable[[], object]) -> bytes:
    """The canonical request that `make` hashes."""
    with patch("hashlib.sha256", wraps=hashlib.sha256) as hashed:
        make()
    (call,) = hashed.call_args_list
    return bytes(call.args[0])


def signer(key: SigningKey = KEY) -> UrlSigner:
    return UrlSigner(Urls(KeySigner(key), ENDPOINT, 3600), 900)


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("nuumee-70eb9a.mp4", 'attachment; filename="nuumee-70eb9a.mp4"'),
        ("a b;c=d'e.mp4", 'attachment; filename="a b;c=d\'e.mp4"'),
        ("é.mp4", "attachment; filename=\"_.mp4\"; filename*=UTF-8''%C3%A9.mp4"),
        ("a'é😀.mp4", "attachment; filename=\"a'__.mp4\"; filename*=UTF-8''a%27%C3%A9%F0%9F%98%80.mp4"),
        ("5%20.mp4", "attachment; filename=\"5_20.mp4\"; filename*=UTF-8''5%2520.mp4"),
    ],
)
def test_a_file_name_beyond_ascii_is_given_twice(filename: str, header: str) -> None:
    assert attachment(filename) == header


@given(own_paths, st.none() | texts, st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)))
def test_what_is_signed_is_byte_for_byte_what_the_library_signs(
    path: str, filename: str | None, begins: datetime
) -> None:
    target = Target("nuumee-outputs", path, filename)
    credentials, rsa, by_key = Credentials(), AnySigner("GOOG4-RSA-SHA256"), AnySigner(KeySigner.algorithm)
    disposition = None if filename is None else attachment(filename)
    made: list[str] = []

    def by_library() -> None:
        url = generate_signed_url_v4(
            credentials,
            resource=f"/nuumee-outputs/{quote(path, safe='/~')}",
            expiration=3600,
            api_access_endpoint=ENDPOINT,
            response_disposition=disposition,
            _request_timestamp=begins.strftime("%Y%m%dT%H%M%SZ"),
        )
        made.append(url)

    expected = canonical_request(by_library)
    assert canonical_request(lambda: made.append(Urls(rsa, ENDPOINT, 3600).url(target, begins))) == expected
    assert rsa.messages == credentials.messages
    assert made[0] == made[1]

    by_hmac = canonical_request(lambda: Urls(by_key, ENDPOINT, 3600).url(target, begins))
    assert by_hmac == expected.replace(b"=GOOG4-RSA-SHA256&", b"=GOOG4-HMAC-SHA256&", 1)
    algorithm, *of_rsa, _ = rsa.messages[0].split(b"\n")
    assert by_key.messages[0].split(b"\n") == [
        algorithm.replace(b"RSA", b"HMAC"),
        *of_rsa,
        hashlib.sha256(by_hmac).hexdigest().encode(),
    ]


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_url_has_between_three_quarters_of_an_hour_and_an_hour_left(now: datetime) -> None:
    validity = signer().validity(now)
    left = (validity.expires_at - now).total_seconds()
    assert 2700 < left <= 3600
    assert validity.expires_in == int(left)
    assert validity.begins <= now


def test_asking_again_within_a_window_gives_the_same_url_in_any_process() -> None:
    one, other = signer(), signer()
    first = one.sign([TARGET], one.validity(NOON))
    assert other.sign([TARGET], other.validity(NOON + timedelta(minutes=14, seconds=59))) == first
    assert one.sign([TARGET], one.validity(NOON + timedelta(minutes=15))) != first


def test_urls_come_in_the_order_of_their_targets() -> None:
    targets = [TARGET._replace(path=f"me/{number}/reference.png") for number in range(40)]
    signed = signer().sign(targets, signer().validity(NOON))
    assert [url.partition("?")[0] for url in signed] == [f"{ENDPOINT}/nuumee-images/{one.path}" for one in targets]


class CountingSigner(KeySigner):
    def __init__(self) -> None:
        self.derived: list[str] = []
        super().__init__(KEY)

    def _derived(self, date: str) -> bytes:
        self.derived.append(date)
        return super()._derived(date)


def test_the_derived_key_is_kept_for_its_day_and_right_across_midnight() -> None:
    counting = CountingSigner()
    dates = ["20261122"] * 20 + ["20261123", "20261122"] * 20
    signed = {date: counting.sign(date, b"message") for date in dates}
    assert counting.derived == ["20261122", "20261123"]
    for date, signature in signed.items():
        key = b"GOOG4" + KEY.secret.encode()
        for part in (date, "auto", "storage", "goog4_request"):
            key = hmac.new(key, part.encode(), "sha256").digest()
        assert signature == hmac.new(key, b"message", "sha256").digest()


def other_urls(**changes: Any) -> Urls:
    key = changes.get("key", KEY)
    return Urls(KeySigner(key), changes.get("endpoint", ENDPOINT), changes.get("lifetime", 3600))


@pytest.mark.parametrize(
    "changes",
    [
        {"key": replace(KEY, access_id="GOOG1EOTHER")},
        {"key": replace(KEY, secret="rotated")},
        {"endpoint": "https://storage.test"},
        {"lifetime": 1800},
    ],
)
def test_what_changes_the_urls_changes_their_version(changes: dict[str, Any]) -> None:
    assert other_urls(**changes).version(NOON) != other_urls().version(NOON)
    assert other_urls().version(NOON + timedelta(minutes=15)) != other_urls().version(NOON)
    assert other_urls().version(NOON) == other_urls().version(NOON)


def test_without_a_key_nothing_signs_and_the_setting_is_named() -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(SettingsError, match="SIGNING_KEY is not set"):
        url_signer(replace(SETTINGS, signing_key=None), pool)


def test_urls_lead_to_where_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("google.auth.default", None)  # a key needs no credentials
    with ThreadPoolExecutor(1) as pool:
        for emulator, begin in ((None, ENDPOINT), ("http://127.0.0.1:1/", "http://127.0.0.1:1")):
            made = url_signer(replace(SETTINGS, storage_emulator=emulator, url_lifetime=1800), pool)
            (url,) = made.sign([TARGET], made.validity(NOON))
            assert url.startswith(f"{begin}/nuumee-images/me/job/reference.png?")
            assert "&X-Goog-Expires=1800&" in url
