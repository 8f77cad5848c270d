"""Wraps the handler of a function that anybody may call: rate limit, pages, redirects, errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import flask

from shared.access.visitors import VIEW_WINDOW, Visitor, client_address
from shared.errors import ApiError, TooManyRequests
from shared.services import Services
from shared.web import answers
from shared.web.endpoint import HttpFunction, in_time
from shared.web.html_page import HtmlPage
from shared.web.query import Query
from shared.web.routes import Match

# Firebase Hosting passes only a cookie of this name to a function:
# https://firebase.google.com/docs/hosting/manage-cache#using_cookies
_COOKIE = "__session"
_SEEN = "seen"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, slots=True)
class Visit:
    """The parts of a visit that a handler sees."""

    path: str
    """Which of the function's paths was requested."""
    short_id: str
    options: frozenset[str]
    """Names of the query parameters."""
    query: str
    """The query as it was sent."""
    ends_in_slash: bool
    visitor: Visitor
    may_count: bool
    """Whether this may be a person's first view of the video, if the page says that it was shown."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect to the content's temporary URL."""

    url: str


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """The answer to a page that reports a view."""


Answer = HtmlPage | Redirect | Picture | Nothing | Mapping[str, Any]
Handler = Callable[[Visit, Services], Answer]


def public_endpoint(*paths: str, signs: bool = False) -> Callable[[Handler], PublicEndpoint]:
    """Turn a handler into an HTTP function that takes no token and answers GET on `paths`, with any prefix.

    No answer may be cached. Errors are shown as a page, or as a problem document on paths under /public/. If
    it `signs` URLs, it does not start without the settings for it.
    """
    return lambda handler: PublicEndpoint(handler, paths, signs=signs)


class PublicEndpoint(HttpFunction):
    def __init__(self, handler: Handler, paths: tuple[str, ...], *, signs: bool) -> None:
        super().__init__(handler.__name__, "GET", paths, signs=signs)
        self._handler = handler

    def answer(self, request: flask.Request, services: Services) -> flask.Response:
        response = super().answer(request, services)
        response.headers.update(_HEADERS)
        return response

    def _serve(self, request: flask.Request, match: Match, services: Services) -> flask.Response:
        address = client_address(
            request.headers.get("X-Forwarded-For", ""), request.remote_addr or "", services.settings.forwarded_hops
        )
        # Before anything that takes time.
        if seconds := services.visitors.seconds_to_wait(address, services.now().timestamp()):
            raise TooManyRequests(seconds)
        visit = _visit(request, match, address)
        answer = in_time(services, self._handler, visit, services)
        if isinstance(answer, Redirect):
            return flask.Response(status=302, headers={"Location": answer.url})
        if isinstance(answer, Picture):
            return flask.Response(answer.content, content_type=answer.content_type)
        if isinstance(answer, HtmlPage):
            return answer.response(services.settings.share_origin)
        if not isinstance(answer, Nothing):
            return answers.json_answer(answer, 200)
        response = flask.Response(status=204)
        if visit.may_count:
            _remember(response, visit.short_id, secure=services.settings.share_origin.startswith("https:"))
        return response

    def _problem(self, error: ApiError, path: str, request_id: str, services: Services) -> flask.Response:
        if "/public/" in path:
            return answers.problem(error, request_id)
        page = HtmlPage("problem.html", {"title": error.title, "detail": error.detail}, status=error.status)
        response = page.response(services.settings.share_origin)
        response.headers.update(error.headers)
        return response


def _visit(request: flask.Request, match: Match, address: str) -> Visit:
    visitor = Visitor(address, request.headers.get("User-Agent", ""))
    may_count = (
        request.method == "GET"
        and visitor.looks_like_browser
        # Sent by a page of ours, in every browser since 2023: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
        and request.headers.get("Sec-Fetch-Site") == "same-origin"
        and request.cookies.get(_COOKIE) != _SEEN
    )
    return Visit(
        match.path,
        match.id or "",
        Query(request.query_string).names,
        request.query_string.decode("latin-1"),
        request.path.endswith("/"),
        visitor,
        may_count,
    )


def _remember(response: flask.Response, short_id: str, *, secure: bool) -> None:
    """Mark this video as seen in a cookie that holds nothing else and is sent only to the video's own path."""
    response.set_cookie(
        _COOKIE,
        _SEEN,
        max_age=VIEW_WINDOW,
        path=f"/v/{short_id}",
        secure=secure,
        httponly=True,
        samesite="Lax",
    )
