"""The description of the API, as something that answers can be held against."""

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
    """The API, whose cases look at an answer's status, content type, headers and body, and what else is named."""
    checks = {"enabled": False, **{name: {"enabled": True} for name in (*AS_DESCRIBED, *more_checks)}}
    config = schemathesis.Config.from_dict({**settings, "checks": checks})
    return schemathesis.openapi.from_path(ROOT / "infra" / "openapi.yaml", config=config)
