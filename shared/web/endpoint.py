"""Wraps the handler of every HTTP function: path, token, errors, JSON, CORS, caching, log."""

from __future__ import annotations

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ParamSpec, TypeVar

import flask

from shared import log
from shared.access.user import User, bearer_token
from shared.errors import ApiError, InternalError, MethodNotAllowed, NotFound, TooManyRequests, Unavailable
from shared.jobs.job import is_job_id
from shared.jobs.parameters import QueryParameters
from shared.outages import ANSWER_WITHIN, answer_within, patient
from shared.services import Services, of_this_process
from shared.tracing import Trace
from shared.web import answers
from shared.web.bodies import body_of, take_body
from shared.web.query import Query
from shared.web.routes import Match, Routes

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of a request that a handler sees."""

    query: QueryParameters
    job_id: str | None = None
    method: str = "GET"
    path: str = ""
    """Which of the function's paths it is, such as `/jobs/{job_id}`."""
    json: Callable[[], object] = dict
    """Reads the body, if the function takes one. Raises BadRequest, which says what is wrong with it."""
    json_if_any: Callable[[], object] = dict
    """The same; None if the body has no content."""


@dataclass(frozen=True, slots=True)
class Versioned:
    """An answer that is only made if the caller does not have this version of it."""

    version: str
    make: Callable[[], Mapping[str, Any]]


Handler = Callable[[Request, User, Services], Mapping[str, Any] | Versioned]


def endpoint(
    methods: str,
    *paths: str,
    status: int = 200,
    cacheable: bool = False,
    check_revoked: bool = False,
    signs: bool = False,
    bounded: bool = False,
    takes_body: bool = False,
) -> Callable[[Handler], Endpoint]:
    """Turn a handler into an HTTP function that answers `methods` on `paths`, with any prefix before them.

    `methods` is one method, or several separated by ", ". `cacheable` answers carry an ETag, are revalidated, and
    are compressed for callers that take gzip; other answers are never stored. A function that `signs` URLs does
    not start without the settings for it.

    A `bounded` handler makes only calls that end by the request's time limit, so it may run on the request's own
    thread once it has answered: by then the services that every answer needs are made, which may take any time.
    Others whose making takes calls, the handler makes `in_time`. That takes a fifth of the CPU off a page of jobs.

    A body is discarded unread, unless the function `takes_body` and the handler asks for its JSON. Handlers run
    once the caller is known.
    """
    return lambda handler: Endpoint(
        handler,
        methods,
        paths,
        status=status,
        cacheable=cacheable,
        check_revoked=check_revoked,
        signs=signs,
        bounded=bounded,
        takes_body=takes_body,
    )


class HttpFunction(ABC):
    """Base of all HTTP functions, public or not. Subclasses implement `_serve`."""

    def __init__(
        self, name: str, methods: str, paths: tuple[str, ...], *, signs: bool, takes_body: bool = False
    ) -> None:
        self.signs = signs
        self.takes_body = takes_body
        self._name = name
        self._methods = ("GET", "HEAD") if methods == "GET" else tuple(methods.split(", "))
        self._routes = Routes(paths)

    def start(self) -> Callable[[flask.Request], flask.Response]:
        """The function that functions-framework serves. Raises SettingsError if a setting is missing."""
        services = of_this_process()
        log.start(services.settings.release)
        if self.signs:
            services.settings.check_signing()

        def serve(request: flask.Request) -> flask.Response:
            return self.answer(request, services)

        if flask.has_app_context():
            flask.current_app.before_request(partial(take_body, self._methods if self.takes_body else ()))
            # The framework's routes do not match a path that contains a line feed or begins with two slashes.
            flask.current_app.url_map.merge_slashes = False
            for status in (404, 400):  # it would also refuse a request to upgrade to a WebSocket
                flask.current_app.register_error_handler(status, lambda _: serve(flask.request))
        return serve

    def answer(self, request: flask.Request, services: Services) -> flask.Response:
        """Never raises: whatever goes wrong becomes a problem document."""
        trace = Trace.of(request.headers.get("traceparent"), request.headers.get("X-Cloud-Trace-Context"))
        with log.context(services.settings.project, trace):
            response = self._logged(request, services)
        if self.takes_body:
            body_of(request).drop()
        return response

    def _logged(self, request: flask.Request, services: Services) -> flask.Response:
        began = time.perf_counter()
        request_id = uuid.uuid4().hex
        match = self._routes.match(request)
        problem: ApiError | None = None
        try:
            response = self._respond(request, match, services)
        except ApiError as error:
            if isinstance(error, Unavailable):
                log.warning("unavailable", detail=str(error), cause=repr(error.__cause__), request_id=request_id)
            problem = error
        except Exception:
            log.exception("unexpected_error", function=self._name, request_id=request_id)
            problem = InternalError()
        if problem:
            path = match.path if match else request.path
            response = self._problem(problem, path, request_id, services)
        response.headers["X-Request-Id"] = request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        answers.allow_origin(response, request.headers.get("Origin"), services.settings.allowed_origins)
        log.info(
            "request",
            function=self._name,
            method=request.method,
            status=response.status_code,
            milliseconds=round(1000 * (time.perf_counter() - began), 1),
            request_id=request_id,
            **({"kind": problem.kind, "detail": str(problem)} if problem else {}),
        )
        return response

    def _respond(self, request: flask.Request, match: Match | None, services: Services) -> flask.Response:
        # A preflight is answered whatever the path, so that scripts can read a 404.
        if request.method == "OPTIONS":
            return answers.preflight(self._allow)
        if match is None:
            raise NotFound("There is nothing at this address.")
        if request.method not in self._methods:
            raise MethodNotAllowed(self._allow)
        return self._serve(request, match, services)

    @abstractmethod
    def _serve(self, request: flask.Request, match: Match, services: Services) -> flask.Response:
        """Answer a request whose path and method are this function's."""

    def _problem(self, error: ApiError, path: str, request_id: str, services: Services) -> flask.Response:
        return answers.problem(error, request_id)

    @property
    def _allow(self) -> str:
        return ", ".join((*self._methods, "OPTIONS"))


