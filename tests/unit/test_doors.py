"""Which files of the functions reach out of their process."""

from __future__ import annotations

import ast

from infra.stage import ROOT
from tests.unit.infra.watching.events import SOURCES

CONNECTING = {
    "aiohttp",
    "ftplib",
    "grpc",
    "http.client",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "urllib.request",
    "urllib3",
}
DOORS = {
    "shared/jobs/reading.py": "the connections of Firestore's client",
    "shared/outages.py": "the names of exceptions",
    "shared/storage/attempts.py": "the names of exceptions",
    "shared/storage/connections.py": "the connections of Cloud Storage's client",
    "shared/storage/keyless.py": "the connections of IAM's client",
    "shared/web/bodies.py": "the connection that a request came by",
}
"""Files that import such a library, and what for."""


def importing(modules: set[str]) -> set[str]:
    """The files that import one of these modules, or a part of one."""
    return {str(file.relative_to(ROOT)) for file in SOURCES if _imported(file.read_text()) & modules}


def _imported(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    parts = [module.split(".") for module in found]
    return {".".join(part[:length]) for part in parts for length in range(1, len(part) + 1)}


def test_only_the_doors_to_googles_services_make_connections() -> None:
    assert importing(CONNECTING) == DOORS.keys()


def test_only_the_decoders_are_started_as_programs() -> None:
    assert importing({"subprocess", "multiprocessing"}) == {"shared/posters/posters.py"}
