"""APIs, Firestore, buckets, topics, schedules and budgets."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tests.unit.infra.deploy.cloud.command import (
    NUMBER,
    PROJECT,
    AlreadyThere,
    Command,
    Denied,
    NotThere,
    only,
    path,
)


class Data:
    def __init__(self) -> None:
        self.enabled: set[str] = set()
        self.functions: list[str] = []
        """Those that were deployed with gcloud functions."""
        self.database: dict[str, Any] | None = None
        self.indexes: list[dict[str, Any]] = []
        self.building = 0
        """How often the indexes are found unfinished."""
        self.expiring: list[dict[str, Any]] = []
        self.buckets: dict[str, dict[str, Any]] = {}
        self.others_buckets: dict[str, str] = {}
        """Of other projects: whether they are "private", or everybody may read what they are."""
        self.objects: dict[str, str] = {}
        """Contents by address."""
        self.soft_deleted: set[str] = set()
        """Addresses of objects that were deleted and can be restored."""
        self.notifications: dict[str, list[dict[str, Any]]] = {}
        self.topics: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.schedules: dict[str, dict[str, Any]] = {}
        self.budgets: dict[str, dict[str, Any]] = {}

    def on_projects_describe(self, command: Command) -> Any:
        return {"projectId": PROJECT, "projectNumber": NUMBER}

    def on_services_list(self, command: Command) -> Any:
        return [{"config": {"name": name}} for name in sorted(self.enabled)]

    def on_services_enable(self, command: Command) -> None:
        self.enabled |= {*command.named}

    def on_functions_list(self, command: Command) -> Any:
        return [{"name": f"projects/{PROJECT}/locations/us-central1/functions/{name}"} for name in self.functions]

    def on_firestore_databases_describe(self, command: Command) -> Any:
        return only(self.database)

    def on_firestore_databases_create(self, command: Command) -> None:
        self.database = {"type": "FIRESTORE_NATIVE", "locationId": command.flags["--location"]}
        self.on_firestore_databases_update(command)

    def on_firestore_databases_update(self, command: Command) -> None:
        assert self.database
        self.database["deleteProtectionState"] = "DELETE_PROTECTION_ENABLED"
        self.database["pointInTimeRecoveryEnablement"] = "POINT_IN_TIME_RECOVERY_ENABLED"

    def on_firestore_indexes_composite_list(self, command: Command) -> Any:
        self.building -= 1
        return [{**one, "state": "READY" if self.building < 0 else "CREATING"} for one in self.indexes]

    def on_firestore_indexes_composite_create(self, command: Command) -> None:
        group = command.flags["--collection-group"]
        pairs = [dict(part.split("=") for part in text.split(",")) for text in command.all("--field-config")]
        fields = [{"fieldPath": one["field-path"], "order": one["order"].upper()} for one in pairs]
        name = f"projects/{PROJECT}/databases/(default)/collectionGroups/{group}/indexes/{len(self.indexes)}"
        fields.append({"fieldPath": "__name__", "order": fields[-1]["order"]})
        scope = command.flags["--query-scope"].upper()
        self.indexes.append({"name": name, "queryScope": scope, "fields": fields})

    def on_firestore_fields_ttls_list(self, command: Command) -> Any:
        return self.expiring

    def on_firestore_fields_ttls_update(self, command: Command) -> None:
        self.expiring = [{"name": f"projects/p/collectionGroups/dead_letters/fields/{command.named[0]}"}]

    def on_storage_buckets_list(self, command: Command) -> Any:
        """The project's own."""
        return [{"name": url.removeprefix("gs://"), **bucket} for url, bucket in self.buckets.items()]

    def on_storage_buckets_describe(self, command: Command) -> Any:
        return self._see(command.named[0])

    def _see(self, url: str) -> Any:
        if self.others_buckets.get(url) == "private":
            raise Denied
        return {"uniform_bucket_level_access": True} if url in self.others_buckets else only(self.buckets.get(url))

    def on_storage_buckets_create(self, command: Command) -> None:
        days = int(command.flags.get("--soft-delete-duration", "7d").removesuffix("d"))
        self.buckets[command.named[0]] = {
            "uniform_bucket_level_access": True,
            "soft_delete_policy": {"retentionDurationSeconds": str(days * 86_400)},
        }
        if "--public-access-prevention" in command.flags:
            self.buckets[command.named[0]]["public_access_prevention"] = "enforced"

    def on_storage_buckets_update(self, command: Command) -> None:
        self.buckets[command.named[0]]["cors_config"] = json.loads(Path(command.flags["--cors-file"]).read_text())

    def on_storage_buckets_delete(self, command: Command) -> None:
        del self.buckets[command.named[0]]

    def on_storage_objects_list(self, command: Command) -> Any:
        beginning = command.named[0].removesuffix("**")
        there = self.soft_deleted if "--soft-deleted" in command.flags else self.objects
        return [{"name": name} for name in there if name.startswith(beginning)][:1]

    def on_storage_cat(self, command: Command) -> Any:
        beginning = command.named[0].partition("*")[0]
        found = [content for name, content in sorted(self.objects.items()) if name.startswith(beginning)]
        if not found:
            raise NotThere
        return "".join(found)

    def on_storage_cp(self, command: Command) -> None:
        source, target = command.named
        self.objects[target] = Path(source).read_text()

    def on_storage_buckets_notifications_list(self, command: Command) -> Any:
        url = command.named[0]
        self._see(url)
        told = self.notifications.get(url, [])
        return [{"Bucket URL": url, "Notification Configuration": one} for one in told]

    def on_storage_buckets_notifications_create(self, command: Command) -> None:
        topic = f"//pubsub.googleapis.com/{command.flags['--topic']}"
        told = self.notifications.setdefault(command.named[0], [])
        payload = {"json": "JSON_API_V1"}[command.flags["--payload-format"]]
        events = command.flags["--event-types"].split(",")
        number = str(len(told) + 1)
        told.append({"id": number, "topic": topic, "event_types": events, "payload_format": payload})

    def on_storage_buckets_notifications_delete(self, command: Command) -> None:
        _, _, _, bucket, _, number = command.named[0].split("/")
        told = self.notifications[f"gs://{bucket}"]
        self.notifications[f"gs://{bucket}"] = [one for one in told if one["id"] != number]

    def on_pubsub_topics_list(self, command: Command) -> Any:
        return [*self.topics.values()]

    def on_pubsub_topics_create(self, command: Command) -> None:
        name = path("topics", command.named[0])
        if name in self.topics:
            raise AlreadyThere
        self.topics[name] = {"name": name, "labels": command.pairs("--labels")}

    def on_pubsub_topics_delete(self, command: Command) -> None:
        del self.topics[path("topics", command.named[0])]

    def on_pubsub_subscriptions_list(self, command: Command) -> Any:
        return [*self.subscriptions.values()]

    def on_pubsub_subscriptions_create(self, command: Command) -> None:
        name = path("subscriptions", command.named[0])
        if name in self.subscriptions:
            raise AlreadyThere
        self.subscriptions[name] = {
            "name": name,
            "topic": path("topics", command.flags["--topic"]),
            "labels": command.pairs("--labels"),
        }
        self._set_up(self.subscriptions[name], command)

    def on_pubsub_subscriptions_update(self, command: Command) -> None:
        subscription = self.subscriptions[path("subscriptions", command.named[0])]
        if "--clear-dead-letter-policy" in command.flags:
            del subscription["deadLetterPolicy"]
        self._set_up(subscription, command)
        subscription.setdefault("labels", {}).update(command.pairs("--update-labels"))

    def on_pubsub_subscriptions_delete(self, command: Command) -> None:
        del self.subscriptions[path("subscriptions", command.named[0])]

    def _set_up(self, subscription: dict[str, Any], command: Command) -> None:
        flags = command.flags
        if "--ack-deadline" in flags:
            subscription["ackDeadlineSeconds"] = int(flags["--ack-deadline"])
        if "--message-retention-duration" in flags:
            subscription["messageRetentionDuration"] = flags["--message-retention-duration"]
        if flags.get("--expiration-period") == "never":
            subscription["expirationPolicy"] = {}
        if "--push-endpoint" in flags:
            account, audience = flags["--push-auth-service-account"], flags["--push-auth-token-audience"]
            token = {"serviceAccountEmail": account, "audience": audience}
            pushed = {"pushEndpoint": flags["--push-endpoint"], "oidcToken": token}
            # Pub/Sub always adds the format: see PushConfig in its reference.
            subscription["pushConfig"] = {**pushed, "attributes": {"x-goog-version": "v1"}}
        if "--min-retry-delay" in flags:
            delays = {"minimumBackoff": flags["--min-retry-delay"], "maximumBackoff": flags["--max-retry-delay"]}
            subscription["retryPolicy"] = delays
        if "--dead-letter-topic" in flags:
            attempts = int(flags["--max-delivery-attempts"])
            dead = path("topics", flags["--dead-letter-topic"])
            subscription["deadLetterPolicy"] = {"deadLetterTopic": dead, "maxDeliveryAttempts": attempts}

    def on_scheduler_jobs_list(self, command: Command) -> Any:
        return [*self.schedules.values()]

    def on_scheduler_jobs_create_pubsub(self, command: Command) -> None:
        flags, name = command.flags, command.named[0]
        target = {
            "topicName": flags["--topic"],
            "data": base64.b64encode(flags["--message-body"].encode()).decode(),
        }
        self.schedules[name] = {
            "name": f"projects/{PROJECT}/locations/us-central1/jobs/{name}",
            "schedule": flags["--schedule"],
            "pubsubTarget": target,
            "state": "ENABLED",
            "description": flags.get("--description", ""),
        }

    on_scheduler_jobs_update_pubsub = on_scheduler_jobs_create_pubsub

    def on_scheduler_jobs_resume(self, command: Command) -> None:
        self.schedules[command.named[0]]["state"] = "ENABLED"

    def on_scheduler_jobs_delete(self, command: Command) -> None:
        del self.schedules[command.named[0]]

    def on_billing_projects_describe(self, command: Command) -> Any:
        return {"billingAccountName": "billingAccounts/0X0X0X-0X0X0X-0X0X0X", "billingEnabled": True}

    def on_billing_budgets_list(self, command: Command) -> Any:
        return [*self.budgets.values()]

    def on_billing_budgets_create(self, command: Command) -> None:
        """Like Google's, which gives a project's number for its id."""
        name = f"billingAccounts/0X0X0X-0X0X0X-0X0X0X/budgets/{len(self.budgets) + 1}"
        assert command.flags["--filter-projects"] == f"projects/{PROJECT}"
        filtered = {"projects": [f"projects/{NUMBER}"]}
        self.budgets[name] = {
            "name": name,
            "displayName": command.flags["--display-name"],
            "budgetFilter": filtered,
        }
        self.on_billing_budgets_update(Command(command.words, [name]))

    def on_billing_budgets_update(self, command: Command) -> None:
        amount = command.flags["--budget-amount"]
        specified = {"units": amount[:-3], "currencyCode": amount[-3:]}
        before = self.budgets[command.named[0]].setdefault("amount", {"specifiedAmount": specified})
        assert before["specifiedAmount"]["currencyCode"] == amount[-3:], "Google changes no budget's currency"
        before["specifiedAmount"] = specified

    def on_billing_budgets_delete(self, command: Command) -> None:
        del self.budgets[command.named[0]]
