"""What is handed to `firebase deploy`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.hosting import FILE
from infra.stage_page import stage

POLICY = '<meta http-equiv="Content-Security-Policy" content="{}"/>'
HTTPS = POLICY.format("connect-src https://list-jobs.test")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for name, content in {"index.html": HTTPS, "jobs/index.html": HTTPS, "_next/static/a.js": "script"}.items():
        (tmp_path / "built" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "built" / name).write_text(content)
    return tmp_path / "built"


def test_it_is_the_built_page_with_its_rules_for_a_region(built: Path, tmp_path: Path) -> None:
    folder = stage("europe-west1", tmp_path / "staged", built)
    content = json.loads((folder / "firebase.json").read_text())
    assert (folder / content["hosting"]["public"] / "jobs" / "index.html").read_text() == HTTPS
    assert {rewrite["run"].pop("region") for rewrite in content["hosting"]["rewrites"]} == {"europe-west1"}
    assert content == json.loads(FILE.read_text())


def test_nothing_of_an_earlier_build_stays(built: Path, tmp_path: Path) -> None:
    stage("europe-west1", tmp_path / "staged", built)
    (built / "_next/static/a.js").unlink()
    assert not (stage("us-central1", tmp_path / "staged", built) / "out/_next/static/a.js").exists()


def test_a_folder_that_holds_anything_else_is_left_alone(built: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "firebase.json").write_text("{}")
    with pytest.raises(ValueError, match="holds something else"):
        stage("europe-west1", tmp_path, built)
    assert (tmp_path / "kept").read_text() == "kept"


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        (None, "there is no page in"),
        ("<html>", "has no Content-Security-Policy"),
        (POLICY.format("img-src http://127.0.0.1:*"), "is built for the local cloud"),
    ],
)
def test_what_must_not_be_deployed_is_refused(html: str | None, problem: str, built: Path, tmp_path: Path) -> None:
    (built / "jobs/index.html").unlink()
    (built / "index.html").unlink()
    if html:
        (built / "index.html").write_text(html)
    with pytest.raises(ValueError, match=problem):
        stage("europe-west1", tmp_path / "staged", built)
    assert not (tmp_path / "staged").exists()
