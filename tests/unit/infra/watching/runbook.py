"""Reads docs/runbook.md: its sections and its gcloud commands."""

from __future__ import annotations

import re

from infra.stage import ROOT

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
