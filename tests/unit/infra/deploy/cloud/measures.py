"""Metrics from the log, uptime checks, the dashboard, and alerts, which read metrics."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.unit.infra.deploy.cloud.command import AlreadyThere, Command, NotThere, path


class Measures:
    def __init__(self) -> None:
        self.metrics: dict[str, dict[str, Any]] = {}
        self.new_metrics = 0
        """How often an alert on a metric from the log is refused, because the metric is too new."""
        self.checks: dict[str, dict[str, Any]] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.alerts: dict[str, dict[str, Any]] = {}
        self.channels: dict[str, dict[str, Any]] = {}
        self.new_channels = 0
        """How often a channel that was made is not in the list yet."""

    def on_logging_metrics_list(self, command: Command) -> Any:
        return [*self.metrics.values()]

    def on_logging_metrics_create(self, command: Command) -> None:
        name = command.named[0]
        if name in self.metrics:
            raise AlreadyThere
        self.metrics[name] = {"name": name, "createTime": "2026-11-26T10:00:00Z"}
        self.on_logging_metrics_update(command)

    def on_logging_metrics_update(self, command: Command) -> None:
        """What the file has takes the place of what the metric has, and Google adds to the descriptor."""
        name = command.named[0]
        self.metrics[name].update(_content(command))
        self.metrics[name]["metricDescriptor"]["type"] = f"logging.googleapis.com/user/{name}"

    def on_logging_metrics_delete(self, command: Command) -> None:
        del self.metrics[command.named[0]]

    def on_monitoring_uptime_list_configs(self, command: Command) -> Any:
        return [*self.checks.values()]

    def on_monitoring_uptime_create(self, command: Command) -> None:
        """gcloud makes of its flags what the API has: two checks may have one name."""
        flags: dict[str, str] = {**command.flags, **json.loads(Path(command.flags["--flags-file"]).read_text())}
        name = path("uptimeCheckConfigs", f"{command.named[0]}-{len(self.checks) + 1}")
        self.checks[name] = {
            "name": name,
            "displayName": command.named[0],
            "monitoredResource": {"type": "uptime_url", "labels": command.pairs("--resource-labels")},
            "httpCheck": {
                "path": flags["--path"],
                "port": 443,
                "useSsl": flags["--protocol"] == "https",
                "validateSsl": flags["--validate-ssl"] == "true",
                "requestMethod": "GET",
                "acceptedResponseStatusCodes": [{"statusValue": int(flags["--status-codes"])}],
            },
            "contentMatchers": [{"content": flags["--matcher-content"], "matcher": "CONTAINS_STRING"}],
            "period": {"1": "60s", "5": "300s", "10": "600s", "15": "900s"}[flags["--period"]],
            "timeout": f"{flags['--timeout']}s",
        }

    def on_monitoring_uptime_delete(self, command: Command) -> None:
        del self.checks[command.named[0]]

    def on_monitoring_dashboards_list(self, command: Command) -> Any:
        return [*self.dashboards.values()]

    def on_monitoring_dashboards_create(self, command: Command) -> None:
        name = f"projects/123456/dashboards/{len(self.dashboards) + 1}"
        self.dashboards[name] = {**_content(command), "name": name, "etag": "1"}

    def on_monitoring_dashboards_update(self, command: Command) -> None:
        name, content = command.named[0], _content(command)
        assert content["etag"] == self.dashboards[name]["etag"], "somebody else has changed it"
        self.dashboards[name] = {**content, "name": name, "etag": str(int(content["etag"]) + 1)}

    def on_monitoring_dashboards_delete(self, command: Command) -> None:
        del self.dashboards[command.named[0]]

    def on_beta_monitoring_channels_list(self, command: Command) -> Any:
        """Like Google's, which reads back contacts only in part."""
        if self.channels and self.new_channels > 0:
            self.new_channels -= 1
            return []
        return [{**one, "labels": {}} for one in self.channels.values()]

    def on_beta_monitoring_channels_create(self, command: Command) -> None:
        name = path("notificationChannels", str(len(self.channels) + 901))
        self.channels[name] = {
            "name": name,
            "displayName": command.flags["--display-name"],
            "type": command.flags["--type"],
            "labels": command.pairs("--channel-labels"),
            "userLabels": command.pairs("--user-labels"),
        }

    def on_beta_monitoring_channels_delete(self, command: Command) -> None:
        assert "--force" in command.flags
        del self.channels[command.named[0]]

    def on_alpha_monitoring_policies_list(self, command: Command) -> Any:
        return [*self.alerts.values()]

    def on_alpha_monitoring_policies_create(self, command: Command) -> None:
        self._look_for_metrics(command)
        name = path("alertPolicies", str(len(self.alerts) + 1))
        self.alerts[name] = {}
        self.on_alpha_monitoring_policies_update(Command(command.words, [name]))

    def on_alpha_monitoring_policies_update(self, command: Command) -> None:
        self._look_for_metrics(command)
        policy, flags = self.alerts[command.named[0]], command.flags
        if file := flags.get("--policy-from-file"):
            policy.clear()  # the file takes the whole policy's place
            policy.update(json.loads(Path(file).read_text()), enabled=True, name=command.named[0])
        for flag in ("--notification-channels", "--set-notification-channels"):
            if channels := flags.get(flag):
                policy["notificationChannels"] = channels.split(",")

    def on_alpha_monitoring_policies_delete(self, command: Command) -> None:
        del self.alerts[command.named[0]]

    def _look_for_metrics(self, command: Command) -> None:
        if file := command.flags.get("--policy-from-file"):
            wanted = {*re.findall(r"logging\.googleapis\.com/user/(\w+)", Path(file).read_text())}
            self.new_metrics -= bool(wanted)
            if wanted - self.metrics.keys() or (wanted and self.new_metrics >= 0):
                raise NotThere


def _content(command: Command) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(command.flags["--config-from-file"]).read_text())
    return content
