"""Structured logs: one JSON object per line, in Cloud Logging's format.

https://cloud.google.com/logging/docs/structured-logging
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from typing import TextIO

_TRACE = re.compile(r"[0-9a-f]{32}")
_trace: ContextVar[str | None] = ContextVar("trace", default=None)
_logger = logging.getLogger("nuumee")


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {"severity": record.levelname, "message": record.getMessage()}
        line.update(getattr(record, "fields", {}))
        if trace := _trace.get():
            line["logging.googleapis.com/trace"] = trace
        if record.exc_info:
            line["stack_trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def start(stream: TextIO = sys.stdout) -> None:
    """Write this process's events to `stream`. Calling it again changes nothing."""
    if _logger.handlers:
        return
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonFormatter())
    _logger.addHandler(handler)
    _logger.setLevel(logging.INFO)
    _logger.propagate = False


def set_trace(project: str, traceparent: str | None, cloud_trace_context: str | None) -> None:
    """Tie the following log lines to the request's trace, taken from either header of Google's front end."""
    parent = (traceparent or "").split("-")
    candidate = parent[1] if len(parent) == 4 else (cloud_trace_context or "").split("/")[0]
    _trace.set(f"projects/{project}/traces/{candidate}" if _TRACE.fullmatch(candidate) else None)


def info(event: str, **fields: object) -> None:
    _logger.info(event, extra={"fields": fields})


def warning(event: str, **fields: object) -> None:
    _logger.warning(event, extra={"fields": fields})


def error(event: str, **fields: object) -> None:
    _logger.error(event, extra={"fields": fields})


def exception(event: str, **fields: object) -> None:
    """Log the exception being handled, with its traceback."""
    _logger.exception(event, extra={"fields": fields})
