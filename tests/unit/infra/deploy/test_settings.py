"""Settings of deploy.sh from flags."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from infra.cloud.deployment import Deployment
from infra.stage import ROOT
from tests.unit.infra.deploy.checkout import REQUIRED, Checkout


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_setting_is_named(missing: str, checkout: Checkout) -> None:
    flag = missing.partition("=")[0]
    name = flag[2:].upper().replace("-", "_")
    done = checkout.deploy(*(given for given in REQUIRED if given != missing))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"deploy.sh: {name} is not set: give {flag} or put {name}=... into .env\n"
    assert checkout.calls() == []


@pytest.mark.parametrize(
    "wrong",
    [
        "--project=Nuumee",
        "--project=short",
        "--region=us-central",
        "--build-region=everywhere",
        "--allowed-origins=*",
        "--allowed-origins=https://a.example/path",
        "--allowed-origins=https://a.example,",
        "--allowed-origins=https://a.example@THREADS=1",
        "--allowed-origins=https://a.example,https://B.example",
        "--allowed-origins=https://a.example:443/,https://b.example",
        "--allowed-origins=http://a.example:80",
        "--images-bucket=No_Capitals",
        "--images-bucket=nuumee-videos",
        "--build-bucket=nuumee-videos",
        "--outputs-bucket=nuumee-test-nuumee-build",
        "--job-deleted-topic=a/b",
        "--job-deleted-topic=every-minute",
        "--job-restored-topic=a/b",
        "--job-restored-topic=job-deleted",
        "--jobs-erased-topic=a/b",
        "--jobs-erased-topic=job-deleted",
        "--object-finalized-topic=a/b",
        "--object-finalized-topic=google-events",
        "--budget=100",
        "--budget=USD",
        "--object-finalized-topic=job-deleted",
        "--object-finalized-topic=every-minute",
        "--share-origin=nuumee.ai",
        "--short-id-length=10",
        "--forwarded-hops=0",
        "--signing=hmac",
        "--max-instances=0",
        "--max-instances=many",
        "--alert-channels=ops@nuumee.ai",
        "--alert-channels=projects/nuumee-test/notificationChannels/1,none",
        "--alert-channels=projects/nuumee-test/notificationChannels/",
        "--alert-email=ops",
        "--alert-email=ops@a.example,dev@a.example",
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_done(wrong: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert wrong[2:].partition("=")[0].upper().replace("-", "_") in done.stderr
    assert checkout.calls() == []
    assert not (checkout.root / "build").exists()


@pytest.mark.parametrize("flag", ["--dry-runs", "--project-id=x", "--.*=x", "-h", "deploy", "--dry-run=no"])
def test_an_unknown_flag_is_named(flag: str, checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, flag)
    assert done.returncode == 2
    assert f"unknown flag {flag.partition('=')[0]}" in done.stderr
    assert checkout.calls() == []


@pytest.mark.parametrize("flags", [("--region",), ("--region=",), ("--region", "--dry-run")])
def test_a_flag_needs_a_value(flags: tuple[str, ...], checkout: Checkout) -> None:
    done = checkout.deploy(*REQUIRED, *flags)
    assert (done.returncode, done.stderr) == (2, "deploy.sh: --region needs a value\n")


def test_the_callers_environment_is_no_setting(whole_checkout: Checkout) -> None:
    done = whole_checkout.run("--dry-run", *REQUIRED[1:], PROJECT="from-the-caller")
    assert done.returncode == 2
    assert "PROJECT is not set" in done.stderr


def test_help_names_every_setting(checkout: Checkout) -> None:
    done = checkout.deploy("--help")
    assert done.returncode == 0
    example = (ROOT / "infra/cloud/example.env").read_text()
    names = re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)
    assert sorted(names) == sorted(one.name.upper() for one in fields(Deployment))
    assert all(re.search(rf"^  {name} ", done.stdout, re.MULTILINE) for name in names)
    assert checkout.calls() == []
