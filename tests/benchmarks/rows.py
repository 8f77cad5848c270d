"""The rows of `make bench`: what was measured, what it is compared with, and the bar that it must reach."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = Path("build/bench.json")


@dataclass(frozen=True, kw_only=True)
class Row:
    name: str
    """Includes the unit of `ours` and `peer`."""
    ours: float
    peer: float | None = None
    """If None, the ratio is `ours` itself."""
    limit: float
    """The bar for the ratio."""
    at_least: bool = False
    """Whether `limit` is a minimum. Otherwise it is a maximum."""

    @property
    def ratio(self) -> float:
        return self.ours / self.peer if self.peer else self.ours

    @property
    def ok(self) -> bool:
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit

    @property
    def bar(self) -> str:
        times = "" if self.peer is None else "x "
        return f"{'≥' if self.at_least else '≤'} {times}{self.limit:,g}"

    def __str__(self) -> str:
        peer = "" if self.peer is None else f"{short(self.peer):>9}  x {self.ratio:<8.2f}"
        return f"{'ok   ' if self.ok else 'short'}  {self.name:<66} {short(self.ours):>9}  {peer:<22} {self.bar}"

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "ours": self.ours,
            "peer": self.peer,
            "limit": self.limit,
            "ratio": self.ratio,
            "bar": self.bar,
            "ok": self.ok,
        }


def write(rows: Sequence[Row], file: Path = FILE) -> str:
    """Write all rows, including those that miss their bar, and return a summary."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps([row.as_json() for row in rows], indent=1, ensure_ascii=False) + "\n")
    return f"bench: {len(rows)} rows, {sum(not row.ok for row in rows)} short"


def short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
