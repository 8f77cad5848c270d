"""What counts as a view of a share link, and the limit for each client, with fakes."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from functions.count_views import count_views
from functions.record_view import record_view
from shared.errors import Unavailable
from tests.fakes import SETTINGS, FakeServices
from tests.jobs import NOW, document
from tests.messages import envelope
from tests.visits import DATA, ID, PAGE, POSTER, VIDEO, shared_job, visit
from tests.waiting import wait_until


@pytest.fixture
def services() -> FakeServices:
    return shared_job()


def views(services: FakeServices) -> int:
    return len(services.fake_view_publisher.published)


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
def test_machines_do_not_count(services: FakeServices, agent: str) -> None:
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


@pytest.mark.parametrize("error", [Unavailable("Pub/Sub"), RuntimeError("broken")])
def test_a_view_that_cannot_be_counted_changes_nothing(
    services: FakeServices, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    services.fake_view_publisher.error = error
    with caplog.at_level("WARNING", "nuumee"):
        assert visit(services).status_code == 200
        wait_until(lambda: "view_not_counted" in caplog.messages)


def test_a_view_that_takes_long_to_count_is_not_waited_for(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = threading.Event()
    monkeypatch.setattr(services.fake_view_publisher, "publish", lambda _: stuck.wait(30))
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


def test_what_is_counted_reaches_the_job(services: FakeServices) -> None:
    for number in range(4):
        visit(services, X_Forwarded_For=f"203.0.113.{number}")
    assert views(services) == 4
    for viewed in services.fake_view_publisher.published:
        record_view.receive(envelope(*viewed.encode()), services)
    count_views.receive(envelope(b"", {}), services)
    count_views.receive(envelope(b"", {}), services)
    assert services.fake_repository.documents["job-1"]["view_count"] == 7


def test_the_first_view_makes_a_link_from_elsewhere_lasting(services: FakeServices) -> None:
    del services.fake_shares.links[ID]
    visit(services)
    assert ID not in services.fake_shares.links
    for viewed in services.fake_view_publisher.published:
        record_view.receive(envelope(*viewed.encode()), services)
    assert services.fake_shares.links[ID] == "job-1"


def test_locally_the_cookie_goes_over_http_too() -> None:
    local = FakeServices(SETTINGS.__class__(**{**vars(SETTINGS), "share_origin": "http://127.0.0.1:8000"}))
    local.add("job-1", document("me", short_id=ID, output_video_path="me/job-1/output.mp4"))
    local.fake_shares.links[ID] = "job-1"
    answer = visit(local)
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert "og:video:secure_url" not in answer.text
