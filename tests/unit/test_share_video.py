"""What a share link shows, to whom, and what counts as a view, with fakes."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from functions.count_views import count_views
from functions.share_video import share_video
from shared.errors import Unavailable
from tests.calls import call
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, deleted, document
from tests.messages import envelope
from tests.waiting import wait_until

ID = "25ca1d0f"
PAGE, VIDEO, POSTER, DATA = f"/v/{ID}", f"/v/{ID}/video.mp4", f"/v/{ID}/poster.webp", f"/public/video/{ID}"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
OUTPUT = "https://storage.test/nuumee-outputs/me/job-1/output.mp4"
PICTURE = "https://storage.test/nuumee-outputs/me/job-1/poster.webp"
every = pytest.mark.parametrize("path", [PAGE, VIDEO, POSTER, DATA])


class Tags(HTMLParser):
    """The elements of a page, each with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def every(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]

    def meta(self) -> dict[str | None, str | None]:
        return {one.get("property") or one.get("name"): one.get("content") for one in self.every("meta")}


@pytest.fixture
def services() -> FakeServices:
    made = FakeServices()
    posters = {"output_video": "me/job-1/poster.webp"}
    made.add("job-1", document("me", short_id=ID, output_video_path="me/job-1/output.mp4", posters=posters))
    made.fake_shares.links[ID] = "job-1"
    return made


