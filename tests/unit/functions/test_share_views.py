"""What counts as a view of a share link, and the limit for each client, with fakes."""

from __future__ import annotations

import threading
from datetime import timedelta
from unittest.mock import Mock

import pytest
from werkzeug.exceptions import ServiceUnavailable

from functions.count_views import count_views
from functions.record_view import record_view
from shared.access.visitors import Visitor
from shared.errors import Unavailable
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, document
from tests.messages import envelope
from tests.visits import BRAND, DATA, ID, PAGE, POSTER, SEEN, VIDEO, shared_job, visit, watch
from tests.waiting import wait_until


@pytest.fixture
def services() -> FakeServices:
    return shared_job()


def views(services: FakeServices) -> int:
    return len(services.fake_view_publisher.published)


def test_a_view_counts_once_however_often_the_page_is_reloaded(services: FakeServices) -> None:
    for _ in range(3):
        assert watch(services).status_code == 204
    assert views(services) == 1
    watch(services, X_Forwarded_For="203.0.113.9")
    watch(
        services,
        User_Agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
        " (KHTML, like Gecko) Safari/604.1",
    )
    assert views(services) == 3


def test_after_the_window_a_visitor_counts_again(services: FakeServices) -> None:
    watch(services)
    services.now = lambda: NOW + timedelta(hours=5, minutes=59)
    watch(services)
    assert views(services) == 1
    services.now = lambda: NOW + timedelta(hours=6)
    watch(services)
    assert views(services) == 2


def test_the_browser_says_what_it_has_seen(services: FakeServices) -> None:
    cookie = watch(services).headers["Set-Cookie"]
    expected = {"__session=seen", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=21600", f"Path=/v/{ID}"}
    assert expected <= set(cookie.split("; "))
    answer = watch(services, Cookie="__session=seen", X_Forwarded_For="203.0.113.9")
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
        "Iframely/1.3.1 (+https://iframely.com/docs/about)",
        "Mattermost/9.5",
        "Viber/21.0",
        "Mozilla/5.0",
        "Mozilla/5.0 (compatible; Yahoo! Link Unfurler)",
        f"Mozilla/5.0 (X11) Gecko/2{1000 * '0'}",
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile"
        " Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0"
        " Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17"
        " Safari/605.1.15 (https://fetcher.test/about)",
    ],
)
def test_machines_do_not_count(services: FakeServices, agent: str) -> None:
    answer = watch(services, User_Agent=agent)
    assert (answer.status_code, views(services)) == (204, 0)
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
        " Safari/605.1.15",
        "Mozilla/5.0 (Linux; Android 13; CUBOT_P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile"
        " Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Mobile/15E148 [FBAN/FBIOS;FBAV/500.0;FBDV/iPhone15,2]",
        "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0"
        " Safari/537.36",
        "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0"
        " Safari/537.36 ArkWeb/4.1.6.1 Mobile",
        "Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) 94.0.4606.31/7.0 TV"
        " Safari/537.36",
        "Mozilla/5.0 (PlayStation; PlayStation 5/6.50) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4"
        " Safari/605.1.15",
        "Mozilla/5.0 (PlayStation 4 11.00) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    ],
)
def test_browsers_of_people_count(services: FakeServices, agent: str) -> None:
    watch(services, User_Agent=agent)
    assert views(services) == 1


def test_only_a_page_that_was_shown_counts(services: FakeServices) -> None:
    for path in (PAGE, VIDEO, POSTER, BRAND, DATA):
        answer = visit(services, path, Sec_Fetch_Site="same-origin")
        assert answer.status_code in (200, 302)
        assert "Set-Cookie" not in answer.headers
    visit(services, SEEN, "HEAD", Sec_Fetch_Site="same-origin")
    visit(services, SEEN)
    watch(services, Sec_Fetch_Site="cross-site")
    watch(services, Sec_Fetch_Site="none")
    assert views(services) == 0
    assert visit(services, "/v/ffffffff/seen").status_code == 404


@pytest.mark.parametrize("error", [Unavailable("Pub/Sub"), RuntimeError("broken")])
def test_a_view_that_cannot_be_counted_changes_nothing(
    services: FakeServices, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    services.fake_view_publisher.error = error
    with caplog.at_level("WARNING", "nuumee"):
        assert watch(services).status_code == 204
        wait_until(lambda: "view_not_counted" in caplog.messages)


@pytest.mark.slow  # waits out a time limit
def test_a_view_that_takes_long_to_count_is_not_waited_for(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = threading.Event()
    monkeypatch.setattr(services.fake_view_publisher, "publish", lambda _: stuck.wait(30))
    try:
        assert watch(services).status_code == 204
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


def test_a_client_over_its_limit_is_not_looked_at_any_further(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(60):
        visit(services, X_Forwarded_For="198.51.100.7")
    looked = Mock(side_effect=AssertionError)
    monkeypatch.setattr(Visitor, "looks_like_browser", property(looked))
    assert visit(services, X_Forwarded_For="198.51.100.7").status_code == 429
    assert not looked.called


def test_what_is_counted_reaches_the_job(services: FakeServices) -> None:
    for number in range(4):
        watch(services, X_Forwarded_For=f"203.0.113.{number}")
    assert views(services) == 4
    for viewed in services.fake_view_publisher.published:
        record_view.receive(envelope(*viewed.encode()), services)
    count_views.receive(envelope(b"", {}), services)
    count_views.receive(envelope(b"", {}), services)
    assert services.fake_repository.documents["job-1"]["view_count"] == 7


def test_the_first_view_makes_a_link_from_elsewhere_lasting(services: FakeServices) -> None:
    del services.fake_shares.links[ID]
    watch(services)
    assert ID not in services.fake_shares.links
    for viewed in services.fake_view_publisher.published:
        record_view.receive(envelope(*viewed.encode()), services)
    assert services.fake_shares.links[ID] == "job-1"


def test_a_view_whose_link_cannot_be_made_lasting_is_counted_once_when_its_event_comes_again(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    del services.fake_shares.links[ID]
    watch(services)
    (viewed,) = services.fake_view_publisher.published
    event = envelope(*viewed.encode())
    with monkeypatch.context() as patch:
        patch.setattr(services.shares, "settle", Mock(side_effect=Unavailable("Firestore")))
        for _ in range(3):
            with pytest.raises(ServiceUnavailable):
                record_view.receive(event, services)
    record_view.receive(event, services)
    count_views.receive(envelope(b"", {}), services)
    assert services.fake_repository.documents["job-1"]["view_count"] == 4


def test_locally_the_cookie_goes_over_http_too() -> None:
    local = FakeServices(SETTINGS.__class__(**{**vars(SETTINGS), "share_origin": "http://127.0.0.1:8000"}))
    local.add("job-1", document("me", short_id=ID, output_video_path="me/job-1/output.mp4"))
    local.fake_shares.links[ID] = "job-1"
    assert "Secure" not in watch(local).headers["Set-Cookie"]
    assert "og:video:secure_url" not in visit(local).text


def test_a_link_whose_time_has_come_is_ended_for_good(services: FakeServices) -> None:
    job = services.fake_repository.documents["job-1"]
    job["share_expires_at"] = NOW
    services.add("later", document("me", short_id="aaaaaaaa", share_expires_at=NOW + timedelta(seconds=1)))
    count_views.receive(envelope(b"", {}), services)
    assert (job["short_id"], job["share_revoked_at"]) == (None, NOW)
    assert "share_expires_at" not in job
    assert services.fake_repository.documents["later"]["short_id"] == "aaaaaaaa"
