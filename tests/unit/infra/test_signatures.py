"""Which URLs made by `signing` the local Storage accepts and refuses. The two share no code."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infra.local.signatures import refusal
from shared.settings import SigningKey
from shared.storage.signing import KeySigner, Target, Urls
from tests.unit.storage.test_signing import own_paths, texts

HOST = "storage.googleapis.com"
OLD, NEW = SigningKey("GOOG1EOLD", "old secret"), SigningKey("GOOG1ENEW", "new secret")
KEYS = {key.access_id: key.secret for key in (OLD, NEW)}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CHARACTERS = string.ascii_letters + string.digits + "/?&=%~.-_;:+"


def signed(target: Target, begins: datetime = NOON, key: SigningKey = OLD) -> str:
    """The path and query of a signed URL."""
    return Urls(KeySigner(key), f"https://{HOST}", 3600).url(target, begins).removeprefix(f"https://{HOST}")


URL = signed(Target("nuumee-outputs", "me/job/output.mp4", "nuumee-job.mp4"))


def status(
    url: str = URL,
    method: str = "GET",
    *,
    host: str = HOST,
    keys: dict[str, str] = KEYS,
    now: datetime = NOON + timedelta(minutes=20),
) -> int:
    """The status of a refusal; 200 if there is none."""
    refused = refusal(method, url, {"host": host}, keys, now)
    return refused[0] if refused else 200


@given(
    own_paths,
    st.none() | texts,
    st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 3599),
)
def test_every_signed_url_is_accepted_for_its_lifetime(
    path: str, filename: str | None, begins: datetime, age: int
) -> None:
    begins = begins.replace(microsecond=0)
    url = signed(Target("nuumee-outputs", path, filename), begins)
    assert status(url, now=begins + timedelta(seconds=age)) == 200


@pytest.mark.parametrize(
    ("part", "instead", "expected"),
    [
        ("output.mp4", "other.mp4", 403),
        ("/me/", "/you/", 403),
        ("/nuumee-outputs/", "/nuumee-videos/", 403),
        ("nuumee-job.mp4", "evil.html", 403),
        ("&response-content-disposition", "&response-content-type=text%2Fhtml&response-content-disposition", 403),
        ("&X-Goog-Signature", "&generation=1&X-Goog-Signature", 403),
        ("Expires=3600", "Expires=604800", 403),
        ("Expires=3600", "Expires=604801", 400),
        ("Expires=3600", f"Expires={'9' * 30}", 400),
        ("Expires=3600", "Expires=0", 400),
        ("Expires=3600", "Expires=x", 400),
        ("X-Goog-Expires=3600&", "", 400),
        ("T120000Z", "T121500Z", 403),
        ("T120000Z", "", 400),
        ("%2F20261122%2F", "%2F20261121%2F", 400),
        ("%2Fauto%2F", "%2Fus%2F", 403),
        ("%2Fstorage%2F", "%2Fs3%2F", 400),
        ("GOOG4-HMAC-SHA256", "GOOG4-RSA-SHA256", 403),
        ("GOOG1EOLD", "GOOG1ENEW", 403),
        ("GOOG1EOLD", "GOOG1EWHO", 403),
        ("SignedHeaders=host", "SignedHeaders=date", 400),
        ("SignedHeaders=host", "SignedHeaders=host%3Bdate", 403),
        ("X-Goog-Signature=", "X-Goog-Signature=00", 403),
        ("X-Goog-Signature=", "X-Goog-Signature=%C3%A9", 403),
        ("X-Goog-Signature", "Signature", 403),
    ],
)
def test_a_changed_url_is_refused(part: str, instead: str, expected: int) -> None:
    assert URL.count(part) == 1
    assert status(URL.replace(part, instead)) == expected


@given(st.integers(0, len(URL) - 1), st.sampled_from(CHARACTERS))
def test_no_character_of_a_url_can_be_another(position: int, character: str) -> None:
    assume(position)  # every path begins with this slash
    changed = URL[:position] + character + URL[position + 1 :]
    assume(meaning(changed) != meaning(URL))
    assert status(changed) in (400, 403)


def meaning(url: str) -> tuple[str, list[tuple[str, str]]]:
    """The parts of a URL, decoded."""
    parts = urlsplit(url)
    return unquote(parts.path), sorted(parse_qsl(parts.query, keep_blank_values=True))


@pytest.mark.parametrize("method", ["HEAD", "PUT", "POST", "DELETE"])
def test_another_verb_is_refused(method: str) -> None:
    assert status(method=method) == 403


def test_another_host_is_refused() -> None:
    assert status(host="storage.test") == 403


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NOON - timedelta(minutes=15, seconds=1), 400),
        (NOON - timedelta(minutes=15), 200),
        (NOON + timedelta(minutes=59, seconds=59), 200),
        (NOON + timedelta(hours=1), 400),
        (NOON + timedelta(days=400), 400),
    ],
)
def test_a_url_is_good_for_its_time_alone(now: datetime, expected: int) -> None:
    assert status(now=now) == expected


def test_during_a_rotation_urls_of_both_keys_are_accepted_and_afterwards_those_of_the_new_one_alone() -> None:
    target = Target("nuumee-outputs", "me/job/output.mp4")
    by_old, by_new = (signed(target, key=key) for key in (OLD, NEW))
    after = {NEW.access_id: NEW.secret}
    assert [status(url) for url in (by_old, by_new)] == [200, 200]
    assert [status(url, keys=after) for url in (by_old, by_new)] == [403, 200]


def test_a_key_of_the_same_name_with_another_secret_does_not_do() -> None:
    assert status(keys={OLD.access_id: NEW.secret}) == 403
