"""What is no longer in the data."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from infra.cloud.fetch import Answer
from tests.unit.infra.deploy.checkout import ACCOUNTS, REQUIRED, Checkout, Done
from tests.unit.infra.deploy.cloud.run import LOCATION

OLD = "list-jobs"
LABELS = {"product": "nuumee-jobs"}
MARK = "Part of NuuMee Jobs"
DENIED = "HTTPError 403: me does not have storage.buckets.getIamPolicy access to the Google Cloud Storage bucket."


def check(checkout: Checkout, *flags: str) -> Done:
    checkout.cloud.calls.clear()
    return checkout.deploy("check", *REQUIRED, *flags)


def grow(checkout: Checkout) -> None:
    """Add one part of each kind that is no longer in the data, and one of somebody else's."""
    cloud = checkout.cloud
    for name, labels, mark, title in (
        ("old-one", LABELS, MARK, "NuuMee Jobs: old"),
        ("other", {}, "", "Somebody's alert"),
    ):
        service = copy.deepcopy(cloud.services[OLD])
        service["metadata"].update(name=name, labels={LOCATION: "us-central1", **labels})
        cloud.services[name] = service
        topic = f"projects/nuumee-test/topics/{name}"
        cloud.topics[topic] = {"name": topic, "labels": labels}
        path = f"projects/nuumee-test/subscriptions/{name}"
        cloud.subscriptions[path] = {"name": path, "topic": topic, "labels": labels}
        cloud.notifications["gs://nuumee-videos"].append({"id": name, "topic": f"//pubsub.googleapis.com/{topic}"})
        cloud.schedules[name] = {"name": f"projects/p/jobs/{name}", "schedule": "* * * * *", "description": mark}
        policy = f"projects/nuumee-test/alertPolicies/{name}"
        cloud.alerts[policy] = {"name": policy, "displayName": title}
        channel = f"projects/nuumee-test/notificationChannels/{name}"
        cloud.channels[channel] = {"name": channel, "displayName": name, "userLabels": labels}
        metric, check = ("nuumee_jobs_old", "nuumee-jobs-old") if mark else ("other", "other")
        cloud.metrics[metric] = {"name": metric}
        at = f"projects/nuumee-test/uptimeCheckConfigs/{check}"
        cloud.checks[at] = {"name": at, "displayName": check}
        board = f"projects/123456/dashboards/{name}"
        cloud.dashboards[board] = {"name": board, "displayName": title}
        role = "nuumeeJobsOld" if mark else "others"
        cloud.roles[role] = {"name": f"projects/nuumee-test/roles/{role}", "description": mark}
        email = f"{name}@nuumee-test.iam.gserviceaccount.com"
        cloud.accounts[email] = {"email": email, "description": mark}
        granted = cloud.policies["projects nuumee-test"]
        granted.append((f"serviceAccount:{email}", "roles/datastore.user", None))
    granted.append(("serviceAccount:list-jobs@nuumee-test.iam.gserviceaccount.com", "roles/editor", None))


@pytest.fixture
def grown(checkout: Checkout) -> Checkout:
    """A deployment that has grown."""
    checkout.must()
    grow(checkout)
    return checkout


WHAT = (
    *("schedule old-one", "notification of gs://nuumee-videos to projects/nuumee-test/topics/old-one"),
    *(
        "alert NuuMee Jobs: old",
        "notification channel old-one",
        "uptime check nuumee-jobs-old",
        "metric nuumee_jobs_old",
    ),
    *("subscription old-one", "service old-one", "topic old-one"),
    "role roles/datastore.user of serviceAccount:old-one@nuumee-test.iam.gserviceaccount.com on nuumee-test",
    "role roles/editor of serviceAccount:list-jobs@nuumee-test.iam.gserviceaccount.com on nuumee-test",
    "the project's role nuumeeJobsOld",
    "account old-one@nuumee-test.iam.gserviceaccount.com",
)


def parts(checkout: Checkout) -> dict[str, Any]:
    own = ("calls", "requests", "logs", "building", "rulesets")
    return copy.deepcopy({name: part for name, part in vars(checkout.cloud).items() if name not in own})