class Endpoint(HttpFunction):
    """An HTTP function for signed-in users, which answers with JSON."""

    def __init__(
        self,
        handler: Handler,
        methods: str,
        paths: tuple[str, ...],
        *,
        status: int,
        cacheable: bool,
        check_revoked: bool,
        signs: bool,
        bounded: bool,
        takes_body: bool,
    ) -> None:
        super().__init__(handler.__name__, methods, paths, signs=signs, takes_body=takes_body)
        self._bounded = bounded
        self._has_answered = False
        self._handler = handler
        self._status = status
        self._cacheable = cacheable
        self._check_revoked = check_revoked

    def _serve(self, request: flask.Request, match: Match, services: Services) -> flask.Response:
        token = bearer_token(request.headers)
        asked = Request(Query(request.query_string), match.id, request.method, match.path)
        if self.takes_body:
            body = body_of(request)
            asked = replace(asked, json=body.json, json_if_any=body.json_if_any)
        answer = self._answer(token, asked, services)
        gzip = self._cacheable and answers.takes_gzip(request)
        version = answers.tag(answer.version.encode(), gzip) if isinstance(answer, Versioned) else None
        if version and request.if_none_match.contains_weak(version):
            return _cached(flask.Response(status=304), version)
        content = answer.make() if isinstance(answer, Versioned) else answer
        response = answers.json_answer(content, self._status)
        if not self._cacheable:
            response.headers["Cache-Control"] = "no-store"
            return response
        tag = version or answers.tag(response.get_data(), gzip)
        if request.if_none_match.contains_weak(tag):
            response = flask.Response(status=304)
        elif gzip:
            answers.compress(response)
        return _cached(response, tag)

    def _answer(self, token: str, request: Request, services: Services) -> Mapping[str, Any] | Versioned:
        if self._bounded and self._has_answered and (user := services.verifier.known(token)):
            return copy_context().run(_begin, self._handle, user, token, request, services)
        answer = in_time(services, self._verify_and_handle, token, request, services)
        self._has_answered = True
        return answer

    def _verify_and_handle(
        self, token: str, request: Request, services: Services
    ) -> Mapping[str, Any] | Versioned:
        user = services.verifier.known(token) or services.verifier.verify(token, check_revoked=False)
        return self._handle(user, token, request, services)

    def _handle(
        self, user: User, token: str, request: Request, services: Services
    ) -> Mapping[str, Any] | Versioned:
        if seconds := services.users.seconds_to_wait(user.id, services.now().timestamp()):
            raise TooManyRequests(seconds)
        if request.job_id is not None and not is_job_id(request.job_id):
            raise NotFound
        if self._check_revoked:  # calls Firebase Auth, so it comes after the limit and what costs no call
            services.verifier.verify(token, check_revoked=True)
        return self._handler(request, user, services)


def _cached(response: flask.Response, tag: str) -> flask.Response:
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def in_time(services: Services, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Run `work` on another thread and return its result. Raises Unavailable after ANSWER_WITHIN seconds.

    Work that is given up keeps its thread until it ends.
    """
    seconds = patient(ANSWER_WITHIN)
    doing: Future[T] = services.handlers.submit(partial(copy_context().run, _begin, work, *args, **options))  # type: ignore[arg-type]
    wait([doing], seconds)
    if not doing.done():
        doing.cancel()
        doing.add_done_callback(_log_late)
        raise Unavailable("One of the services that this needs") from TimeoutError(f"{seconds} s")
    return doing.result()


def _begin(work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Run `work` with the time limit of a request, in a context of the request's own."""
    answer_within(patient(ANSWER_WITHIN))
    return work(*args, **options)


def _log_late(work: Future[Any]) -> None:
    """Log an unexpected error of work that finished after its request was answered."""
    if work.cancelled():
        return
    try:
        work.result()
    except ApiError:
        return
    except Exception:
        log.exception("unexpected_error", late=True)
