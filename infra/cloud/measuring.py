"""What is measured, and where it shows: metrics from the log, checks from outside, and the dashboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.cloud.project import Project
from infra.cloud.watching import has

METRIC_PREFIX = "nuumee_jobs_"
CHECK_PREFIX = "nuumee-jobs-"
"""With which the names of all metrics and of all checks begin. gcloud sets no labels for them."""
_DASHBOARD = Path("infra/cloud/dashboard.json")
_UPDATED = Path("build/dashboard.json")
"""The dashboard's file with the etag of the one that it replaces."""


class Measuring:
    """Its methods raise Failed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._gcloud = project.gcloud

    def make(self) -> None:
        self._count()
        self._look_from_outside()
        self._show()

    def metrics(self) -> dict[str, dict[str, Any]]:
        """All metrics from the log that the project has, by name."""
        return {one["name"]: one for one in self._gcloud.find("logging", "metrics", "list") or ()}

    def metric_names(self) -> set[str]:
        """Of the metrics that there should be."""
        return {file.stem for file in self._files("metrics")}

    def checks(self) -> dict[str, dict[str, Any]]:
        """All checks of the project, by their names for people."""
        listed = self._gcloud.find("monitoring", "uptime", "list-configs") or ()
        return {one["displayName"]: one for one in listed}

    def check_names(self) -> set[str]:
        """Of the checks that there should be."""
        return {f"{CHECK_PREFIX}{file.stem}" for file in self._files("uptime")}

    def dashboard(self) -> dict[str, Any] | None:
        """The one of our name, if there is one."""
        listed = self._gcloud.find("monitoring", "dashboards", "list") or ()
        name = self._content(_DASHBOARD)["displayName"]
        return next((one for one in listed if one.get("displayName") == name), None)

    def _count(self) -> None:
        there = self.metrics()
        for file in self._files("metrics"):
            metric = there.get(file.stem)
            if metric is None or not has(metric, self._content(file)):
                verb = "create" if metric is None else "update"
                self._gcloud.run("logging", "metrics", verb, file.stem, f"--config-from-file={file}")

    def _look_from_outside(self) -> None:
        """One check for each file of flags. One that differs is made anew, because gcloud changes no host."""
        there = self.checks()
        for file in self._files("uptime"):
            name, labels = f"{CHECK_PREFIX}{file.stem}", self._labels(file.stem)
            resource = {"monitoredResource": {"type": "uptime_url", "labels": labels}}
            if check := there.get(name):
                if has(check, resource) and _flags(check) == self._content(file):
                    continue
                self._gcloud.run("monitoring", "uptime", "delete", check["name"])
            self._gcloud.run(
                *("monitoring", "uptime", "create", name, "--resource-type=uptime-url"),
                f"--resource-labels={','.join(f'{key}={value}' for key, value in labels.items())}",
                f"--flags-file={file}",
            )

    def _show(self) -> None:
        there, content = self.dashboard(), self._content(_DASHBOARD)
        if there is None:
            self._gcloud.run("monitoring", "dashboards", "create", f"--config-from-file={_DASHBOARD}")
        elif not has(there, content):
            # With the etag, what somebody else has changed just now is not lost:
            # https://cloud.google.com/sdk/gcloud/reference/monitoring/dashboards/update
            (self._project.root / _UPDATED).write_text(json.dumps({**content, "etag": there["etag"]}))
            self._gcloud.run("monitoring", "dashboards", "update", there["name"], f"--config-from-file={_UPDATED}")

    def _labels(self, what: str) -> dict[str, str]:
        """Of the host that a check asks: the page's is the first of ALLOWED_ORIGINS."""
        deployment = self._project.deployment
        origin = {"page": deployment.allowed_origins.partition(",")[0], "share": deployment.share_origin}[what]
        return {"host": urlsplit(origin).hostname or "", "project_id": deployment.project}

    def _files(self, folder: str) -> list[Path]:
        """As gcloud is given them: below the checkout."""
        root = self._project.root
        return sorted(file.relative_to(root) for file in (root / "infra/cloud" / folder).glob("*.json"))

    def _content(self, file: Path) -> Any:
        return json.loads((self._project.root / file).read_text())


def _flags(check: dict[str, Any]) -> dict[str, str]:
    """The flags with which gcloud would make a check. What a file has besides them would always differ."""
    http = check.get("httpCheck", {})
    codes = (str(one.get("statusValue")) for one in http.get("acceptedResponseStatusCodes", ()))
    return {
        "--protocol": "https" if http.get("useSsl") else "http",
        "--validate-ssl": "true" if http.get("validateSsl") else "false",
        "--period": str(int(check["period"].removesuffix("s")) // 60),
        "--timeout": check["timeout"].removesuffix("s"),
        "--path": http.get("path", ""),
        "--status-codes": ",".join(codes),
        "--matcher-content": ",".join(one["content"] for one in check.get("contentMatchers", ())),
    }
