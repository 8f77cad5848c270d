"""What HTTP functions answer with, as responses: JSON, problem documents, preflights."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import flask

from shared.errors import ApiError

_PREFLIGHT_SECONDS = 3600
_METHODS = "GET, POST, DELETE"
"""What a browser may use on the paths of the API, whichever function answers the preflight."""
_REQUEST_HEADERS = ", ".join(
    (
        *("Authorization", "If-None-Match", "Content-Type", "X-Requested-With"),
        # What libraries that trace requests add to each.
        *("traceparent", "tracestate", "baggage", "sentry-trace"),
    )
)
_EXPOSED_HEADERS = "ETag, Retry-After, X-Request-Id"
_COUNTDOWN = re.compile(rb'"expires_in_seconds":[0-9]+')


def json_answer(body: Mapping[str, Any], status: int, content_type: str = "application/json") -> flask.Response:
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return flask.Response(text.encode("utf-8", "replace"), status, content_type=content_type)


def problem(error: ApiError, request_id: str) -> flask.Response:
    """RFC 9457."""
    body = {**error.problem(), "request_id": request_id}
    response = json_answer(body, error.status, "application/problem+json")
    response.headers.update(error.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def preflight(allow: str) -> flask.Response:
    response = flask.Response(status=204)
    response.headers["Allow"] = allow
    response.headers["Access-Control-Allow-Methods"] = _METHODS
    response.headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
    response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
    return response


def allow_origin(response: flask.Response, origin: str | None, allowed: tuple[str, ...]) -> None:
    response.vary.add("Origin")
    if origin in allowed:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS


def tag(body: bytes) -> str:
    """Changes with anything in the body but the countdown of its URLs, which `expires_at` says as well.

    A quotation mark within a text is escaped, so that only the field itself can look like this.
    """
    return hashlib.sha256(_COUNTDOWN.sub(b"", body)).hexdigest()[:32]
