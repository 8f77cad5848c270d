"""Projects in which deploy.sh refuses to run, and the commands that it then names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.unit.infra.deploy.checkout import Checkout
from tests.unit.infra.deploy.cloud import Cloud
from tests.unit.infra.deploy.cloud.run import LOCATION

BUILDER = "image-builder@nuumee-test.iam.gserviceaccount.com"
SUBSCRIPTION = "projects/nuumee-test/subscriptions/purge-job"
OTHER = {"name": SUBSCRIPTION, "topic": "projects/nuumee-test/topics/other"}


def service(region: str, **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "list-jobs", "labels": {LOCATION: region, **labels}},
        "spec": {"template": {"spec": {}}},
    }


OURS = {"product": "nuumee-jobs"}
REFUSED: tuple[dict[str, Any], ...] = (
    {"functions": ["list_jobs"], "enabled": {"cloudfunctions.googleapis.com"}},
    {"buckets": {"gs://nuumee-videos": {"uniform_bucket_level_access": False}}},
    {
        "buckets": {"gs://nuumee-videos": {"uniform_bucket_level_access": True}},
        "policies": {"storage buckets gs://nuumee-videos": [("allUsers", "roles/storage.objectViewer", None)]},
    },
    {"subscriptions": {SUBSCRIPTION: OTHER}},
    {"subscriptions": {SUBSCRIPTION: {**OTHER, "topic": "_deleted-topic_"}}},
    {"accounts": {BUILDER: {"email": BUILDER, "description": "of others"}}},
    {"schedules": {"every-minute": {"name": "projects/p/jobs/every-minute"}}},
    {"services": {"list-jobs": service("us-central1")}},
    {"services": {"here": service("us-central1", **OURS), "there": service("europe-west1", **OURS)}},
    {"versions": {}},
    {"database": {"type": "DATASTORE_MODE"}},
    {"hmac_key": ":not a key"},
)
"""What the made-up cloud has instead of nothing."""


def advised(checkout: Checkout) -> Iterator[str]:
    """The commands that deploy.sh names in each of these projects: whatever follows a colon or `see`."""
    for there in REFUSED:
        checkout.cloud = Cloud()
        vars(checkout.cloud).update(there)
        done = checkout.deploy()
        named = re.findall(r"(?:^|(?<!deploy\.sh): |see )(gcloud [a-z].*)$", done.stderr, re.MULTILINE)
        assert (done.returncode, bool(named)) == (2, True), done.stderr
        yield from named
