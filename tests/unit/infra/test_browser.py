from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest

from infra.local import browser


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all commands. Simulates root on a Debian machine without a browser."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser, "_fetched_by_playwright", lambda: tmp_path / "none")
    monkeypatch.setattr(browser, "_MAC_APPLICATIONS", ())
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "debian"})
    return tmp_path


def command(folder: Path, name: str, script: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines()


def test_find_returns_the_first_browser_that_runs(bare: Path) -> None:
    assert browser.find() is None
    command(bare, "chromium-browser", "echo 'Command requires the chromium snap'; exit 1")
    assert browser.find() is None
    chrome = command(bare, "google-chrome", "echo Google Chrome 150")
    assert browser.find() == chrome
    chromium = command(bare, "chromium", "echo Chromium 156")
    assert browser.find() == chromium
    without_a_window = command(bare, "chromium-headless-shell", "echo Chromium 156")
    assert browser.find() == without_a_window


def test_nothing_is_installed_or_printed_when_a_browser_is_there(
    bare: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command(bare, "chromium", "echo Chromium 156")
    browser.main()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("packages", [["chromium-headless-shell"], ["chromium-headless-shell", "chromium"]])
def test_debian_installs_headless_shell_or_else_chromium(bare: Path, packages: list[str]) -> None:
    there = bare / packages[-1]
    put = f'printf "#!/bin/sh\\n" > {there}; /bin/chmod +x {there}'
    command(
        bare, "apt-get", f'echo "$@" >> {bare}/asked\ncase "$@" in *" {there.name}") {put};; *) exit 100;; esac'
    )
    browser.main()
    asked_for = [["install", "-y", "--no-install-recommends", package] for package in packages]
    assert [line.split()[2:] for line in asked(bare)] == [["update"], *asked_for]


@pytest.mark.parametrize("system", [{"ID": "ubuntu", "ID_LIKE": "debian"}, {"ID": "fedora"}])
def test_other_systems_install_playwrights_chromium(
    bare: Path, monkeypatch: pytest.MonkeyPatch, system: dict[str, str]
) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: system)
    command(bare, "apt-get", f"echo apt-get >> {bare}/asked")
    command(bare, "playwright", f'echo "$@" >> {bare}/asked; exit 1')
    with pytest.raises(SystemExit):
        browser.main()
    assert asked(bare) == ["install --with-deps chromium", "install chromium"]


@pytest.mark.slow  # starts Playwright
def test_find_returns_playwrights_chromium(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(bare))
    monkeypatch.setattr(browser, "_COMMANDS", ())
    monkeypatch.setattr(browser, "_MAC_APPLICATIONS", ())
    assert browser.find() is None
    fetched = browser._fetched_by_playwright()
    assert fetched.is_relative_to(bare)
    fetched.parent.mkdir(parents=True)
    command(fetched.parent, fetched.name, "echo Chromium 156")
    assert browser.find() == fetched


def test_without_root_nothing_is_installed_into_the_system(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    command(bare, "apt-get", f"echo apt-get >> {bare}/asked")
    command(bare, "playwright", f'echo "$@" >> {bare}/asked')
    with pytest.raises(SystemExit):
        browser.main()
    assert asked(bare) == ["install chromium"]


def test_when_nothing_can_be_installed_the_error_says_how_to(
    bare: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command(bare, "apt-get", "echo reading; echo 'E: Unable to locate package chromium' >&2; exit 100")
    command(bare, "playwright", "echo 'Error: no such host'; echo '}'; exit 1")
    with pytest.raises(SystemExit, match=r"install one with: .*apt-get install chromium-headless.*playwright"):
        browser.main()
    assert capfd.readouterr().err.splitlines() == [
        *["browser: apt-get failed: E: Unable to locate package chromium"] * 3,
        "browser: playwright failed: Error: no such host",
    ]
