"""Builds the image that all functions run from, once for each state of their source."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from infra.cloud.deployment import Refused
from infra.cloud.gcloud import Failed, Mode, NoAnswer
from infra.cloud.project import BUILDER, REPOSITORY, Project
from infra.stage import PYTHON, stage

BASE = "google-22"
"""The builder that has this Python: https://cloud.google.com/docs/buildpacks/builders"""
STAGED = "build/functions"
_IMAGE = "functions"
_CLEAN_UP = "build/clean-up.json"
_LIFECYCLE = "build/lifecycle.json"
_NOT_HERE = "cannot run builds in this region"
_HERE = "https://cloud.google.com/build/docs/locations#restricted_regions_for_some_projects"
"""The regions in which every project may build."""
KEEP = [
    {"name": "delete-old", "action": {"type": "Delete"}, "condition": {"olderThan": "90d"}},
    {"name": "keep-recent", "action": {"type": "Keep"}, "mostRecentVersions": {"keepCount": 20}},
]
"""https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy"""
FORGET = {
    "lifecycle": {
        "rule": [{"action": {"type": "Delete"}, "condition": {"age": 30, "matchesPrefix": ["source/", "logs/"]}}]
    }
}
"""Of the build bucket. Records of releases stay: https://cloud.google.com/storage/docs/lifecycle"""


def digest_of(folder: Path) -> str:
    """A name for the state of a folder's files."""
    total = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{file.relative_to(folder).as_posix()}\0{content}\n".encode())
    return total.hexdigest()[:20]


class Build:
    """Its methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._gcloud = project.gcloud
        deployment = project.deployment
        self._location = f"--location={deployment.region}"
        self._name = f"{deployment.region}-docker.pkg.dev/{deployment.project}/{REPOSITORY}/{_IMAGE}"

    def prepare(self) -> None:
        """Where builds take their source from, log to, and put images. A build in the name of an account of ours
        needs a bucket of ours: https://cloud.google.com/build/docs/securing-builds/store-manage-build-logs
        """
        bucket = f"gs://{self._project.build_bucket}"
        if self._gcloud.find("storage", "buckets", "describe", bucket) is None:
            self._gcloud.run(
                *("storage", "buckets", "create", bucket, self._location, "--uniform-bucket-level-access"),
                *("--public-access-prevention", f"--lifecycle-file={self._file(_LIFECYCLE, FORGET)}"),
            )
        repository = ("artifacts", "repositories")
        there = self._gcloud.find(*repository, "describe", REPOSITORY, self._location)
        if there is None:
            self._gcloud.create(*repository, "create", REPOSITORY, self._location, "--repository-format=docker")
        if not (there and there.get("cleanupPolicies")):
            policy = f"--policy={self._file(_CLEAN_UP, KEEP)}"
            self._gcloud.run(
                *repository, "set-cleanup-policies", REPOSITORY, self._location, policy, "--no-dry-run"
            )

    def known(self) -> str | None:
        """The image of the present source, by its digest, if it has been built."""
        return self._found(self._tagged())

    def image(self) -> str:
        """The image of the present source, by its digest. Raises NoAnswer if it cannot be read back."""
        tagged = self._tagged()
        if found := self._found(tagged):
            return found
        account = f"projects/{self._project.deployment.project}/serviceAccounts/{self._project.email(BUILDER)}"
        bucket = f"gs://{self._project.build_bucket}"
        region = self._project.deployment.build_region or self._project.deployment.region
        try:
            self._gcloud.run_once_known(
                *("builds", "submit", STAGED, f"--region={region}", f"--service-account={account}"),
                f"--pack=builder=gcr.io/buildpacks/builder:{BASE},image={tagged}",
                *(f"--gcs-source-staging-dir={bucket}/source", f"--gcs-log-dir={bucket}/logs"),
            )
        except Failed as error:
            if _NOT_HERE in error.said:
                raise Refused(
                    f"Google lets this project build nothing in {region}. Set BUILD_REGION to global or to a "
                    f"region that {_HERE} names, and run deploy.sh again: the functions stay in REGION"
                ) from None
            raise
        for _ in self._gcloud.attempts("the image can be found"):
            if found := self._found(tagged):
                return found
            if self._gcloud.mode is not Mode.RUN:
                return f"{self._name}@sha256:DIGEST"
        raise NoAnswer(f"the image {tagged} was built and cannot be found: run deploy.sh again later")

    def _tagged(self) -> str:
        tag = "SOURCE"
        if self._gcloud.mode is not Mode.DRY_RUN:
            folder = self._project.root / STAGED
            try:
                tag = digest_of(stage(folder, self._project.root))
            except OSError as error:
                raise Refused(f"{STAGED} cannot be written: {error}") from None
        return f"{self._name}:python{PYTHON}-{tag}"

    def _found(self, tagged: str) -> str | None:
        found = self._gcloud.find("artifacts", "docker", "images", "describe", tagged)
        return f"{self._name}@{found['image_summary']['digest']}" if found else None

    def _file(self, name: str, content: object) -> str:
        if self._gcloud.mode is Mode.RUN:
            (self._project.root / name).write_text(json.dumps(content))
        return name
