"""When the page is built again, and what remains if a build fails. A script stands in for npm."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.functions import table
from infra.stage import ROOT
from shared.settings import Settings
from tests.e2e.apart import CALLED_BY_THE_PAGE, address

SCRIPT = "infra/local/page.sh"
SETTINGS = "frontend/lib/settings.ts"


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write(SCRIPT, "")
        shutil.copy(ROOT / SCRIPT, folder / SCRIPT)
        self.write(SETTINGS, (ROOT / SETTINGS).read_text())
        self.write("set-up", "")
        self.write("frontend/package.json", "{}")
        self.write("frontend/app/(dashboard)/jobs/[id]/page.tsx", "")
        self.write("frontend/app/(dashboard)/layout.tsx", "")
        self.npm("mkdir -p frontend/$PAGE_FOLDER .log; env > .log/env")
        for file in folder.rglob("*"):
            os.utime(file, (1, 1))

    def write(self, name: str, content: str) -> None:
        self._let_time_pass()
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def remove(self, name: str) -> None:
        self._let_time_pass()
        (self.folder / name).unlink()

    def _let_time_pass(self) -> None:
        """Date the last build back: a clock with millisecond ticks cannot tell it from a change right after it."""
        stamp = self.folder / "frontend" / "out" / ".complete"
        if stamp.exists():
            os.utime(stamp, (2, 2))

    def npm(self, script: str) -> None:
        self.write("bin/npm", f"#!/bin/sh\n{script}\n")
        (self.folder / "bin" / "npm").chmod(0o755)

    def settings(self) -> list[str]:
        """The settings of the last build, as NAME=value."""
        return (self.folder / ".log" / "env").read_text().splitlines()

    def build(self, *options: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "SETUP": "set-up", "NEXT_PUBLIC_LIST_JOBS_URL": "https://away"}
        environment |= dict.fromkeys(("NEXT_PUBLIC_CREATE_URL", "NEXT_PUBLIC_SUPPORT"), "/away")
        return subprocess.run(
            ["bash", SCRIPT, *options],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def built(self, *options: str) -> bool:
        """Build if necessary. Returns whether it was."""
        ended = self.build(*options)
        assert ended.returncode == 0, ended.stderr
        return "building" in ended.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_it_is_built_once_with_the_settings_of_the_local_cloud(checkout: Checkout) -> None:
    assert checkout.built()
    settings = checkout.settings()
    assert {"NEXT_PUBLIC_API_URL=/api/v1", "NEXT_PUBLIC_AUTH_EMULATOR_URL=/"} <= set(settings)
    assert {"NEXT_PUBLIC_LIST_JOBS_URL=", "NEXT_PUBLIC_CREATE_URL=", "NEXT_PUBLIC_SUPPORT="} <= set(settings)
    assert not checkout.built()


def test_the_build_with_an_address_for_each_function_leaves_the_usual_one_as_it_is(checkout: Checkout) -> None:
    assert checkout.built()
    assert checkout.built("apart")
    settings = checkout.settings()
    assert {f"NEXT_PUBLIC_{name.upper()}_URL={address(name)}" for name in CALLED_BY_THE_PAGE} <= set(settings)
    assert {"NEXT_PUBLIC_API_URL=", f"NEXT_PUBLIC_AUTH_EMULATOR_URL={address('auth')}"} <= set(settings)
    assert not checkout.built()
    assert not checkout.built("apart")


def test_what_the_page_calls_are_functions_for_users() -> None:
    assert "list_jobs" in CALLED_BY_THE_PAGE
    for_users = {name for name, function in table().functions.items() if function.routes and not function.public}
    assert {*CALLED_BY_THE_PAGE} <= for_users


def test_each_address_has_its_variable_in_the_example() -> None:
    example = (ROOT / "frontend/.env.example").read_text()
    spelt_out = re.findall(r"^#?NEXT_PUBLIC_([A-Z_]+)_URL=", example, re.MULTILINE)
    assert sorted({*spelt_out} - {"API", "AUTH_EMULATOR", "CREATE"}) == sorted(
        name.upper() for name in CALLED_BY_THE_PAGE
    )


@pytest.mark.parametrize("file", [SCRIPT, "frontend/.env.example"])
def test_the_buckets_of_a_page_are_by_default_those_of_the_functions(file: str) -> None:
    names = ",".join((Settings.images_bucket, Settings.videos_bucket, Settings.outputs_bucket))
    assert re.findall(r"NEXT_PUBLIC_BUCKETS=(\S+)", (ROOT / file).read_text()) == [names]


def test_another_build_than_these_is_refused(checkout: Checkout) -> None:
    ended = checkout.build("elsewhere")
    assert (ended.returncode, ended.stderr) == (2, "page: there is no such build: elsewhere\n")


@pytest.mark.parametrize(
    "name",
    ["frontend/app/(dashboard)/jobs/[id]/page.tsx", "frontend/lib/new.ts", "frontend/package.json", "set-up"],
)
def test_a_file_that_is_new_or_changed_is_a_reason_to_build_it(checkout: Checkout, name: str) -> None:
    assert checkout.built()
    checkout.write(name, "changed")
    assert checkout.built()
    assert not checkout.built()


def test_a_file_that_is_removed_is_a_reason_to_build_it(checkout: Checkout) -> None:
    assert checkout.built()
    checkout.remove("frontend/app/(dashboard)/layout.tsx")
    assert checkout.built()


@pytest.mark.parametrize(
    "name",
    [
        *("frontend/node_modules/a/b.js", "frontend/.next/cache", "frontend/out/extra"),
        "frontend/out-apart/extra",
        *("frontend/next-env.d.ts", "frontend/tsconfig.tsbuildinfo"),
    ],
)
def test_a_file_that_programs_leave_beside_it_is_no_reason_to_build_it(checkout: Checkout, name: str) -> None:
    assert checkout.built()
    checkout.write(name, "new")
    assert not checkout.built()


def test_what_is_changed_during_a_build_is_built_the_next_time(checkout: Checkout) -> None:
    checkout.npm("mkdir -p frontend/out; touch -t 203001010000 frontend/package.json")
    assert checkout.built()
    assert checkout.built()


def test_a_build_that_fails_says_why_and_is_not_taken_for_one(checkout: Checkout) -> None:
    assert checkout.built()
    checkout.write("frontend/lib/new.ts", "")
    checkout.npm("mkdir -p frontend/out; touch frontend/out/index.html; echo type error; exit 2")
    for _ in range(2):
        ended = checkout.build()
        assert ended.returncode == 1
        assert ended.stderr == "type error\npage: it could not be built, see above\n"
    checkout.npm("mkdir -p frontend/out")
    assert checkout.built()
    assert list((checkout.folder / "frontend" / "out").iterdir()) == [checkout.folder / "frontend/out/.complete"]
