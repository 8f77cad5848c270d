"""How the gateway serves a static export like one that `next build` writes."""

from __future__ import annotations

import shutil
from email.message import Message
from pathlib import Path

import pytest

from infra.hosting import hosting
from infra.local.pages import Answer, Pages

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FILES = {
    "index.html": "home",
    "404.html": "nothing here",
    "jobs/index.html": "the jobs",
    "jobs/index.txt": "the jobs' data",
    "jobs/__next._tree.txt": "the jobs' tree",
    "sign-in/index.html": "signing in",
    "favicon.ico": "icon",
    "icon.svg": "<svg/>",
    "site.webmanifest": "{}",
    "_next/static/chunks/0-a~b.js": "script",
    "_next/static/chunks/app/(dashboard)/[id]/page.js": "script of a segment",
    "_next/static/media/font.woff2": "font",
    "_next/static/chunks/c.css": "style",
    "media/logo.png": "picture",
    "data.json": "{}",
    "odd.bin": "?",
    ".complete": "",
}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        file = tmp_path / "out" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (tmp_path / "secret.html").write_text("secret")
    return tmp_path / "out"


@pytest.fixture
def pages(out: Path) -> Pages:
    return Pages(out, hosting())


def ask(pages: Pages, target: str, *, method: str = "GET", accept: str = HTML, **headers: str) -> Answer | None:
    message = Message()
    for name, value in {"accept": accept, **headers}.items():
        message[name.replace("_", "-")] = value
    return pages.answer(method, target, message)


def shown(answer: Answer | None) -> tuple[int, str] | None:
    return (answer.status, answer.content.decode()) if answer else None


def test_a_navigation_gets_the_page(pages: Pages) -> None:
    assert shown(ask(pages, "/")) == (200, "home")
    assert shown(ask(pages, "/jobs/")) == (200, "the jobs")
    assert shown(ask(pages, "/jobs/?status=failed")) == (200, "the jobs")
    assert shown(ask(pages, "/sign-in/", method="HEAD")) == (200, "signing in")


@pytest.mark.parametrize(
    "path", ["/jobs", "/jobs/", "/jobs/abc", "/jobs/abc/output", "/api/v1/jobs", "/elsewhere"]
)
def test_a_client_of_the_api_gets_no_page(pages: Pages, path: str) -> None:
    for accept in ("*/*", "application/json", ""):
        assert ask(pages, path, accept=accept) is None
        assert ask(pages, path, accept=accept, authorization="Bearer t") is None
    assert ask(pages, path, authorization="Bearer t") is None


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1/jobs", "/api/v1/jobs/", "/%61pi/v1/jobs", "/api%2Fjobs"]
)
def test_nothing_below_api_is_ever_a_page(pages: Pages, path: str) -> None:
    assert ask(pages, path) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_the_apis_to_answer(pages: Pages, method: str) -> None:
    assert ask(pages, "/jobs/", method=method) is None
    assert ask(pages, "/nowhere", method=method) is None


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/jobs/index.txt", "/jobs/__next._tree.txt", "/icon.svg"])
def test_what_the_api_has_nothing_at_is_shown_whatever_is_accepted(pages: Pages, path: str) -> None:
    answer = ask(pages, path, accept="*/*")
    assert answer is not None
    assert answer.status == 200


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/jobs", "/jobs/"),
        ("/sign-in?next=%2Fjobs%2F&a=b", "/sign-in/?next=%2Fjobs%2F&a=b"),
        ("/jobs?x=\xe9\x00\"<>'", "/jobs/?x=%C3%A9%00%22%3C%3E'"),
        ("/%6Aobs?", "/jobs/"),
        ("/_next/static/chunks/app/(dashboard)/[id]", None),
    ],
)
def test_a_page_without_its_last_slash_is_moved_to_it_with_the_query(
    pages: Pages, target: str, location: str | None
) -> None:
    answer = ask(pages, target)
    assert answer is not None
    assert (answer.status, answer.headers.get("Location")) == (301 if location else 404, location)
    assert answer.headers["Vary"] == "Accept, Authorization"


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/jobs/abc",
        "/.complete",
        "/../secret.html",
        "/jobs/../../secret.html",
        "/%2e%2e/secret.html",
        "/..%2fsecret.html",
        "/..%5csecret.html",
        "//secret.html",
        "//jobs/",
        "/./jobs/",
        "/jobs/%00",
        "/jobs/index.html%00.txt",
        "/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd",
        "/%252e%252e/secret.html",
        "/\xff\xfe",
        "/index.html/",
        "http://elsewhere.test/jobs/",
    ],
)
def test_a_navigation_to_what_is_not_there_gets_the_page_that_says_so(pages: Pages, path: str) -> None:
    answer = ask(pages, path)
    assert shown(answer) == (404, "nothing here")
    assert answer is not None
    assert answer.headers["Cache-Control"] == "no-cache"


