"""A contact sheet: what a browser shows of each file, beside its poster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Page, Route, sync_playwright

from infra.local import browser
from shared.posters.posters import SIDE, TILE_COLOUR, Posters
from shared.posters.unpicturable import Reason

_FLAGS = ("--disable-gpu", "--force-color-profile=srgb", "--no-first-run", "--disable-background-networking")
_VIDEOS = {".mov": "video/quicktime", ".mp4": "video/mp4", ".webm": "video/webm", ".ogv": "video/ogg"} | {
    ".avi": "video/x-msvideo",
    ".mts": "video/mp2t",
}
_ORIGIN = "http://media.test/"
_SHOWN_WITHIN = 8000
"""Milliseconds."""
_SHOW = """([url, isVideo, side, within]) => new Promise((done) => {
    const medium = document.createElement(isVideo ? "video" : "img");
    medium.style = `width: ${side}px; height: ${side}px; object-fit: cover; display: block`;
    document.body.replaceChildren(medium);
    const drawn = () => requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
    medium.onerror = () => done(false);
    medium.onload = drawn;
    medium.onseeked = drawn;
    medium.onloadeddata = () => { medium.currentTime = Math.min(1, medium.duration * 0.7); };
    medium.muted = true;
    setTimeout(() => done(false), within);
    medium.src = url;
})"""
_CELL, _TEXT, _COLUMNS = 144, 16, 4


@contextmanager
def _browser() -> Iterator[Callable[[Path], Image.Image | None]]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser.find(), args=_FLAGS, chromium_sandbox=False)
        page = running.new_page(viewport={"width": SIDE, "height": SIDE})
        colour = "#" + bytes(TILE_COLOUR).hex()
        empty = f"<body style='margin: 0; background: {colour}'>"
        page.route(f"{_ORIGIN}**", lambda route: route.fulfill(body=empty, content_type="text/html"))
        page.goto(_ORIGIN)
        yield lambda path: _shown(page, path)
        running.close()


def _shown(page: Page, path: Path) -> Image.Image | None:
    """What the browser shows of the file, a second after its beginning; None if it shows nothing."""
    kind = _VIDEOS.get(path.suffix.lower())
    url = f"{_ORIGIN}{path.name}"

    def serve(route: Route) -> None:
        route.fulfill(body=path.read_bytes(), content_type=kind or "image/*")

    page.route(url, serve)
    if not page.evaluate(_SHOW, [url, kind is not None, SIDE, _SHOWN_WITHIN]):
        return None
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


def sheet(outcomes: Iterable[tuple[Path, Posters | Reason]]) -> Image.Image:
    """Pairs in rows: left what the browser shows, right the poster; a dark square where there is nothing."""
    pairs = list(outcomes)
    rows = -(-len(pairs) // _COLUMNS)
    height = _CELL + _TEXT
    image = Image.new("RGB", (_COLUMNS * (2 * _CELL + 8), rows * height), "white")
    draw = ImageDraw.Draw(image)
    with _browser() as shown:
        for number, (path, outcome) in enumerate(pairs):
            row, column = divmod(number, _COLUMNS)
            left, top = column * (2 * _CELL + 8), row * height
            draw.text((left, top + 2), path.name, fill="black")
            made = Image.open(BytesIO(outcome.poster)).convert("RGBA") if isinstance(outcome, Posters) else None
            for place, picture in enumerate((shown(path), made)):
                cell = Image.new("RGBA", (SIDE, SIDE), TILE_COLOUR)
                if picture:
                    cell.alpha_composite(picture.convert("RGBA"))
                image.paste(cell.resize((_CELL, _CELL)).convert("RGB"), (left + place * _CELL, top + _TEXT))
    return image
