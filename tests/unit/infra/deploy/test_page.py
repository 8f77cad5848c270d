"""The page: built for the addresses of the functions, and refused if it is another's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.infra.deploy.checkout import REQUIRED, Checkout, Done

ADDRESSES = "frontend/.env.production.local"


@pytest.fixture
def deployed(checkout: Checkout) -> Checkout:
    """A deployment, and a page that was built for it."""
    checkout.must()
    (checkout.root / "frontend/.env.production").write_text("NEXT_PUBLIC_FIREBASE_API_KEY=key\n")
    build(checkout, "https://list-jobs.run.app")
    return checkout


def build(checkout: Checkout, origin: str) -> None:
    built = checkout.root / "frontend/out/jobs"
    built.mkdir(parents=True, exist_ok=True)
    policy = f"default-src 'none'; connect-src {origin}"
    page = f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'
    (built / "index.html").write_text(page)


def page(checkout: Checkout) -> Done:
    return checkout.deploy("page", *REQUIRED)


def test_a_run_prints_the_functions_addresses_and_keeps_them_for_the_page(checkout: Checkout) -> None:
    done = checkout.deploy()
    lines = (checkout.root / ADDRESSES).read_text().splitlines()
    assert done.stdout.splitlines()[-len(lines) :] == lines
    assert "NEXT_PUBLIC_GET_THUMBNAILS_URL=https://get-thumbnails.run.app" in lines
    assert lines[-5:] == [
        "NEXT_PUBLIC_BUCKETS=nuumee-images,nuumee-videos,nuumee-outputs",
        "NEXT_PUBLIC_SOFT_DELETE_DAYS=7",
        "NEXT_PUBLIC_FIREBASE_API_KEY=key",
        "NEXT_PUBLIC_FIREBASE_PROJECT_ID=nuumee-test",
        "NEXT_PUBLIC_FIREBASE_AUTH_DOMAIN=nuumee-test.test",
    ]
    # Those that the page names, and no public one.
    assert {line.partition("=")[0] for line in lines[:-5]} == {
        f"NEXT_PUBLIC_{name}_URL"
        for name in (
            *("LIST_JOBS", "GET_THUMBNAILS", "GET_OUTPUT", "RENAME_JOB"),
            *("DELETE_JOB", "DELETE_JOBS", "UNDELETE_JOB", "SHARE_JOB"),
        )
    }


def steps(done: Done) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [line.partition(": left to you, ")[2] for line in done.stderr.splitlines() if "left to you" in line]


@pytest.mark.parametrize(("seconds", "days"), [(14 * 86_400, 7), (259_200, 3), (259_199, 2), (0, 0), (None, 0)])
def test_the_page_promises_to_restore_for_as_long_as_all_buckets_keep_what_is_deleted(
    seconds: int | None, days: int, checkout: Checkout
) -> None:
    checkout.cloud.auth = {"signIn": {"email": {"enabled": True}}}
    checkout.must()
    policy = {} if seconds is None else {"retentionDurationSeconds": str(seconds)}
    checkout.cloud.buckets["gs://nuumee-videos"]["soft_delete_policy"] = policy
    told = any("./deploy.sh page" in step for step in steps(checkout.deploy()))
    assert f"NEXT_PUBLIC_SOFT_DELETE_DAYS={days}\n" in (checkout.root / ADDRESSES).read_text()
    assert told == (days != 7)


@pytest.mark.parametrize("moved", [("--outputs-bucket=other",), ()], ids=["bucket", "addresses"])
def test_a_run_that_moves_what_the_page_leads_to_leaves_the_page_to_a_person(
    moved: tuple[str, ...], checkout: Checkout
) -> None:
    checkout.cloud.auth = {"signIn": {"email": {"enabled": True}}}
    assert steps(checkout.deploy()) == [], "there is no page yet"
    assert steps(checkout.deploy()) == []
    if not moved:
        checkout.cloud.services["list-jobs"]["status"]["url"] = "https://list-jobs.elsewhere.run.app"
    (step,) = steps(checkout.deploy(*REQUIRED, *moved))
    assert step.startswith("1: Run ./deploy.sh page")


def test_a_run_that_cannot_read_the_web_app_leaves_no_page_to_a_person(checkout: Checkout) -> None:
    checkout.cloud.auth = {"signIn": {"email": {"enabled": True}}}
    checkout.must()
    checkout.cloud.denied = "webApps"
    assert not any("./deploy.sh page" in step for step in steps(checkout.deploy()))


def test_the_page_is_built_and_put_on_the_host(deployed: Checkout) -> None:
    (deployed.root / ADDRESSES).unlink()
    done = page(deployed)
    assert done.returncode == 0, done.stderr
    assert (deployed.root / ADDRESSES).exists()
    assert deployed.programs == [
        ["npm", "ci", "--prefix", "frontend", "--include=dev"],
        ["npm", "run", "build", "--prefix", "frontend"],
        ["npm", "ci", "--prefix", "infra/local/auth"],
        [
            *("infra/local/auth/node_modules/.bin/firebase", "deploy", "--only", "hosting", "--non-interactive"),
            *("--project", "nuumee-test", "--config", "build/page/firebase.json"),
        ],
    ]
    staged = json.loads((deployed.root / "build/page/firebase.json").read_text())["hosting"]
    assert {rewrite["run"]["region"] for rewrite in staged["rewrites"]} == {"us-central1"}
    assert (deployed.root / "build/page/out/jobs/index.html").exists()


def test_a_page_for_the_local_cloud_is_not_put_on_the_host(deployed: Checkout) -> None:
    build(deployed, "http://127.0.0.1:8000")
    done = page(deployed)
    assert done.returncode == 2
    assert "is built for the local cloud" in done.stderr
    assert not any("firebase" in command[0] for command in deployed.programs)


def test_what_a_person_has_set_for_the_web_app_holds(deployed: Checkout) -> None:
    assert page(deployed).returncode == 0
    lines = (deployed.root / ADDRESSES).read_text()
    assert "FIREBASE_API_KEY" not in lines
    assert "NEXT_PUBLIC_FIREBASE_AUTH_DOMAIN=nuumee-test.test" in lines


def test_a_page_needs_no_settings_of_a_person(checkout: Checkout) -> None:
    checkout.must()
    build(checkout, "https://list-jobs.run.app")
    assert page(checkout).returncode == 0


def test_a_page_without_its_settings_is_not_built(checkout: Checkout) -> None:
    checkout.cloud.denied = "projects/nuumee-test"
    checkout.must()
    done = page(checkout)
    assert (done.returncode, checkout.programs) == (2, [])
    assert "copy frontend/.env.example and fill it in" in done.stderr


def test_a_page_for_functions_that_are_not_there_is_not_built(checkout: Checkout) -> None:
    (checkout.root / "frontend/.env.production").touch()
    done = page(checkout)
    assert (done.returncode, checkout.programs) == (2, [])
    assert "the function list_jobs is not deployed: run ./deploy.sh first" in done.stderr


@pytest.mark.parametrize("step", [1, 3])
def test_a_program_that_fails_ends_the_command(
    step: int, deployed: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = deployed._program
    monkeypatch.setattr(deployed, "_program", lambda command: usual(command) or int(len(deployed.programs) > step))
    done = page(deployed)
    assert done.returncode == 2
    assert f"this has failed, see above: {' '.join(deployed.programs[-1])}" in done.stderr
    assert len(deployed.programs) == step + 1


def test_a_program_that_is_not_installed_is_named(deployed: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(command: object) -> int:
        raise FileNotFoundError

    monkeypatch.setattr(deployed, "_program", missing)
    assert "npm is not installed" in page(deployed).stderr
    assert not Path(deployed.root / "build/page").exists()