def test_an_escaped_path_is_the_path_that_it_stands_for(pages: Pages) -> None:
    path = "/_next/static/chunks/app/%28dashboard%29/%5Bid%5D/page.js"
    assert shown(ask(pages, path, accept="*/*")) == (200, "script of a segment")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/jobs/", "text/html; charset=utf-8"),
        ("/jobs/index.html", "text/html; charset=utf-8"),
        ("/jobs/index.txt", "text/plain; charset=utf-8"),
        ("/favicon.ico", "image/x-icon"),
        ("/icon.svg", "image/svg+xml; charset=utf-8"),
        ("/site.webmanifest", "application/manifest+json; charset=utf-8"),
        ("/_next/static/chunks/0-a~b.js", "text/javascript; charset=utf-8"),
        ("/_next/static/chunks/c.css", "text/css; charset=utf-8"),
        ("/_next/static/media/font.woff2", "font/woff2"),
        ("/media/logo.png", "image/png"),
        ("/data.json", "application/json; charset=utf-8"),
        ("/odd.bin", "application/octet-stream"),
    ],
)
def test_each_file_has_its_type_and_is_cached_as_its_name_allows(
    pages: Pages, path: str, content_type: str
) -> None:
    answer = ask(pages, path)
    assert answer is not None
    headers = answer.headers
    assert (answer.status, headers["Content-Type"]) == (200, content_type)
    assert headers["Content-Length"] == str(len(answer.content))
    assert ("immutable" in headers["Cache-Control"]) == path.startswith("/_next/static/")
    assert ("no-cache" in headers["Cache-Control"]) == (not path.startswith("/_next/"))
    assert ("Vary" in headers) == (content_type.startswith("text/html"))


@pytest.mark.parametrize("target", ["/", "/jobs", "/jobs/", "/icon.svg", "/nowhere", "/_next/static/chunks/c.css"])
def test_every_response_carries_the_headers_that_its_path_has_in_production(pages: Pages, target: str) -> None:
    answer = ask(pages, target)
    assert answer is not None
    known = ask(pages, target, if_none_match=answer.headers.get("ETag", ""))
    assert known is not None
    expected = hosting().headers(target)
    assert {"Content-Security-Policy", "X-Content-Type-Options"} <= expected.keys()
    assert expected.items() <= answer.headers.items()
    assert expected.items() <= known.headers.items()


def test_a_file_that_is_as_it_was_is_not_sent_again(pages: Pages) -> None:
    first = ask(pages, "/jobs/")
    assert first is not None
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = ask(pages, "/jobs/", if_none_match=known)
        assert again is not None
        assert (again.status, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert "Content-Length" not in again.headers
    assert shown(ask(pages, "/jobs/", if_none_match='"other"')) == (200, "the jobs")
    assert shown(ask(pages, "/nowhere", if_none_match="*")) == (404, "nothing here")


def test_a_build_beside_a_running_stack_changes_nothing_in_it(pages: Pages, out: Path) -> None:
    (out / "jobs" / "index.html").write_text("of another build")
    (out / "index.html").unlink()
    assert shown(ask(pages, "/jobs/")) == (200, "the jobs")
    assert shown(ask(pages, "/")) == (200, "home")


def test_a_page_that_was_built_anew_shows_once_the_build_is_complete(pages: Pages, out: Path) -> None:
    shutil.rmtree(out)
    for name, content in {"jobs/index.html": "new jobs", "_next/static/chunks/d.js": "new script"}.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(content)
    assert shown(ask(pages, "/jobs/")) == (200, "the jobs")
    (out / ".complete").touch()
    assert shown(ask(pages, "/jobs/")) == (200, "new jobs")
    assert shown(ask(pages, "/_next/static/chunks/d.js")) == (200, "new script")
    assert shown(ask(pages, "/sign-in/")) is None


def test_a_page_that_is_open_still_gets_its_scripts_after_another_build(pages: Pages, out: Path) -> None:
    (out / "_next/static/chunks/c.css").unlink()
    (out / ".complete").unlink()
    (out / ".complete").touch()
    assert shown(ask(pages, "/_next/static/chunks/c.css")) == (200, "style")


def test_without_a_build_everything_is_the_apis(tmp_path: Path) -> None:
    pages = Pages(tmp_path / "none", hosting())
    assert [ask(pages, path) for path in ("/", "/jobs", "/jobs/", "/nowhere", "/api/jobs")] == [None] * 5
