"""What every HTTP function does around its handler: path, token, errors, JSON, CORS, caching, log."""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import flask

from shared import log
from shared.auth import User, bearer_token
from shared.errors import ApiError, InternalError, MethodNotAllowed, NotFound, Unavailable
from shared.job import is_job_id
from shared.outages import ANSWER_WITHIN, answer_within
from shared.pagination import QueryParameters
from shared.services import Services, of_this_process

_PREFLIGHT_SECONDS = 3600
_METHODS = "GET, DELETE"
"""What a browser may use on the paths of the API, whichever function answers the preflight."""
_REQUEST_HEADERS = "Authorization, If-None-Match"
_EXPOSED_HEADERS = "ETag, Retry-After, X-Request-Id"
_COUNTDOWN = re.compile(rb'"expires_in_seconds":[0-9]+')


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler may look at."""

    query: QueryParameters
    job_id: str | None = None


Handler = Callable[[Request, User, Services], Mapping[str, Any]]


def endpoint(
    method: str, *paths: str, status: int = 200, cacheable: bool = False, check_revoked: bool = False
) -> Callable[[Handler], Endpoint]:
    """Make a handler an HTTP function that answers `method` on `paths`, with any prefix before them.

    `cacheable` answers carry an ETag and are revalidated; others are never stored.
    """

    def decorate(handler: Handler) -> Endpoint:
        return Endpoint(handler, method, paths, status=status, cacheable=cacheable, check_revoked=check_revoked)

    return decorate


class Endpoint:
    def __init__(
        self,
        handler: Handler,
        method: str,
        paths: tuple[str, ...],
        *,
        status: int,
        cacheable: bool,
        check_revoked: bool,
    ) -> None:
        self._handler = handler
        self._name = handler.__name__
        self._methods = ("GET", "HEAD") if method == "GET" else (method,)
        self._paths = [tuple(path.strip("/").split("/")) for path in paths]
        self._status = status
        self._cacheable = cacheable
        self._check_revoked = check_revoked

    def start(self) -> Callable[[flask.Request], flask.Response]:
        """The function that functions-framework serves. Raises SettingsError if a setting is missing."""
        log.start()
        services = of_this_process()

        def serve(request: flask.Request) -> flask.Response:
            return self.answer(request, services)

        if flask.has_app_context():
            # A path with a line feed in it matches no route of the framework's.
            flask.current_app.register_error_handler(404, lambda _: serve(flask.request))
        return serve

    def answer(self, request: flask.Request, services: Services) -> flask.Response:
        """Never raises: whatever goes wrong becomes a problem document."""
        began = time.perf_counter()
        request_id = uuid.uuid4().hex
        log.set_trace(
            services.settings.project,
            request.headers.get("traceparent"),
            request.headers.get("X-Cloud-Trace-Context"),
        )
        try:
            response = self._respond(request, services)
        except ApiError as error:
            if isinstance(error, Unavailable):
                log.warning("unavailable", detail=error.detail, cause=repr(error.__cause__), request_id=request_id)
            response = _problem(error, request_id)
        except Exception:
            log.exception("unexpected_error", function=self._name, request_id=request_id)
            response = _problem(InternalError(), request_id)
        response.headers["X-Request-Id"] = request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        _allow_origin(response, request.headers.get("Origin"), services.settings.allowed_origins)
        log.info(
            "request",
            function=self._name,
            method=request.method,
            status=response.status_code,
            milliseconds=round(1000 * (time.perf_counter() - began), 1),
            request_id=request_id,
        )
        return response

    def _respond(self, request: flask.Request, services: Services) -> flask.Response:
        found, job_id = self._match(_raw_path(request))
        if not found:
            raise NotFound("There is nothing at this address.")
        if request.method == "OPTIONS":
            return _preflight(self._allow)
        if request.method not in self._methods:
            raise MethodNotAllowed(self._allow)
        token, parameters = bearer_token(request.headers), request.args
        work = services.handlers.submit(
            copy_context().run, self._handle, token, Request(parameters, job_id), services
        )
        wait([work], ANSWER_WITHIN)
        if not work.done():
            work.cancel()
            work.add_done_callback(_log_late)
            raise Unavailable("One of the services that this needs") from TimeoutError(f"{ANSWER_WITHIN} s")
        response = _json(work.result(), self._status)
        if not self._cacheable:
            response.headers["Cache-Control"] = "no-store"
            return response
        tag = _tag(response.get_data())
        if request.if_none_match.contains_weak(tag):
            response = flask.Response(status=304)
        response.set_etag(tag)
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    def _handle(self, token: str, request: Request, services: Services) -> Mapping[str, Any]:
        answer_within(ANSWER_WITHIN)  # holds in this request's own context
        user = services.verifier.verify(token, check_revoked=self._check_revoked)
        if request.job_id is not None and not is_job_id(request.job_id):
            raise NotFound
        return self._handler(request, user, services)

    @property
    def _allow(self) -> str:
        return ", ".join((*self._methods, "OPTIONS"))

    def _match(self, path: str) -> tuple[bool, str | None]:
        """Whether the path ends in one of ours, and the job id in it, which may be anything."""
        segments = path.split("/")
        # The longest first: /jobs/jobs is the job with the id "jobs".
        for pattern in sorted(self._paths, key=len, reverse=True):
            end = segments[-len(pattern) :]
            pairs = list(zip(pattern, end, strict=False))
            if len(segments) > len(pattern) and all(wanted in ("{job_id}", given) for wanted, given in pairs):
                ids = [unquote(given, errors="surrogateescape") for wanted, given in pairs if "{" in wanted]
                return True, ids[0] if ids else None
        return False, None


def _raw_path(request: flask.Request) -> str:
    """The path as it was sent: in the decoded one an encoded slash looks like any other."""
    raw: str = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.path
    path = raw.partition("?")[0]
    if not path.startswith("/"):  # the absolute form, which proxies use
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path


def _json(body: Mapping[str, Any], status: int, content_type: str = "application/json") -> flask.Response:
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return flask.Response(text.encode("utf-8", "replace"), status, content_type=content_type)


def _log_late(work: Future[Any]) -> None:
    """Say what came of work that nobody waited for any more, if it was not to be expected."""
    if work.cancelled():
        return
    try:
        work.result()
    except ApiError:
        return
    except Exception:
        log.exception("unexpected_error", late=True)


def _problem(error: ApiError, request_id: str) -> flask.Response:
    """RFC 9457."""
    body = {**error.problem(), "request_id": request_id}
    response = _json(body, error.status, "application/problem+json")
    response.headers.update(error.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def _preflight(allow: str) -> flask.Response:
    response = flask.Response(status=204)
    response.headers["Allow"] = allow
    response.headers["Access-Control-Allow-Methods"] = _METHODS
    response.headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
    response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
    return response


def _allow_origin(response: flask.Response, origin: str | None, allowed: tuple[str, ...]) -> None:
    response.vary.add("Origin")
    if origin in allowed:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS


def _tag(body: bytes) -> str:
    """Changes with anything in the body but the countdown of its URLs, which `expires_at` says as well.

    A quotation mark within a text is escaped, so that only the field itself can look like this.
    """
    return hashlib.sha256(_COUNTDOWN.sub(b"", body)).hexdigest()[:32]