def visit(services: FakeServices, path: str = PAGE, method: str = "GET", **headers: str) -> Any:
    """Send a request without a token; `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return call(share_video, services, path, method=method, user=None, headers={"User-Agent": CHROME, **named})


def views(services: FakeServices) -> int:
    return sum(shard["views"] for shard in services.fake_views.shards.values())


def test_the_page_shows_the_video_with_its_poster(services: FakeServices) -> None:
    answer = visit(services)
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    tags = Tags(answer.text)
    (video,) = tags.every("video")
    assert {"controls", "playsinline"} <= set(video)
    assert (video["src"], video["poster"]) == (OUTPUT, PICTURE)
    links = [link["href"] for link in tags.every("a")]
    assert links == ["https://nuumee.ai/", f"{ID}/video.mp4?download", "https://nuumee.ai/"]
    assert "3 views" in answer.text


def test_a_pasted_link_unfolds(services: FakeServices) -> None:
    tags = Tags(visit(services).text)
    meta, page = tags.meta(), f"https://nuumee.ai/v/{ID}"
    assert {link["rel"]: link["href"] for link in tags.every("link")}["canonical"] == page
    assert {name: meta[name] for name in sorted(map(str, meta)) if name.startswith(("og:", "twitter:"))} == {
        "og:description": "Watch it, and bring a picture of your own to life.",
        "og:image": f"{page}/poster.webp",
        "og:image:alt": "A moment of the video",
        "og:image:type": "image/webp",
        "og:site_name": "NuuMee",
        "og:title": "A video made with NuuMee",
        "og:type": "video.other",
        "og:url": page,
        "og:video": f"{page}/video.mp4",
        "og:video:secure_url": f"{page}/video.mp4",
        "og:video:type": "video/mp4",
        "twitter:card": "player",
        "twitter:description": "Watch it, and bring a picture of your own to life.",
        "twitter:image": f"{page}/poster.webp",
        "twitter:image:alt": "A moment of the video",
        "twitter:player": f"{page}?embed=1",
        "twitter:player:height": "720",
        "twitter:player:stream": f"{page}/video.mp4",
        "twitter:player:stream:content_type": "video/mp4",
        "twitter:player:width": "720",
        "twitter:title": "A video made with NuuMee",
    }
    assert meta["robots"] == "noindex"


def test_without_a_poster_no_picture_is_promised(services: FakeServices) -> None:
    del services.fake_repository.documents["job-1"]["posters"]
    tags = Tags(visit(services).text)
    meta = tags.meta()
    assert (meta["twitter:card"], meta["og:video"]) == ("summary", f"https://nuumee.ai{VIDEO}")
    assert not {"og:image", "twitter:image", "twitter:player"} & set(meta)
    assert "poster" not in tags.every("video")[0]
    assert visit(services, POSTER).status_code == 404


def test_what_a_chat_has_unfolded_leads_to_fresh_addresses(services: FakeServices) -> None:
    for path, url in ((VIDEO, OUTPUT), (POSTER, PICTURE)):
        for method in ("GET", "HEAD"):
            answer = visit(services, path, method)
            assert (answer.status_code, answer.headers["Location"]) == (302, url)


def test_the_download_is_asked_for_when_it_is_wanted(services: FakeServices) -> None:
    answer = visit(services, f"{VIDEO}?download")
    assert (answer.status_code, answer.headers["Location"]) == (302, OUTPUT)


def test_the_data_are_those_of_the_contract(services: FakeServices) -> None:
    answer = visit(services, DATA)
    assert answer.json == {
        "short_id": ID,
        "video_url": OUTPUT,
        "resolution": "720p",
        "created_at": answer.json["created_at"],
        "view_count": 3,
        "expires_in_seconds": 3149,
    }
    assert answer.json["created_at"].endswith("Z")


@every
def test_no_answer_is_kept_found_or_told_on(services: FakeServices, path: str) -> None:
    for target in (path, path.replace(ID, "ffffffff")):
        headers = visit(services, target).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex"
        assert headers["X-Content-Type-Options"] == "nosniff"


def directives(answer: Any) -> dict[str, list[str]]:
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


def test_the_page_can_load_and_run_nothing_but_its_own(services: FakeServices) -> None:
    answer, again = visit(services), visit(services)
    policy = directives(answer)
    (nonce,) = re.findall(r"'nonce-([^']{20,})'", " ".join(policy["script-src"]))
    assert policy == {
        "default-src": ["'none'"],
        "style-src": [f"'nonce-{nonce}'"],
        "script-src": [f"'nonce-{nonce}'"],
        "img-src": ["data:", "https://storage.test"],
        "media-src": ["'self'", "https://storage.test"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    tags = Tags(answer.text)
    assert {one.get("nonce") for tag in ("script", "style") for one in tags.every(tag)} == {nonce}
    assert not [
        name for _, attributes in tags.found for name in attributes if name.startswith("on") or name == "style"
    ]
    assert directives(again)["script-src"] != policy["script-src"]


def test_the_player_alone_may_be_shown_by_other_sites(services: FakeServices) -> None:
    answer = visit(services, f"{PAGE}?embed=1")
    assert directives(answer)["frame-ancestors"] == ["*"]
    assert not Tags(answer.text).every("a")
    assert Tags(answer.text).every("video")[0]["src"] == OUTPUT


def nothing_there(services: FakeServices, path: str) -> tuple[int, str]:
    """What is answered, without what is another in every answer."""
    answer = visit(services, path)
    policy = answer.headers.get("Content-Security-Policy", "")
    text = answer.text.replace(answer.headers["X-Request-Id"], "")
    for nonce in set(re.findall(r"nonce-([^']+)", policy)):
        text = text.replace(nonce, "")
    return answer.status_code, text


@every
def test_what_cannot_be_seen_cannot_be_told_apart(services: FakeServices, path: str) -> None:
    links = {"aaaaaaaa": "deleted", "bbbbbbbb": "under-way", "cccccccc": "revoked", "dddddddd": "renewed"}
    services.add("deleted", deleted("me", short_id="aaaaaaaa"))
    services.add("under-way", document("me", short_id="bbbbbbbb", status="processing"))
    services.add("revoked", document("me", short_id=None, share_revoked_at=NOW))
    services.add("renewed", document("me", short_id="eeeeeeee"))
    services.add("empty", document("me", short_id="99999999"))
    services.fake_shares.links.update({**links, "99999999": "empty"})
    odd = ["ffffffff", "FFFFFFFF", "x", "%00", "..%2F..", "%ff%fe", "a" * 500, "25ca1d0f%0A", "25ca1d0f%20"]
    answers = {
        short_id: nothing_there(services, path.replace(ID, short_id)) for short_id in [*links, "99999999", *odd]
    }
    assert {status for status, _ in answers.values()} == {404}
    assert len({text for _, text in answers.values()}) == 1
    (text,) = {text for _, text in answers.values()}
    assert text.startswith("<!doctype html>" if path != DATA else '{"type":"https://nuumee.ai/problems/not-found"')


def test_what_could_be_no_id_is_not_looked_up(services: FakeServices) -> None:
    visit(services, "/v/..%2Fjobs")
    assert services.fake_repository.calls == 0


def test_other_methods_are_told_what_can_be_used(services: FakeServices) -> None:
    for path in (PAGE, DATA):
        answer = visit(services, path, "POST")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_view_counts_once_however_often_the_page_is_reloaded(services: FakeServices) -> None:
    for _ in range(3):
        visit(services)
    visit(services, DATA)
    assert views(services) == 1
    visit(services, X_Forwarded_For="203.0.113.9")
    visit(services, User_Agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1")
    assert views(services) == 3


def test_after_the_window_a_visitor_counts_again(services: FakeServices) -> None:
    visit(services)
    services.now = lambda: NOW + timedelta(hours=5, minutes=59)
    visit(services)
    assert views(services) == 1
    services.now = lambda: NOW + timedelta(hours=6)
    visit(services)
    assert views(services) == 2


def test_the_browser_says_what_it_has_seen(services: FakeServices) -> None:
    cookie = visit(services).headers["Set-Cookie"]
    expected = {"__session=seen", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=21600", f"Path=/v/{ID}"}
    assert expected <= set(cookie.split("; "))
    answer = visit(services, Cookie="__session=seen", X_Forwarded_For="203.0.113.9")
    assert "Set-Cookie" not in answer.headers
    assert views(services) == 1


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "facebookexternalhit/1.1",
        "WhatsApp/2.23.20.0",
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "Mozilla/5.0 SkypeUriPreview Preview/0.5",
        "curl/8.5.0",
        "python-requests/2.32",
    ],
)
def test_what_looks_by_itself_does_not_count(services: FakeServices, agent: str) -> None:
    answer = visit(services, User_Agent=agent)
    assert (answer.status_code, views(services)) == (200, 0)
    assert "Set-Cookie" not in answer.headers


def test_neither_a_look_at_the_headers_nor_a_fetch_ahead_nor_a_picture_counts(services: FakeServices) -> None:
    visit(services, method="HEAD")
    visit(services, Sec_Purpose="prefetch;prerender")
    visit(services, VIDEO)
    visit(services, POSTER)
    assert views(services) == 0
    visit(services, User_Agent="Mozilla/5.0 (Linux; Android 13; CUBOT_P80) Chrome/140.0 Mobile Safari/537.36")
    assert views(services) == 1


@pytest.mark.parametrize("error", [Unavailable("Firestore"), RuntimeError("broken")])
def test_a_view_that_cannot_be_counted_changes_nothing(
    services: FakeServices, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    services.fake_views.error = error
    with caplog.at_level("WARNING", "nuumee"):
        assert visit(services).status_code == 200
        wait_until(lambda: "view_not_counted" in caplog.messages)


def test_a_view_that_takes_long_to_count_is_not_waited_for(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = threading.Event()
    monkeypatch.setattr(services.fake_views, "add", lambda *_: stuck.wait(30))
    try:
        assert visit(services).status_code == 200
        assert not stuck.is_set()
    finally:
        stuck.set()


def test_who_asks_too_often_is_told_when_to_come_back(services: FakeServices) -> None:
    statuses = [visit(services, X_Forwarded_For="198.51.100.7").status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    for path in (PAGE, DATA):
        answer = visit(services, path, X_Forwarded_For="6.6.6.6, 198.51.100.7")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert visit(services, X_Forwarded_For="198.51.100.8").status_code == 200
    services.now = lambda: NOW + timedelta(seconds=1)
    assert visit(services, X_Forwarded_For="198.51.100.7").status_code == 200


def test_an_outage_is_told_by_the_page_too(services: FakeServices) -> None:
    services.fake_shares.error = Unavailable("Firestore")
    answer = visit(services)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Temporarily unavailable" in answer.text


def test_what_is_counted_reaches_the_job(services: FakeServices) -> None:
    for number in range(4):
        visit(services, X_Forwarded_For=f"203.0.113.{number}")
    assert views(services) == 4
    count_views.receive(envelope(b"", {}), services)
    count_views.receive(envelope(b"", {}), services)
    assert services.fake_repository.documents["job-1"]["view_count"] == 7


def test_locally_the_cookie_goes_over_http_too() -> None:
    local = FakeServices(SETTINGS.__class__(**{**vars(SETTINGS), "share_origin": "http://127.0.0.1:8000"}))
    local.add("job-1", document("me", short_id=ID, output_video_path="me/job-1/output.mp4"))
    local.fake_shares.links[ID] = "job-1"
    answer = visit(local)
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert "og:video:secure_url" not in answer.text
