"""Signed URLs: how many one core makes a second, and how many calls the keyless fallback needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import median
from threading import Semaphore

from google.auth import crypt
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from google.oauth2 import service_account

from shared.jobs.job import ALL_SHOWN, Medium, Picture
from shared.settings import Settings, SigningKey
from shared.storage.keyless import AccountSigner, KeylessUrlSigner
from shared.storage.signing import Target, Urls, UrlSigner, url_signer
from tests.benchmarks.rows import Row
from tests.tokens import pem, private_key

_ENDPOINT = "https://storage.googleapis.com"
_NOW = datetime.now(UTC)
_SHOWN = [one for one in ALL_SHOWN if one not in (Medium.INPUT_VIDEO, Picture.REFERENCE_VIEW)]
"""Of a completed job made from an image that browsers show and a video."""
PAGE = [Target("nuumee-outputs", f"me/{job}/{shown}") for job in range(20) for shown in _SHOWN]
"""What a page of 20 such jobs needs URLs for."""
_POLLED = PAGE[: 3 * len(_SHOWN)]


def rows() -> Iterator[Row]:
    settings = Settings(project="demo-bench", allowed_origins=(), signing_key=SigningKey("GOOG1EBENCH", "secret"))
    with ThreadPoolExecutor(8) as pool:
        ours = _rate(lambda: _sign(url_signer(settings, pool), PAGE))
        yield Row(name="signed URLs per CPU second", ours=ours, limit=20_000, at_least=True)
        name = "signed URLs per CPU second, vs the library's"
        yield Row(name=name, ours=ours, peer=_librarys(), limit=7, at_least=True)
        calls: list[bytes] = []

        def sign(message: bytes) -> bytes:
            calls.append(message)
            return b"signature"

        signer = AccountSigner("bench@nuumee.test", sign)
        keyless = KeylessUrlSigner(Urls(signer, _ENDPOINT, 3600), 900, pool)
        with ThreadPoolExecutor(16) as clients:
            list(clients.map(lambda _: _sign(keyless, PAGE), range(16)))
        yield Row(
            name="keyless signing: calls for a first page, 16 clients at once", ours=len(calls), limit=len(PAGE)
        )
        for name, targets in (("the same page again", PAGE), ("a poll of 3 of its jobs", _POLLED)):
            calls.clear()
            _sign(keyless, targets)
            yield Row(name=f"keyless signing: calls for {name}", ours=len(calls), limit=0)


def _sign(signer: UrlSigner, targets: list[Target]) -> None:
    signed = signer.try_to_sign(targets, signer.validity(_NOW), 60, Semaphore(16))
    assert all(isinstance(url, str) for url in signed)


def _librarys() -> float:
    signer = crypt.RSASigner.from_string(pem(private_key()))
    credentials = service_account.Credentials(signer, "bench@nuumee.test", "https://token.test")
    client = storage.Client(project="bench", credentials=AnonymousCredentials())

    def sign() -> None:
        for bucket, path, _ in PAGE:
            blob = client.bucket(bucket).blob(path)
            blob.generate_signed_url(timedelta(hours=1), version="v4", credentials=credentials)

    return _rate(sign)


def _rate(sign: Callable[[], None], rounds: int = 21) -> float:
    """URLs signed per second of CPU, a whole page at a time."""
    sign()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        sign()
        times.append(time.process_time() - began)
    return len(PAGE) / median(times)
