"""Pages that a function renders itself. Their security policy lets them load and run only what they name."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import flask
import jinja2

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """A template in shared/web/templates and its values."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    media: tuple[str, ...] = ()
    """Signed URLs of pictures and videos."""
    framed: bool = False
    """Whether other sites may embed the page in a frame."""

    def response(self, share_origin: str) -> flask.Response:
        nonce = secrets.token_urlsafe(16)
        template = _environment().get_template(self.template)
        html = template.render(**self.values, nonce=nonce, share_origin=share_origin)
        response = flask.Response(html, self.status, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = self._policy(nonce)
        return response

    def _policy(self, nonce: str) -> str:
        # Not all of Cloud Storage: anybody can have a bucket there.
        buckets = sorted({"/".join(url.split("/")[:4]) + "/" for url in self.media})
        directives = (
            "default-src 'none'",
            f"style-src 'nonce-{nonce}'",
            f"script-src 'nonce-{nonce}'",
            " ".join(("img-src data:", *buckets)),
            " ".join(("media-src 'self'", *buckets)),
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors " + ("*" if self.framed else "'none'"),
        )
        return "; ".join(directives)


@functools.cache
def _environment() -> jinja2.Environment:
    """Jinja without Flask's application, because that belongs to functions-framework."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
