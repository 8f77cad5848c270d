"""`python -m tests.benchmarks.speed`: puts the table of the last `make bench` into docs/speed.md."""

from __future__ import annotations

import json
from typing import Any

from infra.stage import ROOT
from tests.benchmarks.rows import FILE, short

DOCUMENT = ROOT / "docs" / "speed.md"
BEGIN, END = "<!-- make bench -->\n", "<!-- end of make bench -->\n"


def main() -> None:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}{table(json.loads(FILE.read_text()))}{END}{after}")


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["| what | ours | peer | ratio | bar | |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        peer, ratio = (short(row["peer"]), f"{row['ratio']:.2f}") if row["peer"] is not None else ("", "")
        reached = "" if row["ok"] else "short"
        lines.append(f"| {row['name']} | {short(row['ours'])} | {peer} | {ratio} | {row['bar']} | {reached} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