def test_a_check_finds_nothing_in_what_was_deployed_just_now(checkout: Checkout) -> None:
    checkout.must()
    done = check(checkout)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_check_names_what_differs_and_changes_nothing(checkout: Checkout) -> None:
    checkout.must()
    checkout.cloud.subscriptions["projects/nuumee-test/subscriptions/purge-job"]["ackDeadlineSeconds"] = 10
    del checkout.cloud.schedules["every-minute"]
    checkout.cloud.rules = [{"name": "r", "content": "allow read: if true;"}]
    before = parts(checkout)
    done = check(checkout)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.split()[1:5] for line in lines if line.startswith("gcloud")] == [
        ["pubsub", "subscriptions", "update", "purge-job"],
        ["scheduler", "jobs", "create", "pubsub"],
    ]
    assert "publish infra/cloud/firestore.rules" in lines
    assert (parts(checkout), checkout.cloud.changes()) == (before, [])


def test_a_check_of_another_source_names_each_service(checkout: Checkout) -> None:
    checkout.must()
    checkout.change_source()
    done = check(checkout)
    assert done.returncode == 1
    assert done.stdout.count("gcloud run deploy ") == len(checkout.cloud.services)
    assert checkout.cloud.changes() == []


def test_a_check_of_an_empty_project_ends_well_without_the_apis(checkout: Checkout) -> None:
    before = parts(checkout)
    done = check(checkout)
    assert done.returncode == 1
    assert "gcloud services enable" in done.stdout
    assert parts(checkout) == before


