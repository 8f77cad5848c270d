"""What is on Google Cloud after a deployment: everything that the functions need, and the functions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from infra.cloud.deployment import Deployment, Refused
from infra.cloud.gcloud import Failed, Gcloud
from infra.functions import EVERY_MINUTE, TOPICS, Function, Role, Table
from shared.jobs.job import PictureKind
from shared.settings import dead_letters

RUNTIME = "python311"
_SERVICES = (
    *("artifactregistry", "cloudbuild", "cloudfunctions", "cloudresourcemanager", "cloudscheduler", "eventarc"),
    *("firestore", "iam", "iamcredentials", "identitytoolkit", "monitoring", "pubsub", "run", "secretmanager"),
    "storage",
)
_PICTURES_ONLY = "title=pictures,expression=" + "||".join(
    f'resource.name.endsWith("/{kind.object_name}")' for kind in PictureKind
)
"""What decodes uploads writes pictures alone: https://cloud.google.com/iam/docs/conditions-resource-attributes"""
_SIGNER = "url-signer"
"""The account whose permission signed URLs carry."""
_SECRET = "url-signing-key"  # noqa: S105 - its name
_SIGN_AS_ITSELF = "roles/iam.serviceAccountTokenCreator"
_LIFECYCLE = "infra/cloud/lifecycle.json"
CORS = "build/cors.json"
"""The file with what `cors` returns."""
_SETTINGS_OF_FUNCTIONS = (
    *("allowed_origins", "images_bucket", "videos_bucket", "outputs_bucket", "job_deleted_topic"),
    *("object_finalized_topic", "share_origin", "short_id_length", "forwarded_hops", "requests_per_minute"),
    "signing",
)
_KEY = re.compile(r"[A-Za-z0-9]+:[!-~]+")


def cors(deployment: Deployment) -> list[dict[str, Any]]:
    """Who may read a bucket's objects from a script: https://cloud.google.com/storage/docs/cross-origin"""
    headers = ["Content-Type", "Content-Length", "Content-Range", "Content-Disposition", "ETag"]
    origins = [origin.rstrip("/") for origin in deployment.allowed_origins.split(",")]
    return [{"origin": origins, "method": ["GET", "HEAD"], "responseHeader": headers, "maxAgeSeconds": 3600}]


