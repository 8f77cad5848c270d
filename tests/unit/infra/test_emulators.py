from __future__ import annotations

from pathlib import Path

import pytest

from infra.local import emulators

FIRESTORE = "cloud-firestore-emulator"
PUBSUB = "pubsub-emulator"


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with neither SDK nor downloads."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("FIREBASE_EMULATORS_PATH", str(tmp_path / "cache"))
    return tmp_path


def test_the_emulators_of_an_installed_sdk_are_found_beside_its_command(bare: Path) -> None:
    gcloud = touch(bare / "sdk" / "bin" / "gcloud")
    gcloud.write_text("#!/bin/sh\nexit 1\n")
    gcloud.chmod(0o755)
    (bare / "bin").mkdir()
    (bare / "bin" / "gcloud").symlink_to(gcloud)
    firestore = touch(bare / "sdk" / "platform" / FIRESTORE / f"{FIRESTORE}.jar")
    assert emulators.find() is None
    pubsub = touch(bare / "sdk" / "platform" / PUBSUB / "lib" / "cloud-pubsub-emulator-0.8.20-all.jar")
    assert emulators.find() == emulators.Jars(firestore, pubsub)


def test_those_that_firebase_tools_downloaded_are_found_too(bare: Path) -> None:
    firestore = touch(bare / "cache" / f"{FIRESTORE}-v1.22.0.jar")
    lib = bare / "cache" / f"{PUBSUB}-0.8.37" / PUBSUB / "lib"
    pubsub = touch(lib / "cloud-pubsub-emulator-0.8.37-all.jar")
    assert emulators.find() == emulators.Jars(firestore, pubsub)


def test_where_neither_can_be_had_one_sentence_says_how_to_install_them(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firebase = touch(bare / "firebase")
    firebase.write_text("#!/bin/sh\nexit 1\n")
    firebase.chmod(0o755)
    monkeypatch.setattr(emulators, "_FIREBASE", firebase)
    with pytest.raises(emulators.EmulatorsMissing, match=r"gcloud components install .*apt-get install"):
        emulators.find_or_download()
