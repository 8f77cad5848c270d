"""Data that is kept between runs, if it cannot be used or cannot be saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local import ports
from infra.local.keeping import NotKept, opened
from infra.local.stack import PORT_NAMES, Stack, empty

DATA = Path(".local/data")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def keep(form: str) -> None:
    """Leave saved data in this format, as a run does."""
    (DATA / "7").mkdir(parents=True)
    (DATA / "7" / "format").write_text(form)
    (DATA / "last").symlink_to("7")


def test_the_first_run_finds_nothing() -> None:
    with opened() as kept:
        assert kept.last is None


def test_two_runs_do_not_keep_their_data_in_one_place() -> None:
    with (
        opened(),
        pytest.raises(NotKept, match=r"another run keeps its data in \.local/data; "),
    ):
        opened().__enter__()
    with opened() as kept:
        assert kept.last is None


@pytest.mark.parametrize("form", ["0", "", "2"])
def test_what_another_version_has_kept_is_refused_in_one_sentence(form: str) -> None:
    keep(form)
    with opened() as kept, pytest.raises(NotKept) as refused:
        assert kept.last
    assert str(refused.value) == (
        ".local/data is of another version of the local cloud: forget it with rm -r .local "
        "(make clean does so too), or leave KEEP=1 out"
    )


def test_a_saving_that_fails_leaves_the_one_before() -> None:
    keep("1")
    with opened() as kept, empty(Stack, ports.any_free(PORT_NAMES), output=print) as stack:
        with pytest.raises(NotKept, match="what is new could not be kept"):
            kept.save(stack)
        assert kept.last == (DATA / "7").resolve()
