"""Finds or installs the Chromium that the page tests use."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import sync_playwright

_HEADLESS = "chromium-headless-shell"
"""Chromium without a window, and without the processes that would draw it."""
_COMMANDS = (_HEADLESS, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC_APPLICATIONS = ("Google Chrome", "Chromium")
_HOW_TO_INSTALL = (
    f"sudo apt-get install {_HEADLESS} (Debian), or .venv/bin/playwright install --with-deps chromium"
)


def find() -> Path | None:
    """A working Chromium or Chrome: the system's, or the one that Playwright downloaded."""
    return next((path for path in _candidates() if _runs(path)), None)


def install() -> None:
    """Install Chromium from Debian's packages, or let Playwright download it; find() then tells if it worked."""
    playwright = [str(Path(sys.executable).with_name("playwright")), "install"]
    as_root = os.geteuid() == 0
    if as_root and _has_debians_packages():
        # Fonts are installed even without recommended packages: libfontconfig1 depends on one.
        apt = ("apt-get", "-o", "DPkg::Lock::Timeout=120")
        _try([*apt, "update"])
        if not _try([*apt, "install", "-y", "--no-install-recommends", _HEADLESS]):
            _try([*apt, "install", "-y", "--no-install-recommends", "chromium"])
    elif sys.platform == "linux" and as_root:
        _try([*playwright, "--with-deps", "chromium"])
    if find() is None:
        _try([*playwright, "chromium"])


def _candidates() -> Iterator[Path]:
    for command in _COMMANDS:
        if found := shutil.which(command):
            yield Path(found)
    for name in _MAC_APPLICATIONS:
        yield Path(f"/Applications/{name}.app/Contents/MacOS/{name}")
    yield _fetched_by_playwright()


def _fetched_by_playwright() -> Path:
    """Where Playwright would put it. Asking takes a second."""
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def _runs(path: Path) -> bool:
    """Whether it is a real browser: Ubuntu's chromium-browser may only print how to install one."""
    try:
        ended = subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def _has_debians_packages() -> bool:
    """Whether this is Debian. Ubuntu has apt too, but its chromium is a snap, which does not run everywhere."""
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        return False
    return system.get("ID") == "debian" and shutil.which("apt-get") is not None


def _try(command: Sequence[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    ended = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if ended.returncode != 0:
        # Only report the error, because another way may be left to try.
        said = (ended.stderr or ended.stdout).splitlines() or [f"exit code {ended.returncode}"]
        reason = next((line for line in said if line.startswith(("E: ", "Error: "))), said[-1])
        print(f"browser: {Path(command[0]).name} failed: {reason}", file=sys.stderr)
    return ended.returncode == 0


def main() -> None:
    if find():
        return
    print("browser: no Chromium on this machine: installing one for the tests", flush=True)
    install()
    if not find():
        sys.exit(f"browser: no Chromium could be installed; install one with: {_HOW_TO_INSTALL}")


if __name__ == "__main__":
    main()
