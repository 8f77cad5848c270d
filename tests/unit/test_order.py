from __future__ import annotations

import json

from infra.stage import ROOT
from tests.order import DURATIONS, TOGETHER, in_order


def test_suites_are_ordered_and_files_sorted_by_duration() -> None:
    seconds = {
        "unit/test_a.py": 90.0,
        "integration/test_b.py": 2.0,
        "integration/test_c.py": 30.0,
        "e2e/d.py": 5.0,
    }
    files = ["unit/test_new.py", *seconds, "benchmarks/test_e.py"]
    assert in_order(files, seconds) == [
        "integration/test_c.py",
        "integration/test_b.py",
        "e2e/d.py",
        "unit/test_a.py",
        "unit/test_new.py",
        "benchmarks/test_e.py",
    ]


def test_every_file_in_the_table_exists() -> None:
    assert [file for file in json.loads(DURATIONS.read_text()) if not (DURATIONS.parent / file).is_file()] == []


def test_the_files_that_share_the_bench_exist() -> None:
    assert len(list((ROOT / "tests" / TOGETHER).glob("test_*.py"))) > 1
