"""The API description, to check responses against."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis.schemas import BaseSchema

from infra.stage import ROOT

AS_DESCRIBED = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def described_api(*more_checks: str, **settings: Any) -> BaseSchema:
    """The API description. Its cases check status, content type, headers, body, and the named extra checks."""
    checks = {"enabled": False, **{name: {"enabled": True} for name in (*AS_DESCRIBED, *more_checks)}}
    config = schemathesis.Config.from_dict({**settings, "checks": checks})
    return schemathesis.openapi.from_path(ROOT / "infra" / "openapi.yaml", config=config)
