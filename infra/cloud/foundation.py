"""What everything else stands on: APIs, the database with its indexes, and the buckets."""

from __future__ import annotations

import json
import sys
from typing import Any

from infra.cloud.deployment import Deployment, Refused
from infra.cloud.gcloud import Denied, Mode, NoAnswer
from infra.cloud.project import Project

_APIS = (
    *("artifactregistry", "cloudbuild", "cloudresourcemanager", "cloudscheduler", "firebase", "firebasehosting"),
    *("firebaserules", "firestore", "iam", "iamcredentials", "identitytoolkit", "logging", "monitoring"),
    *("pubsub", "run", "secretmanager", "storage"),
)
_LIFECYCLE = "infra/cloud/lifecycle.json"
_INDEXES = "infra/cloud/firestore.indexes.json"
_INDEXES_TAKE = 3600.0
"""Seconds that indexes of many documents may take to be built."""
_CORS = "build/cors.json"
_SHOWN = ("Content-Type", "Content-Length", "Content-Range", "Content-Disposition", "ETag", "x-goog-hash")
_FIRST = {"Content-Range", "Content-Disposition"}
"""Headers that our rule for scripts had in all releases, which also had fewer than now."""


def cors(deployment: Deployment) -> dict[str, Any]:
    """Who may read a bucket's objects from a script: https://cloud.google.com/storage/docs/cross-origin

    The headers are those that the script may read, and Range, which it may send.
    """
    origins = [origin.rstrip("/") for origin in deployment.allowed_origins.split(",")]
    headers = [*_SHOWN, "Range"]
    return {"origin": origins, "method": ["GET", "HEAD"], "responseHeader": headers, "maxAgeSeconds": 3600}


