from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from google.api_core.retry import Retry
from google.auth import crypt
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import TransportError
from google.cloud import storage
from google.oauth2 import service_account
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unavailable
from shared.storage.signing import Target, UrlSigner

ENDPOINT = "https://storage.googleapis.com"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class CountingSigner(crypt.Signer):
    """Stands for IAM, and counts the calls."""

    def __init__(self) -> None:
        self.calls = 0
        self._lock = threading.Lock()
        self.together: threading.Barrier | None = None
        self.error: Exception | None = None

    @property
    def key_id(self) -> None:
        return None

    def sign(self, message: bytes) -> bytes:
        if self.error:
            raise self.error
        with self._lock:
            self.calls += 1
        if self.together:
            self.together.wait(timeout=10)
        return message[-32:]


@pytest.fixture
def iam() -> CountingSigner:
    return CountingSigner()


def signer(iam: CountingSigner, pool: ThreadPoolExecutor | None = None) -> UrlSigner:
    credentials = service_account.Credentials(iam, "signer@nuumee.test", "https://token.test")
    return UrlSigner(credentials, ENDPOINT, lifetime=3600, window=900, pool=pool)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_url_has_between_three_quarters_of_an_hour_and_an_hour_left(now: datetime) -> None:
    validity = signer(CountingSigner()).validity(now)
    left = (validity.expires_at - now).total_seconds()
    assert 2700 < left <= 3600
    assert validity.expires_in == int(left)
    assert validity.begins <= now


def test_asking_again_within_a_window_gives_the_same_url_and_signs_once(iam: CountingSigner) -> None:
    urls = signer(iam)
    target = Target("nuumee-images", "me/job/reference.png")
    first = urls.sign([target], urls.validity(NOON))
    later = urls.sign([target], urls.validity(NOON + timedelta(minutes=14, seconds=59)))
    assert later == first
    assert iam.calls == 1
    assert urls.sign([target], urls.validity(NOON + timedelta(minutes=15))) != first


def test_another_process_gives_the_same_url() -> None:
    target = Target("nuumee-images", "me/job/reference.png")
    one, other = signer(CountingSigner()), signer(CountingSigner())
    assert one.sign([target], one.validity(NOON)) == other.sign([target], other.validity(NOON))


def test_a_url_is_what_the_library_itself_signs_for_that_second(
    iam: CountingSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.cloud.storage._signing._NOW", lambda _: NOON)
    credentials = service_account.Credentials(iam, "signer@nuumee.test", "https://token.test")
    client = storage.Client(project="nuumee", credentials=AnonymousCredentials())
    name = "me/job/an ünusual~name (1).mp4"
    expected = (
        client.bucket("nuumee-outputs")
        .blob(name)
        .generate_signed_url(
            timedelta(hours=1),
            version="v4",
            credentials=credentials,
            response_disposition='attachment; filename="nuumee-job.mp4"',
        )
    )
    urls = signer(iam)
    assert urls.sign([Target("nuumee-outputs", name, "nuumee-job.mp4")], urls.validity(NOON)) == [expected]


def test_a_url_says_for_how_long_and_by_whom_it_is_signed(iam: CountingSigner) -> None:
    urls = signer(iam)
    (url,) = urls.sign([Target("nuumee-outputs", "me/job/output.mp4")], urls.validity(NOON))
    query = parse_qs(urlsplit(url).query)
    assert urlsplit(url).path == "/nuumee-outputs/me/job/output.mp4"
    assert query["X-Goog-Date"] == ["20261122T120000Z"]
    assert query["X-Goog-Expires"] == ["3600"]
    assert query["X-Goog-Credential"][0].startswith("signer@nuumee.test/20261122/")


def test_urls_that_cost_a_network_call_each_are_signed_side_by_side(iam: CountingSigner) -> None:
    # Each call waits for the others: one after another would never end.
    iam.together = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        urls = signer(iam, pool)
        targets = [Target("nuumee-images", f"me/{number}/reference.png") for number in range(4)]
        signed = urls.sign(targets, urls.validity(NOON))
    assert [urlsplit(url).path for url in signed] == [f"/nuumee-images/{target.path}" for target in targets]


def test_iam_being_away_is_an_outage_and_is_not_remembered(
    iam: CountingSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.storage.signing._TRIED_AGAIN", Retry(initial=0.05, timeout=0.2))
    urls = signer(iam)
    target = Target("nuumee-images", "me/job/reference.png")
    iam.error = TransportError("away")
    with pytest.raises(Unavailable):
        urls.sign([target], urls.validity(NOON))
    iam.error = None
    assert len(urls.sign([target], urls.validity(NOON))) == 1
