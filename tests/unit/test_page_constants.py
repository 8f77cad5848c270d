"""Constants of the page that must equal those of the functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest

from infra.stage import ROOT
from shared.errors import PROBLEMS, SignInTooOld
from shared.jobs.job import JOB_TYPES
from shared.jobs.names import LONGEST_NAME
from shared.jobs.pagination import DEFAULT_PAGE_SIZE, LARGEST_PAGE_SIZE
from shared.jobs.parameters import MOST_IDS
from shared.jobs.stalled import STALLED_AFTER
from shared.posters.storyboards import COLUMNS, PARTS

NUMBER = "([0-9_]+);"


@pytest.mark.parametrize(
    ("file", "pattern", "expected"),
    [
        ("lib/view.ts", f"const LONGEST_NAME = {NUMBER}", [LONGEST_NAME]),
        ("components/SearchBox.tsx", "Names have at most ([0-9]+) characters", [LONGEST_NAME]),
        ("lib/api.ts", f"const PAGE_SIZE = {NUMBER}", [DEFAULT_PAGE_SIZE]),
        ("lib/list.ts", f"const LARGEST_PAGE = {NUMBER}", [LARGEST_PAGE_SIZE]),
        ("lib/job-calls.ts", 'page_size: "([0-9]+)"', [LARGEST_PAGE_SIZE]),
        ("lib/list.ts", f"const LARGEST_PAGE = {NUMBER}", [MOST_IDS]),
        ("components/MediaTile.tsx", f"const PARTS = {NUMBER}", [PARTS]),
        ("components/MediaTile.tsx", f"const COLUMNS = {NUMBER}", [COLUMNS]),
    ],
)
def test_a_number_of_the_page_is_the_functions_own(file: str, pattern: str, expected: Sequence[int]) -> None:
    assert [int(found) for found in re.findall(pattern, _page(file))] == expected


@pytest.mark.parametrize(
    ("file", "pattern", "expected"),
    [
        ("lib/job.ts", '(?m)^    ([a-z]+): "[A-Za-z ]+",$', JOB_TYPES),
        ("lib/job.ts", "const STALLED_AFTER = ([A-Z]+);", ({timedelta(days=1): "DAY"}[STALLED_AFTER],)),
        ("lib/errors.ts", 'const SIGN_IN_TOO_OLD = "(.+)";', (PROBLEMS + SignInTooOld.kind,)),
    ],
)
def test_a_word_of_the_page_is_the_functions_own(file: str, pattern: str, expected: Sequence[str]) -> None:
    assert tuple(re.findall(pattern, _page(file))) == expected


def _page(file: str) -> str:
    return (ROOT / "frontend" / file).read_text()