class Foundation:
    """Its methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._gcloud = project.gcloud
        self._deployment = project.deployment
        self._database: dict[str, Any] | None = None
        self._buckets: dict[str, dict[str, Any] | None] = {}

    def enable(self) -> None:
        apis = [*_APIS, *(("billingbudgets", "cloudbilling") if self._deployment.has_budget else ())]
        listed = self._gcloud.read("services", "list", "--enabled")
        there = {one["config"]["name"] for one in listed}
        if missing := [name for name in (f"{api}.googleapis.com" for api in apis) if name not in there]:
            self._gcloud.run("services", "enable", *missing)

    def look(self) -> None:
        """Raises Refused for a database or bucket that cannot be used."""
        found = self._gcloud.find("firestore", "databases", "describe", "--database=(default)")
        if found and found["type"] != "FIRESTORE_NATIVE":
            update = "firestore databases update --database='(default)' --type=firestore-native"
            raise Refused(
                f"the project's Firestore database is {found['type']}, and it must be FIRESTORE_NATIVE. To change "
                f"an empty one: {self._gcloud.typed(update)}"
            )
        self._database = found
        ours = self._project.own_buckets()
        for setting, bucket in self._project.buckets.items():
            self._buckets[bucket] = self._look_at(bucket, setting, is_ours=bucket in ours)
        region = self._deployment.region
        for bucket in self._deployment.buckets:
            if _is_elsewhere(self._buckets[bucket] or {}, region):
                print(
                    f"deploy.sh: gs://{bucket} is not in {region}: Google charges for what functions read of it",
                    file=sys.stderr,
                )

    def _look_at(self, bucket: str, setting: str, *, is_ours: bool) -> dict[str, Any] | None:
        """The bucket, if it is there."""
        url = f"gs://{bucket}"
        taken = Refused(
            f"{url} is another project's, because the names of buckets are unique worldwide: "
            f"choose another name for {setting.upper()}"
        )
        try:
            there: dict[str, Any] | None = self._gcloud.find("storage", "buckets", "describe", url)
        except Denied:
            if is_ours:
                raise
            raise taken from None
        if there is None:
            return None
        if not is_ours:
            raise taken
        update = f"storage buckets update {url}"
        if not there.get("uniform_bucket_level_access"):
            raise Refused(
                f"{url} has no uniform bucket-level access, which conditions on roles need. It ends "
                "access by lists of single objects. To turn it on: "
                f"{self._gcloud.typed(f'{update} --uniform-bucket-level-access')}"
            )
        if there.get("public_access_prevention") != "enforced" and self._is_public(url):
            raise Refused(
                f"{url} is open to everybody. To close it: "
                f"{self._gcloud.typed(f'{update} --public-access-prevention')}"
            )
        return there

    def _is_public(self, url: str) -> bool:
        """https://cloud.google.com/storage/docs/access-control/iam#public"""
        policy = self._gcloud.find("storage", "buckets", "get-iam-policy", url) or {}
        members = {member for binding in policy.get("bindings", ()) for member in binding["members"]}
        return not members.isdisjoint({"allUsers", "allAuthenticatedUsers"})

    def make(self) -> None:
        """After `look`. What else a bucket that was there is set to stays, because it may be somebody else's."""
        self._make_database()
        for bucket in self._deployment.buckets:
            there = self._buckets[bucket]
            url = f"gs://{bucket}"
            if there is None:
                self._gcloud.run(
                    *("storage", "buckets", "create", url, f"--location={self._deployment.region}"),
                    *("--uniform-bucket-level-access", "--public-access-prevention"),
                    *("--soft-delete-duration=7d", f"--lifecycle-file={_LIFECYCLE}"),
                )
            self._let_scripts_read(url, (there or {}).get("cors_config") or [])
        self._make_indexes()

    def _let_scripts_read(self, url: str, found: list[dict[str, Any]]) -> None:
        """Let the page's own origins download by fetch, by a rule beside others', which stay."""
        wanted = cors(self._deployment)
        ours = [rule for rule in found if _is_ours(rule, wanted)]
        if [*map(_sorted, ours)] == [_sorted(wanted)]:
            return
        if self._gcloud.mode is Mode.RUN:
            rules = [*(rule for rule in found if rule not in ours), wanted]
            (self._project.root / _CORS).write_text(json.dumps(rules))
        self._gcloud.run("storage", "buckets", "update", url, f"--cors-file={_CORS}")

    def _make_database(self) -> None:
        """A database that was there is protected too: from being deleted, and with a week of its past."""
        protection = ("--delete-protection", "--enable-pitr")
        there = self._database
        if there is None:
            location = f"--location={self._deployment.firestore_location or self._deployment.region}"
            self._gcloud.run("firestore", "databases", "create", location, "--type=firestore-native", *protection)
        elif (
            there.get("deleteProtectionState") != "DELETE_PROTECTION_ENABLED"
            or there.get("pointInTimeRecoveryEnablement") != "POINT_IN_TIME_RECOVERY_ENABLED"
        ):
            self._gcloud.run("firestore", "databases", "update", "--database=(default)", *protection)

    def _make_indexes(self) -> None:
        there = self._indexes_there()
        for index in self._indexes():
            if _key(index) in there:
                continue
            self._gcloud.create(
                *("firestore", "indexes", "composite", "create"),
                f"--collection-group={index['collectionGroup']}",
                f"--query-scope={index['queryScope'].lower()}",
                *(
                    f"--field-config=field-path={field['fieldPath']},order={field['order'].lower()}"
                    for field in index["fields"]
                ),
                "--async",
            )
        # What could not be replayed is kept for some time: see KEPT_FOR in functions/sweep_purges.py.
        expiring = self._gcloud.read("firestore", "fields", "ttls", "list", "--collection-group=dead_letters")
        if not any(one["name"].endswith("/fields/expire_at") for one in expiring):
            self._gcloud.run(
                *("firestore", "fields", "ttls", "update", "expire_at", "--collection-group=dead_letters"),
                *("--enable-ttl", "--async"),
            )

    def wait_for_indexes(self) -> None:
        """Queries fail until their index is ready. Raises NoAnswer."""
        wanted = {_key(index) for index in self._indexes()}
        for _ in self._gcloud.attempts("the indexes of Firestore are built", _INDEXES_TAKE):
            states = self._indexes_there()
            if self._gcloud.mode is not Mode.RUN or all(states.get(key) == "READY" for key in wanted):
                return
        raise NoAnswer("the indexes of Firestore are not built yet: run deploy.sh again later")

    def _indexes(self) -> list[dict[str, Any]]:
        indexes: list[dict[str, Any]] = json.loads((self._project.root / _INDEXES).read_text())["indexes"]
        return indexes

    def _indexes_there(self) -> dict[str, str]:
        """Their states: https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.collectionGroups.indexes"""
        listed = self._gcloud.read("firestore", "indexes", "composite", "list")
        return {_key({"collectionGroup": one["name"].split("/")[-3], **one}): one["state"] for one in listed}


def _is_elsewhere(bucket: dict[str, Any], region: str) -> bool:
    """Whether it is known to be in other regions. Names of several regions tell too little."""
    places = bucket.get("data_locations") or []
    if bucket.get("location_type") == "region":
        places = [bucket["location"]]
    return bool(places) and region.upper() not in map(str.upper, places)


def _key(index: dict[str, Any]) -> str:
    """Firestore adds the document's name as a last field."""
    fields = [(one["fieldPath"], one.get("order")) for one in index["fields"] if one["fieldPath"] != "__name__"]
    return json.dumps([index["collectionGroup"], index["queryScope"], fields])


def _is_ours(rule: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether it is our rule for scripts, for whatever origins and of whichever release."""
    headers = {*rule.get("responseHeader", ())}
    varying = {"origin": wanted["origin"], "responseHeader": wanted["responseHeader"]}
    return {**rule, **varying} == wanted and _FIRST <= headers <= {*wanted["responseHeader"]}


def _sorted(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, list) else value for name, value in rule.items()}
