"""Calls a function as functions-framework does, with the services that the test gives it."""

from __future__ import annotations

from functools import cache
from typing import Any

import flask
from werkzeug.test import TestResponse

from shared.services import Services
from shared.web.endpoint import HttpFunction

_ASKED = "test.asked"
"""The key of a request's environment that has the function and its services."""


@cache
def _app() -> flask.Flask:
    """One for all calls: to make one takes longer than to call it."""
    app = flask.Flask("test")

    def answer(path: str = "") -> flask.Response:
        endpoint, services = flask.request.environ[_ASKED]
        answered: flask.Response = endpoint.answer(flask.request, services)
        return answered

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    app.add_url_rule("/", "root", answer, methods=methods, provide_automatic_options=False)
    app.add_url_rule("/<path:path>", "run", answer, methods=methods, provide_automatic_options=False)
    app.register_error_handler(404, lambda _: answer())
    app.url_map.merge_slashes = False
    return app


def call(
    endpoint: HttpFunction,
    services: Services,
    path: str,
    *,
    method: str = "GET",
    user: str | None = "me",
    headers: dict[str, str] | None = None,
    body: object = None,
) -> TestResponse:
    """Send one request. `user` is the token, which FakeVerifier takes for the user's id. `body` is sent as JSON,
    or as it is if it is bytes."""
    sent = {"Authorization": f"Bearer {user}"} if user is not None else {}
    address, _, query = path.partition("?")
    overrides: dict[str, Any] = {"REQUEST_URI": path, "RAW_URI": path, _ASKED: (endpoint, services)}
    sent_body: dict[str, Any] = {} if body is None else {"data" if isinstance(body, bytes) else "json": body}
    return (
        _app()
        .test_client(use_cookies=False)
        .open(
            address,
            query_string=query,
            method=method,
            headers={**sent, **(headers or {})},
            environ_overrides=overrides,
            **sent_body,
        )
    )
