"""Changes signed URLs from the functions to name another object or carry a mark, and signs them again."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit
from weakref import WeakKeyDictionary

from playwright.sync_api import BrowserContext, Page

from infra.local.signatures import SIGNATURE, signature
from shared.settings import Settings

_settings: WeakKeyDictionary[BrowserContext, Settings] = WeakKeyDictionary()


def remember(context: BrowserContext, settings: Settings) -> None:
    """Remember the settings with which functions sign the URLs for the pages of `context`."""
    _settings[context] = settings


def signed_anew(page: Page, url: str, *, name: str | None = None, mark: str) -> str:
    """The URL with `&mark` at its end. `name` replaces the last segment of the object's name."""
    key = _settings[page.context].signing_key
    assert key is not None
    parts = urlsplit(url)
    path = parts.path if name is None else f"{parts.path.rpartition('/')[0]}/{name}"
    given = [(field, value) for field, value in parse_qsl(parts.query) if field != SIGNATURE]
    signed = signature("GET", path, [*given, *parse_qsl(mark)], {"host": parts.netloc}, key.secret)
    return f"{parts.scheme}://{parts.netloc}{path}?{urlencode([*given, (SIGNATURE, signed)])}&{mark}"
