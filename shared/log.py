"""Structured logs: one JSON object per line, in Cloud Logging's format.

https://cloud.google.com/logging/docs/structured-logging
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TextIO

from shared.tracing import Trace

_logger = logging.getLogger("nuumee")


@dataclass(frozen=True, slots=True)
class _Context:
    """What a line is written for."""

    project: str = ""
    trace: Trace | None = None
    fields: Mapping[str, object] = field(default_factory=dict)


_context: ContextVar[_Context] = ContextVar("context", default=_Context())  # noqa: B039 - it is frozen


class _JsonFormatter(logging.Formatter):
    def __init__(self, release: str) -> None:
        super().__init__()
        self._release = release

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {"severity": record.levelname, "message": record.getMessage()}
        if self._release:
            line["release"] = self._release
        line.update(getattr(record, "fields", {}))
        context = _context.get()
        if context.trace:
            line["logging.googleapis.com/trace"] = f"projects/{context.project}/traces/{context.trace.id}"
        if record.exc_info:
            line["stack_trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def start(release: str = "", stream: TextIO = sys.stdout) -> None:
    """Write this process's events to `stream`, each with the `release`. Calling it again changes nothing."""
    if _logger.handlers:
        return
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonFormatter(release))
    _logger.addHandler(handler)
    _logger.setLevel(logging.INFO)
    _logger.propagate = False


@contextmanager
def context(project: str, trace: Trace | None, **fields: object) -> Iterator[None]:
    """Within the block, tie the log lines to `trace` and give each of them `fields`."""
    token = _context.set(_Context(project, trace, fields))
    try:
        yield
    finally:
        _context.reset(token)


def trace() -> Trace | None:
    """The trace that log lines are tied to."""
    return _context.get().trace


def info(event: str, **fields: object) -> None:
    _logger.info(event, extra=_extra(fields))


def warning(event: str, **fields: object) -> None:
    _logger.warning(event, extra=_extra(fields))


def error(event: str, **fields: object) -> None:
    _logger.error(event, extra=_extra(fields))


def exception(event: str, **fields: object) -> None:
    """Log the exception being handled, with its traceback."""
    _logger.exception(event, extra=_extra(fields))


def _extra(fields: Mapping[str, object]) -> dict[str, Any]:
    return {"fields": {**_context.get().fields, **fields}}
