"""The trace that a request belongs to. It travels with the request's events, so that one trace shows them all."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Self

ATTRIBUTE = "googclient_traceparent"
"""The attribute of a message that carries its trace, named as Google's own libraries name it:
https://docs.cloud.google.com/pubsub/docs/open-telemetry-tracing
"""
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_CLOUD_TRACE_CONTEXT = re.compile(r"([0-9a-f]{32})(?:/([0-9]{1,20}))?(?:;o=([0-9]))?")


@dataclass(frozen=True, slots=True)
class Trace:
    id: str
    """32 hexadecimal digits."""
    parent: str
    """The span that led here: 16 hexadecimal digits."""
    is_sampled: bool

    def __str__(self) -> str:
        return f"00-{self.id}-{self.parent}-{self.is_sampled:02x}"

    @classmethod
    def of(cls, traceparent: object, cloud_trace_context: str | None = None) -> Self | None:
        """The trace named by a message's attribute or either header of Google's front end."""
        return cls._of_traceparent(traceparent) or cls._of_cloud_trace_context(cloud_trace_context or "")

    @classmethod
    def _of_traceparent(cls, text: object) -> Self | None:
        """https://www.w3.org/TR/trace-context/#traceparent-header"""
        found = _TRACEPARENT.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            return None
        version, trace_id, parent, flags, more = found.groups()
        # Later versions may go on after the flags.
        if version == "ff" or (version == "00" and more) or not int(trace_id, 16) or not int(parent, 16):
            return None
        return cls(trace_id, parent, bool(int(flags, 16) & 1))

    @classmethod
    def _of_cloud_trace_context(cls, text: str) -> Self | None:
        """https://cloud.google.com/trace/docs/trace-context#legacy-http-header"""
        found = _CLOUD_TRACE_CONTEXT.fullmatch(text)
        if found is None or not int(found[1], 16):
            return None
        span = int(found[2] or 0)
        parent = f"{span:016x}" if 0 < span < 2**64 else secrets.token_hex(8)
        return cls(found[1], parent, found[3] == "1")