class Deploy:
    """Makes what is missing and changes what differs. Each method shows its commands in their order."""

    def __init__(self, gcloud: Gcloud, deployment: Deployment, table: Table, root: Path) -> None:
        """`root` is the checkout. Raises Refused if a topic has two meanings."""
        self._gcloud = gcloud
        self._deployment = deployment
        self._table = table
        self._root = root
        self._topics = {name: str(getattr(table if name == EVERY_MINUTE else deployment, name)) for name in TOPICS}
        if len(set(self._topics.values())) < len(self._topics):
            raise Refused(
                "JOB_DELETED_TOPIC and OBJECT_FINALIZED_TOPIC must be two topics, "
                f"and neither may be {table.every_minute_topic}"
            )

    def everything(self) -> None:
        """Raises Failed, NoAnswer and Refused."""
        gcloud, functions = self._gcloud, tuple(self._table.functions.values())
        number = gcloud.ask(
            "PROJECT_NUMBER", "projects", "describe", self._deployment.project, "--format=value(projectNumber)"
        )
        gcloud.run("services", "enable", *(f"{service}.googleapis.com" for service in _SERVICES))
        # All that can be refused is looked at before anything is made.
        database = self._database()
        buckets = {bucket: self._bucket(bucket) for bucket in self._deployment.buckets}
        self._make_database(database)
        for bucket, cors_there in buckets.items():
            self._make_bucket(bucket, cors_there)
        # The accounts as early as can be: a new one can be given roles only after some seconds.
        for function in functions:
            self._make_account(function.account, f"Function {function.name}")
        if not self._deployment.keyless:
            self._make_account(_SIGNER, "Signs URLs of media")
        self._make_topics()
        self._make_indexes()
        signing = [function for function in functions if function.signs]
        if not self._deployment.keyless:
            self._make_signing_key()
        for function in signing:
            self._allow_signing(function)
        for function in functions:
            for role in function.roles:
                self._grant(function.account, role)
        for function in functions:
            self._deploy(function, number)
        # Only now, because what was deployed before may sign with this role.
        for function in () if self._deployment.keyless else signing:
            self._forbid_signing_as_itself(function)
        # What makes events comes after what consumes them.
        for bucket in self._deployment.buckets:
            self._notify(bucket)
        self._schedule()
        self._make_alerts()

    def _database(self) -> str | None:
        """The kind of the project's database; None if there is none."""
        describe = ("firestore", "databases", "describe", "--database=(default)")
        kind = self._gcloud.find(*describe, "--format=value(type)")
        if kind not in (None, "FIRESTORE_NATIVE"):
            raise Refused(f"the project's Firestore database is {kind}, and it must be FIRESTORE_NATIVE")
        return kind

    def _make_database(self, there: str | None) -> None:
        """A database that was there is protected too: from being deleted, and with a week of its past."""
        protection = ("--delete-protection", "--enable-pitr")
        database = ("firestore", "databases")
        if there:
            self._gcloud.run(*database, "update", "--database=(default)", *protection)
        else:
            location = f"--location={self._deployment.firestore_location or self._deployment.region}"
            self._gcloud.run(*database, "create", location, "--type=firestore-native", *protection)

    def _bucket(self, bucket: str) -> str | None:
        """The bucket's rules for scripts of other origins, perhaps empty; None if there is no such bucket."""
        describe = ("storage", "buckets", "describe", f"gs://{bucket}")
        found = self._gcloud.find(*describe, "--format=value(uniform_bucket_level_access,cors_config)")
        uniform, _, cors_there = (found or "").partition("\t")
        if found is not None and uniform != "True":
            raise Refused(f"gs://{bucket} has no uniform bucket-level access, which conditions on roles need")
        return None if found is None else cors_there

    def _make_bucket(self, bucket: str, cors_there: str | None) -> None:
        """A bucket that was there keeps its rules, because they may be somebody else's."""
        buckets, url = ("storage", "buckets"), f"gs://{bucket}"
        if cors_there is None:
            self._gcloud.run(
                *(*buckets, "create", url, f"--location={self._deployment.region}"),
                *("--uniform-bucket-level-access", "--public-access-prevention", "--soft-delete-duration=7d"),
                f"--lifecycle-file={_LIFECYCLE}",
            )
        if not cors_there:
            # The page's own origins may download by fetch.
            self._gcloud.run(*buckets, "update", url, f"--cors-file={CORS}")

    def _make_account(self, account: str, what: str) -> None:
        self._gcloud.create("iam", "service-accounts", "create", account, f"--display-name={what}")

    def _make_topics(self) -> None:
        create, run = self._gcloud.create, self._gcloud.run
        create("pubsub", "topics", "create", self._table.every_minute_topic)
        deadline = f"--ack-deadline={self._table.dead_letters_ack_deadline}"
        for retried in self._table.retried_topics:
            topic, dead = self._topics[retried], dead_letters(self._topics[retried])
            create("pubsub", "topics", "create", topic)
            create("pubsub", "topics", "create", dead)
            create(
                *("pubsub", "subscriptions", "create", dead, f"--topic={dead}", deadline),
                *("--message-retention-duration=7d", "--expiration-period=never"),
            )
            run("pubsub", "subscriptions", "update", dead, deadline)  # one that was there has its own
        # What could not be replayed is kept for some time: see KEPT_FOR in functions/sweep_purges.py.
        run(
            *("firestore", "fields", "ttls", "update", "expire_at", "--collection-group=dead_letters"),
            *("--enable-ttl", "--async"),
        )

    def _make_indexes(self) -> None:
        for index in json.loads((self._root / "infra/cloud/firestore.indexes.json").read_text())["indexes"]:
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

    def _make_signing_key(self) -> None:
        """Once: an account that may only read the buckets, and its key in Secret Manager."""
        email = self._email(_SIGNER)
        self._gcloud.create("secrets", "create", _SECRET, "--replication-policy=automatic")
        # Unlike objectViewer, this role lists no names.
        self._grant(_SIGNER, Role("roles/storage.legacyObjectReader", "buckets"))
        if self._has_key():
            return
        key, kept = self._gcloud.pass_on(
            ("storage", "hmac", "create", email, '--format=value[separator=":"](metadata.accessId,secret)'),
            ("secrets", "versions", "add", _SECRET, "--data-file=-"),
            lambda key: _KEY.fullmatch(key) is not None,
        )
        if kept:
            return
        problem = f"gcloud made no HMAC key for {email} that can be kept"
        if _KEY.fullmatch(key):
            if self._was_kept_after_all():
                return
            problem = f"the HMAC key of {email} could not be kept in the secret {_SECRET}"
        if not self._is_deleted(key.partition(":")[0]):
            problem += f", and may still be there: see gcloud storage hmac list --service-account={email}"
        raise Refused(problem)

    def _has_key(self) -> bool:
        versions = ("secrets", "versions", "list", _SECRET, "--filter=state=enabled", "--limit=1")
        return bool(self._gcloud.look("", *versions, "--format=value(name)"))

    def _was_kept_after_all(self) -> bool:
        """Whether only gcloud's answer was lost."""
        try:
            return self._has_key()
        except Failed:
            return False

    def _is_deleted(self, access_id: str) -> bool:
        if not re.fullmatch("GOOG[A-Z0-9]+", access_id):
            return False
        try:
            self._gcloud.run("storage", "hmac", "update", access_id, "--deactivate")
            self._gcloud.run("storage", "hmac", "delete", access_id)
        except Failed:
            return False
        return True

    def _allow_signing(self, function: Function) -> None:
        email = self._email(function.account)
        on: tuple[str, ...] = ("secrets", "add-iam-policy-binding", _SECRET)
        role = "roles/secretmanager.secretAccessor"
        if self._deployment.keyless:
            on, role = ("iam", "service-accounts", "add-iam-policy-binding", email), _SIGN_AS_ITSELF
        self._gcloud.run_once_known(*on, *_binding(email, role), "--condition=None")

    def _forbid_signing_as_itself(self, function: Function) -> None:
        """Take away the role that earlier versions and SIGNING=keyless grant, under whatever conditions."""
        email = self._email(function.account)
        filtered = f"bindings.role={_SIGN_AS_ITSELF} AND bindings.members=serviceAccount:{email}"
        there = self._gcloud.look(
            "",
            *("iam", "service-accounts", "get-iam-policy", email, "--flatten=bindings[].members"),
            *(f"--filter={filtered}", "--format=value(bindings.members)"),
        )
        if there:
            self._gcloud.run(
                *("iam", "service-accounts", "remove-iam-policy-binding", email),
                *_binding(email, _SIGN_AS_ITSELF),
                "--all",
            )

    def _grant(self, account: str, role: Role) -> None:
        binding, run = _binding(self._email(account), role.name), self._gcloud.run_once_known
        buckets = self._deployment.buckets
        match role.on:
            case "project":
                project = self._deployment.project
                run("projects", "add-iam-policy-binding", project, *binding, "--condition=None")
            case "dead-letters":
                for topic in self._table.retried_topics:
                    dead = dead_letters(self._topics[topic])
                    run("pubsub", "subscriptions", "add-iam-policy-binding", dead, *binding)
            case "buckets" | "pictures" | "outputs":
                condition = f"--condition={_PICTURES_ONLY if role.on == 'pictures' else None}"
                for bucket in (self._deployment.outputs_bucket,) if role.on == "outputs" else buckets:
                    run("storage", "buckets", "add-iam-policy-binding", f"gs://{bucket}", *binding, condition)
            case topic:
                run("pubsub", "topics", "add-iam-policy-binding", self._topics[topic], *binding)

    def _deploy(self, function: Function, project_number: str) -> None:
        email, region = self._email(function.account), f"--region={self._deployment.region}"
        variables = {
            "GOOGLE_CLOUD_PROJECT": self._deployment.project,
            **{name.upper(): getattr(self._deployment, name) for name in _SETTINGS_OF_FUNCTIONS},
            "THREADS": str(function.threads),
        }
        # The origins hold commas, so @ separates the variables: see gcloud topic escaping.
        environment = "^@^" + "@".join(f"{name}={value}" for name, value in variables.items())
        self._gcloud.run(
            *("functions", "deploy", function.name, "--gen2", region, f"--runtime={RUNTIME}"),
            *(f"--source=build/{function.name}", f"--entry-point={function.name}"),
            *(f"--memory={function.memory}", f"--cpu={function.cpu}", f"--concurrency={function.concurrency}"),
            *(f"--timeout={function.timeout}s", f"--max-instances={self._deployment.max_instances}"),
            *(f"--service-account={email}", f"--set-env-vars={environment}", *self._flags(function)),
        )
        if function.topic:
            # Events are pushed in the name of the function's account, and a deploy does not allow that one to call
            # it.
            self._gcloud.run_once_known(
                *("functions", "add-invoker-policy-binding", function.name, region),
                *(f"--member=serviceAccount:{email}", "--format=none"),
            )
            self._deliver(function, self._topics[function.topic], project_number)

    def _flags(self, function: Function) -> list[str]:
        """How the function is called, and what it signs with."""
        # The function itself verifies its caller's token, which Google's front end would not know, or wants none.
        flags = ["--trigger-http", "--allow-unauthenticated"]
        if function.topic:
            flags = [f"--trigger-topic={self._topics[function.topic]}"]
        if function.retry:
            flags.append("--retry")
        if function.signs:
            # --clear-secrets is for a function that was deployed with a key before.
            key = f"--set-secrets=SIGNING_KEY={_SECRET}:latest"
            flags.append("--clear-secrets" if self._deployment.keyless else key)
        if function.public:
            # Behind a load balancer nobody may go round it: they could write X-Forwarded-For themselves.
            behind = self._deployment.forwarded_hops == "2"
            flags.append(f"--ingress-settings={'internal-and-gclb' if behind else 'all'}")
        return flags

    def _deliver(self, function: Function, topic: str, project_number: str) -> None:
        """Wait for the function for as long as it may take. What it fails to process goes to the dead letters."""
        run, ask, name = self._gcloud.run, self._gcloud.ask, function.name
        trigger = ask(
            f"TRIGGER_OF_{name}",
            *("functions", "describe", name, "--gen2", f"--region={self._deployment.region}"),
            "--format=value(eventTrigger.trigger)",
        )
        subscription = ask(
            f"SUBSCRIPTION_OF_{name}",
            *("eventarc", "triggers", "describe", trigger, f"--location={self._deployment.region}"),
            "--format=value(transport.pubsub.subscription)",
        )
        run("pubsub", "subscriptions", "update", subscription, f"--ack-deadline={self._table.ack_deadline}")
        if not function.retry:
            return
        # It is Pub/Sub that moves a dead letter: https://cloud.google.com/pubsub/docs/handling-failures
        agent = f"service-{project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
        dead = dead_letters(topic)
        run("pubsub", "topics", "add-iam-policy-binding", dead, *_binding(agent, "roles/pubsub.publisher"))
        subscriber = _binding(agent, "roles/pubsub.subscriber")
        run("pubsub", "subscriptions", "add-iam-policy-binding", subscription, *subscriber)
        run(
            *("pubsub", "subscriptions", "update", subscription, f"--dead-letter-topic={dead}"),
            f"--max-delivery-attempts={self._table.attempts}",
            *("--min-retry-delay=60s", "--max-retry-delay=600s"),
        )

    def _notify(self, bucket: str) -> None:
        """Have the bucket tell of new objects, unless it does: with two configurations it sends two messages."""
        topic = f"projects/{self._deployment.project}/topics/{self._deployment.object_finalized_topic}"
        there = self._gcloud.look(
            "", "storage", "buckets", "notifications", "list", f"gs://{bucket}", "--format=json"
        )
        if f'/{topic}"' not in there:
            # This also lets Cloud Storage publish to the topic.
            self._gcloud.run(
                *("storage", "buckets", "notifications", "create", f"gs://{bucket}", f"--topic={topic}"),
                *("--event-types=OBJECT_FINALIZE", "--payload-format=json"),
            )

    def _schedule(self) -> None:
        topic = self._table.every_minute_topic
        self._gcloud.create(
            *("scheduler", "jobs", "create", "pubsub", topic, f"--location={self._deployment.region}"),
            "--schedule=* * * * *",
            f"--topic=projects/{self._deployment.project}/topics/{topic}",
            "--message-body={}",
        )

    def _make_alerts(self) -> None:
        """One policy for each file, known by its name: gcloud would make a second one of the same name."""
        policies = ("alpha", "monitoring", "policies")
        channels = "" if self._deployment.alert_channels == "none" else self._deployment.alert_channels
        listed = self._gcloud.look("", *policies, "list", "--format=value(name,displayName)")
        there = {name: policy for policy, _, name in (line.partition("\t") for line in listed.splitlines())}
        for file in sorted((self._root / "infra/cloud/alerts").glob("*.json")):
            policy = there.get(json.loads(file.read_text())["displayName"])
            if policy is None:
                notified = [f"--notification-channels={channels}"] if channels else []
                from_file = f"--policy-from-file={file.relative_to(self._root)}"
                self._gcloud.run(*policies, "create", from_file, *notified)
            elif channels:
                self._gcloud.run(*policies, "update", policy, f"--set-notification-channels={channels}")

    def _email(self, account: str) -> str:
        return f"{account}@{self._deployment.project}.iam.gserviceaccount.com"


def _binding(email: str, role: str) -> tuple[str, str, str]:
    return (f"--member=serviceAccount:{email}", f"--role={role}", "--format=none")
