"""Reads docs/runbook.md: its sections and its gcloud commands."""

from __future__ import annotations

import json
import re

from infra.stage import ROOT
from tests.unit.infra.watching.files import CLOUD, FROM_LOG, UPTIME

RUNBOOK = (ROOT / "docs/runbook.md").read_text()


def slug(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def sections(text: str = RUNBOOK) -> dict[str, str]:
    """The text of each section, by its anchor."""
    parts = re.split(r"^##+ (.+)$", text, flags=re.MULTILINE)[1:]
    return {slug(heading): body for heading, body in zip(parts[::2], parts[1::2], strict=True)}


def commands() -> list[str]:
    """The gcloud commands in the blocks of code, each on one line, for a project whose name could be one."""
    blocks = re.findall(r"^ *```\n(.*?)^ *```$", RUNBOOK, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in re.sub(r" \\\n *", " ", block).splitlines()]
    return [re.sub(r"\bPROJECT\b", "nuumee-example", line) for line in lines if line.startswith("gcloud ")]


def of_files() -> list[str]:
    """How gcloud takes the metrics, the dashboard and the checks. Its linter looks into no file of flags."""
    project = "--project=nuumee-example"
    metrics = [
        f"gcloud logging metrics {verb} {name} --config-from-file={CLOUD / 'metrics' / name}.json {project}"
        for name in FROM_LOG
        for verb in ("create", "update")
    ]
    checks = [
        f"gcloud monitoring uptime create nuumee-jobs-{name} --resource-type=uptime-url"
        f" --resource-labels=host=nuumee.example,project_id=nuumee-example {project} "
        + " ".join(f"{flag}={json.dumps(value)}" for flag, value in flags.items())
        for name, flags in UPTIME.items()
    ]
    dashboard = f"gcloud monitoring dashboards create --config-from-file={CLOUD / 'dashboard.json'} {project}"
    return [*metrics, *checks, dashboard]