def test_a_check_of_an_empty_project_names_what_goes_by_rest_too(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    disabled = Answer(403, "application/json", b'{"error": {"details": [{"reason": "SERVICE_DISABLED"}]}}')
    monkeypatch.setattr(checkout.cloud, "fetch", lambda request: disabled)
    done = check(checkout)
    assert done.returncode == 1
    assert {"publish infra/cloud/firestore.rules", "add Firebase to the project"} <= {*done.stdout.splitlines()}


def test_a_check_without_the_apis_says_what_is_missing_instead_of_waiting(checkout: Checkout) -> None:
    lists = ("iam service-accounts list", "pubsub topics list", "pubsub subscriptions list", "run services list")
    checkout.cloud.lags = dict.fromkeys((*lists, "firestore databases describe", "projects describe"), 1000)
    done = check(checkout)
    assert done.returncode == 1
    assert done.stdout.count("gcloud run deploy ") == len(ACCOUNTS)
    assert "waiting" not in done.stderr


def test_a_check_names_what_is_no_longer_in_the_data_and_nobody_elses(grown: Checkout) -> None:
    before = parts(grown)
    done = check(grown)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [f"no longer in the data: {what}" for what in WHAT]
    assert (parts(grown), grown.cloud.changes()) == (before, [])


@pytest.mark.parametrize("answer", ["", "y", "no"])
def test_nothing_is_pruned_without_a_yes(answer: str, grown: Checkout) -> None:
    before = parts(grown)
    grown.answers = [answer]
    assert check(grown, "--prune").returncode == 1
    assert (parts(grown), grown.cloud.changes()) == (before, [])


def test_nothing_is_pruned_while_what_is_served_is_another_release(grown: Checkout) -> None:
    grown.change_source()
    before = parts(grown)
    done = check(grown, "--prune")
    assert done.returncode == 1
    assert "nothing was removed, because what is served may need it: run ./deploy.sh first" in done.stdout
    assert (parts(grown), grown.cloud.changes()) == (before, [])


def test_a_step_of_firebase_that_no_run_may_do_holds_back_no_pruning_and_still_differs(grown: Checkout) -> None:
    grown.cloud.firebase, grown.cloud.denied, grown.answers = None, ":addFirebase", ["yes"]
    done = check(grown, "--prune")
    assert done.returncode == 1
    assert "add Firebase to the project" in done.stdout.splitlines()
    assert "nothing was removed" not in done.stdout
    assert "old-one" not in grown.cloud.services
    done = check(grown)
    assert (done.returncode, done.stdout) == (1, "add Firebase to the project\n")


def test_after_a_yes_it_goes_and_nobody_elses_does(grown: Checkout) -> None:
    grown.answers = ["yes"]
    assert check(grown, "--prune").returncode == 0
    assert check(grown).returncode == 0
    cloud = grown.cloud
    for kept in (cloud.services, cloud.schedules):
        assert "other" in kept
        assert "old-one" not in kept
    assert "projects/nuumee-test/subscriptions/other" in cloud.subscriptions
    assert [*cloud.channels] == ["projects/nuumee-test/notificationChannels/other"]
    assert {"nuumee_jobs_old", "other"} & cloud.metrics.keys() == {"other"}
    names = {check["displayName"] for check in cloud.checks.values()}
    assert names == {"nuumee-jobs-page", "nuumee-jobs-share", "other"}
    assert [one["id"] for one in cloud.notifications["gs://nuumee-videos"]] == ["1", "other"]
    assert [name for name, role in cloud.roles.items() if role.get("deleted")] == ["nuumeeJobsOld"]
    members = {member for member, role, _ in cloud.policies["projects nuumee-test"] if role != "roles/editor"}
    assert "serviceAccount:other@nuumee-test.iam.gserviceaccount.com" in members
    assert "serviceAccount:list-jobs@nuumee-test.iam.gserviceaccount.com" in members


def test_what_cannot_be_pruned_is_named_and_the_rest_goes(grown: Checkout) -> None:
    grown.answers, grown.cloud.failing = ["yes"], "subscriptions delete"
    done = check(grown, "--prune")
    assert done.returncode == 1
    assert "could not be removed: subscription old-one" in done.stdout
    assert "old-one" not in grown.cloud.services


def test_what_a_deployment_left_on_a_bucket_that_the_settings_no_longer_name_goes(checkout: Checkout) -> None:
    checkout.must(*REQUIRED, "--outputs-bucket=nuumee-old")
    others = "serviceAccount:other@nuumee-test.iam.gserviceaccount.com", "roles/storage.objectViewer", None
    checkout.cloud.policies["storage buckets gs://nuumee-old"].append(others)
    topic = "//pubsub.googleapis.com/projects/nuumee-test/topics/other"
    checkout.cloud.notifications["gs://nuumee-old"].append({"id": "other", "topic": topic})
    checkout.must()
    told = check(checkout).stdout.splitlines()
    uploads = "projects/nuumee-test/topics/object-finalized"
    assert f"no longer in the data: notification of gs://nuumee-old to {uploads}" in told
    roles = [line for line in told if " role " in line]
    assert len(roles) == len(told) - 1 > 0
    assert all("on gs://nuumee-old" in line for line in roles)
    checkout.answers = ["yes"]
    assert check(checkout, "--prune").returncode == 0
    assert checkout.cloud.policies["storage buckets gs://nuumee-old"] == [others]
    assert [one["id"] for one in checkout.cloud.notifications["gs://nuumee-old"]] == ["other"]
    assert len(checkout.cloud.notifications["gs://nuumee-outputs"]) == 1
    assert check(checkout).returncode == 0


@pytest.mark.parametrize(
    "look", ["buckets get-iam-policy gs://theirs", "buckets notifications list gs://theirs", "gs://theirs"]
)
def test_a_bucket_that_the_settings_do_not_name_and_nobody_may_look_at_is_told_and_keeps_nothing_else_from_going(
    grown: Checkout, look: str
) -> None:
    grown.cloud.buckets["gs://theirs"] = {}
    grown.cloud.failing, grown.cloud.saying = look, DENIED
    grown.answers = ["yes"]
    done = check(grown, "--prune")
    assert (done.returncode, "old-one" in grown.cloud.services) == (0, False)
    assert done.stderr.count("whether a deployment left anything on gs://theirs is not known") == 1
    grown.answers = ["nuumee-test"]
    done = grown.deploy("destroy", *REQUIRED)
    assert (done.returncode, [*grown.cloud.services]) == (0, ["other"])
    assert done.stderr.count("whether a deployment left anything on gs://theirs is not known") == 1


@pytest.mark.parametrize("look", ["buckets get-iam-policy", "buckets notifications list"])
@pytest.mark.parametrize(("bucket", "said"), [("nuumee-videos", DENIED), ("theirs", "refused")])
def test_an_end_whose_look_at_a_bucket_of_the_settings_or_for_another_reason_fails_removes_nothing(
    grown: Checkout, look: str, bucket: str, said: str
) -> None:
    grown.cloud.buckets["gs://theirs"] = {}
    grown.cloud.failing, grown.cloud.saying = f"{look} gs://{bucket}", said
    before = parts(grown)
    assert grown.deploy("destroy", *REQUIRED).returncode == 7
    assert parts(grown) == before
