"""What a share link shows, with fakes."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from unittest.mock import Mock

import pytest
from PIL import Image

from shared.errors import Unavailable
from tests.fakes import FakeServices
from tests.jobs import NOW, deleted, document
from tests.visits import BRAND, DATA, ID, PAGE, PICTURE, POSTER, SEEN, VIDEO, saved_as, shared_job, visit

OUTPUT = "https://storage.test/nuumee-outputs/me/job-1/output.mp4"
POSTER_URL = "https://storage.test/nuumee-outputs/me/job-1/poster.webp"
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
    return shared_job()


def test_the_page_shows_the_video_with_its_poster(services: FakeServices) -> None:
    answer = visit(services)
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    tags = Tags(answer.text)
    (video,) = tags.every("video")
    assert {"controls", "playsinline"} <= set(video)
    assert (video["src"], video["poster"]) == (OUTPUT, POSTER_URL)
    links = [link["href"] for link in tags.every("a")]
    assert links == ["https://nuumee.ai/", f"https://nuumee.ai/v/{ID}/video.mp4?download", "https://nuumee.ai/"]
    assert "3 views" in answer.text


def test_the_page_shows_the_whole_picture_rather_than_the_square_of_a_tile(services: FakeServices) -> None:
    services.fake_repository.documents["job-1"]["share_picture"] = SHARE_PICTURE
    for path in (PAGE, f"{PAGE}?embed=1"):
        (video,) = Tags(visit(services, path).text).every("video")
        assert video["poster"] == f"https://storage.test/nuumee-outputs/{SHARE_PICTURE['name']}"


def test_the_page_has_one_address(services: FakeServices) -> None:
    for path, to in ((f"{PAGE}/", f"../{ID}"), (f"{PAGE}/?embed=1", f"../{ID}?embed=1")):
        answer = visit(services, path)
        assert (answer.status_code, answer.headers["Location"]) == (302, to)
    assert visit(services, "/v/%0d%0a/").status_code == 404


@pytest.mark.parametrize("path", ["/public/video/", "/public/video/a/b", "/api/v1/public/nothing"])
def test_other_addresses_of_data_are_not_there_as_data(services: FakeServices, path: str) -> None:
    answer = visit(services, path)
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("path", [VIDEO, POSTER, DATA])
def test_one_slash_at_the_end_changes_nothing(services: FakeServices, path: str) -> None:
    with_slash, without = visit(services, f"{path}/"), visit(services, path)
    assert with_slash.status_code == without.status_code in (200, 302)
    assert with_slash.headers.get("Location") == without.headers.get("Location")
    assert visit(services, f"{path}//").status_code == 404


SHARE_PICTURE = {"name": "me/job-1/share.jpg", "width": 675, "height": 1200}


def test_a_pasted_link_unfolds(services: FakeServices) -> None:
    services.fake_repository.documents["job-1"]["share_picture"] = SHARE_PICTURE
    tags = Tags(visit(services).text)
    meta, page = tags.meta(), f"https://nuumee.ai/v/{ID}"
    assert {link["rel"]: link["href"] for link in tags.every("link")}["canonical"] == page
    assert {name: meta[name] for name in sorted(map(str, meta)) if name.startswith(("og:", "twitter:"))} == {
        "og:description": "Watch it, and bring a picture of your own to life.",
        "og:image": f"{page}/picture.jpg",
        "og:image:alt": "A moment of the video",
        "og:image:height": "1200",
        "og:image:type": "image/jpeg",
        "og:image:width": "675",
        "og:site_name": "NuuMee",
        "og:title": "A video made with NuuMee",
        "og:type": "video.other",
        "og:url": page,
        "og:video": f"{page}/video.mp4",
        "og:video:height": "1280",
        "og:video:secure_url": f"{page}/video.mp4",
        "og:video:type": "video/mp4",
        "og:video:width": "720",
        "twitter:card": "player",
        "twitter:description": "Watch it, and bring a picture of your own to life.",
        "twitter:image": f"{page}/picture.jpg",
        "twitter:image:alt": "A moment of the video",
        "twitter:player": f"{page}?embed=1",
        "twitter:player:height": "1280",
        "twitter:player:stream": f"{page}/video.mp4",
        "twitter:player:stream:content_type": "video/mp4",
        "twitter:player:width": "720",
        "twitter:title": "A video made with NuuMee",
    }
    assert meta["robots"] == "noindex"


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        "me/job-1/share.jpg",
        {**SHARE_PICTURE, "name": "somebody-else/job-2/share.jpg"},
        {**SHARE_PICTURE, "name": None},
        {**SHARE_PICTURE, "width": 0},
        {**SHARE_PICTURE, "height": True},
        {"name": "me/job-1/share.jpg"},
    ],
)
def test_until_there_is_a_picture_a_branded_one_is_shown(services: FakeServices, damaged: object) -> None:
    document = services.fake_repository.documents["job-1"]
    del document["posters"]
    document["share_picture"] = damaged
    tags = Tags(visit(services).text)
    meta, brand = tags.meta(), f"https://nuumee.ai{BRAND}"
    assert (meta["og:image"], meta["twitter:image"]) == (brand, brand)
    assert (meta["og:image:width"], meta["og:image:height"]) == ("1200", "630")
    assert (meta["twitter:player:width"], meta["twitter:player:height"]) == ("720", "720")
    assert "og:video:width" not in meta
    assert "poster" not in tags.every("video")[0]
    assert [visit(services, path).status_code for path in (POSTER, PICTURE)] == [404, 404]


def test_the_branded_picture_is_a_small_jpeg_of_the_size_that_is_told(services: FakeServices) -> None:
    answer = visit(services, BRAND)
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    content = answer.get_data()
    assert len(content) < 200_000
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (1200, 630)
    assert visit(services, "/v/ffffffff/nuumee.jpg").status_code == 404


def test_what_a_chat_has_unfolded_leads_to_fresh_addresses(services: FakeServices) -> None:
    services.fake_repository.documents["job-1"]["share_picture"] = SHARE_PICTURE
    share = f"https://storage.test/nuumee-outputs/{SHARE_PICTURE['name']}"
    for path, url in ((VIDEO, OUTPUT), (POSTER, POSTER_URL), (PICTURE, share)):
        for method in ("GET", "HEAD"):
            answer = visit(services, path, method)
            assert (answer.status_code, answer.headers["Location"]) == (302, url)


def test_the_download_is_asked_for_when_it_is_wanted(services: FakeServices) -> None:
    answer = visit(services, f"{VIDEO}?download")
    assert (answer.status_code, answer.headers["Location"]) == (302, OUTPUT)


def test_a_name_is_shown_where_its_owner_wishes_and_nowhere_else(services: FakeServices) -> None:
    job = services.fake_repository.documents["job-1"]
    job["name"] = "<b>First</b> try"
    for wish in ({}, {"share_name": False}, {"share_name": "yes"}):
        job.update(wish)
        assert not [path for path in (PAGE, f"{PAGE}?embed=1", DATA) if "First" in visit(services, path).text]
        assert saved_as(services) == 'attachment; filename="nuumee-job-1.mp4"'
    job["share_name"] = True
    page = visit(services)
    shown = "&lt;b&gt;First&lt;/b&gt; try"
    assert f"<title>{shown}</title>" in page.text
    assert f'<h1 dir="auto">{shown}</h1>' in page.text
    meta = Tags(page.text).meta()
    assert (meta["og:title"], meta["twitter:title"]) == (job["name"], job["name"])
    player = visit(services, f"{PAGE}?embed=1").text
    assert player.count(shown) == 2
    assert visit(services, DATA).json["name"] == job["name"]
    assert saved_as(services) == 'attachment; filename="nuumee-_b_First__b_ try.mp4"'
    services.fake_shares.about[ID] = {"share_name": False}
    assert saved_as(services) == 'attachment; filename="nuumee-job-1.mp4"', (
        "an older copy of the job says otherwise"
    )


def test_the_data_are_those_of_the_contract(services: FakeServices) -> None:
    answer = visit(services, DATA)
    assert answer.json == {
        "short_id": ID,
        "name": None,
        "video_url": OUTPUT,
        "resolution": "720p",
        "created_at": answer.json["created_at"],
        "view_count": 3,
        "expires_in_seconds": 3149,
    }
    assert answer.json["created_at"].endswith("Z")


@every
def test_no_answer_is_cached_indexed_or_sent_as_a_referrer(services: FakeServices, path: str) -> None:
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
        "img-src": ["data:", "https://storage.test/nuumee-outputs/"],
        "media-src": ["'self'", "https://storage.test/nuumee-outputs/"],
        "connect-src": ["'self'"],
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


def nothing_there(services: FakeServices, path: str) -> tuple[int, str, str]:
    """The answer, without the parts that differ in every answer."""
    answer = visit(services, path)
    policy = answer.headers.get("Content-Security-Policy", "")
    headers, text = str(sorted(answer.headers.items())), answer.text
    for changing in {answer.headers["X-Request-Id"], *re.findall(r"nonce-([^']+)", policy)}:
        headers, text = headers.replace(changing, ""), text.replace(changing, "")
    return answer.status_code, headers, text


@pytest.mark.parametrize("path", [PAGE, VIDEO, f"{VIDEO}?download", POSTER, PICTURE, BRAND, SEEN, DATA])
def test_a_link_to_a_completed_job_without_an_output_shows_nothing(services: FakeServices, path: str) -> None:
    job = services.fake_repository.documents["job-1"]
    job["share_picture"] = SHARE_PICTURE
    assert visit(services, path, Sec_Fetch_Site="same-origin").status_code < 400
    services.fake_view_publisher.published.clear()
    job["output_video_path"] = None
    services.now = lambda: NOW + timedelta(days=1)
    assert visit(services, path, Sec_Fetch_Site="same-origin").status_code == 404
    assert services.fake_view_publisher.published == []


@every
def test_links_that_show_nothing_get_the_same_answer(services: FakeServices, path: str) -> None:
    links = {"aaaaaaaa": "deleted", "bbbbbbbb": "under-way", "cccccccc": "revoked", "dddddddd": "renewed"}
    paths = {"output_video_path": "me/x/output.mp4", "posters": {"output_video": "me/x/poster.webp"}}
    services.add("deleted", deleted("me", short_id="aaaaaaaa", **paths))
    services.add("under-way", document("me", short_id="bbbbbbbb", status="processing", **paths))
    services.add("revoked", document("me", short_id=None, share_revoked_at=NOW, **paths))
    services.add("renewed", document("me", short_id="eeeeeeee", **paths))
    services.add("empty", document("me", short_id="99999999"))
    services.fake_shares.links.update({**links, "99999999": "empty"})
    odd = ["ffffffff", "FFFFFFFF", "x", "%00", "..%2F..", "%ff%fe", "a" * 500, "25ca1d0f%0A", "25ca1d0f%20"]
    answers = {
        short_id: nothing_there(services, path.replace(ID, short_id)) for short_id in [*links, "99999999", *odd]
    }
    ((status, _, text),) = set(answers.values())
    assert status == 404
    assert text.startswith("<!doctype html>" if path != DATA else '{"type":"https://nuumee.ai/problems/not-found"')


def test_an_impossible_id_is_not_looked_up(services: FakeServices) -> None:
    visit(services, "/v/..%2Fjobs")
    assert services.fake_repository.calls == 0


def test_other_methods_are_told_what_can_be_used(services: FakeServices) -> None:
    for path in (PAGE, DATA):
        answer = visit(services, path, "POST")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_poster_whose_url_cannot_be_had_is_an_outage_and_one_that_is_not_there_is_not_found(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = services.fake_media.shared
    monkeypatch.setattr(services.fake_media, "shared", lambda job, poster, now: shared(job, None, now))
    answer = visit(services, POSTER)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert visit(services, PAGE).status_code == 200
    del services.fake_repository.documents["job-1"]["posters"]
    assert visit(services, POSTER).status_code == 404


def test_what_shows_no_url_does_without_signing(services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.fake_media, "shared", Mock(side_effect=Unavailable("Cloud Storage")))
    assert visit(services, VIDEO).status_code == 503
    assert visit(services, BRAND).status_code == 200
    assert visit(services, SEEN, Sec_Fetch_Site="same-origin").status_code == 204
    assert len(services.fake_view_publisher.published) == 1


def test_an_outage_is_told_by_the_page_too(services: FakeServices) -> None:
    services.fake_shares.error = Unavailable("Firestore")
    answer = visit(services)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Temporarily unavailable" in answer.text


@pytest.mark.parametrize("path", [PAGE, VIDEO, f"{VIDEO}?download", POSTER, PICTURE, BRAND, SEEN, DATA])
def test_a_link_past_its_end_is_one_that_never_was(services: FakeServices, path: str) -> None:
    job = services.fake_repository.documents["job-1"]
    job |= {"share_expires_at": NOW + timedelta(seconds=1), "share_picture": SHARE_PICTURE}
    assert visit(services, path).status_code < 400
    never = visit(services, path.replace(ID, "ffffffff"))
    for end in (NOW + timedelta(seconds=1), "never", 0):
        job["share_expires_at"] = end
        services.now = lambda: NOW + timedelta(seconds=1)
        answer = visit(services, path)
        assert answer.status_code == never.status_code == 404
        assert answer.headers["Cache-Control"] == never.headers["Cache-Control"] == "no-store"
        assert without_request_id(answer.text) == without_request_id(never.text)


def without_request_id(text: str) -> str:
    return re.sub(r"[0-9a-f]{32}", "", re.sub(r'nonce(-|=")[^"\' ]+', "", text))
