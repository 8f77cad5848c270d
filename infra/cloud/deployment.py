"""The settings of a deployment, from flags and a file of NAME=VALUE. All are checked before anything is done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from shared.settings import ORIGIN, ORIGIN_FORM, Settings

# No pattern lets a quote or a space through, and none of what the functions get an @.
_BUCKET = ("[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", "bucket name")
# https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
_TOPIC = ("(?!goog)[A-Za-z][A-Za-z0-9._-]{2,200}", "topic name")
_ALLOWED_ORIGIN = f"{ORIGIN}/?"
_SHARE_ORIGIN = "https?://[A-Za-z0-9.-]+(:[0-9]+)?/?"
_REGION = "[a-z]+-[a-z]+[0-9]+"
_CHANNEL = "projects/[a-z0-9-]+/notificationChannels/[0-9]+"
_LINE = re.compile(r"\s*([A-Za-z0-9_]+)=(.*)", re.DOTALL)


class Refused(Exception):
    """The flags or settings make no sense. The message names what is wrong."""


def _setting(pattern: str, what: str, default: Any = MISSING) -> Any:
    """A setting. `what` describes a valid value."""
    text = default if default is MISSING else str(default)
    return field(default=text, metadata={"pattern": pattern, "what": what})


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """Where and how the product is deployed. All values are text, as gcloud takes it."""

    project: str = _setting("[a-z][a-z0-9-]{4,28}[a-z0-9]", "project id")
    region: str = _setting(_REGION, "region such as us-central1")
    allowed_origins: str = _setting(
        f"{_ALLOWED_ORIGIN}(,{_ALLOWED_ORIGIN})*",
        f"list of origins {ORIGIN_FORM} https://a.example,https://b.example",
    )
    firestore_location: str = _setting(
        "|[a-z0-9-]{4,30}", "location of a new Firestore database such as nam5; by default the region", ""
    )
    images_bucket: str = _setting(*_BUCKET, Settings.images_bucket)
    videos_bucket: str = _setting(*_BUCKET, Settings.videos_bucket)
    outputs_bucket: str = _setting(*_BUCKET, Settings.outputs_bucket)
    build_region: str = _setting(f"|global|{_REGION}", "region of builds, or global; by default REGION", "")
    build_bucket: str = _setting(f"|{_BUCKET[0]}", "bucket name; by default PROJECT-nuumee-build", "")
    job_deleted_topic: str = _setting(*_TOPIC, Settings.job_deleted_topic)
    job_restored_topic: str = _setting(*_TOPIC, Settings.job_restored_topic)
    jobs_erased_topic: str = _setting(*_TOPIC, Settings.jobs_erased_topic)
    object_finalized_topic: str = _setting(*_TOPIC, Settings.object_finalized_topic)
    video_viewed_topic: str = _setting(*_TOPIC, Settings.video_viewed_topic)
    share_origin: str = _setting(_SHARE_ORIGIN, "origin such as https://nuumee.ai", Settings.share_origin)
    short_id_length: str = _setting(
        "(8|12|16)", "length of a new share link's id: 8, 12 or 16", Settings.short_id_length
    )
    forwarded_hops: str = _setting(
        "(1|2)", "number of proxies of Google: 1, or 2 behind a load balancer", Settings.forwarded_hops
    )
    requests_per_minute: str = _setting(
        "[1-9][0-9]{0,5}",
        "number of requests that a user may send to an instance in a minute, to 999999",
        Settings.requests_per_minute,
    )
    signing: str = _setting("(key|keyless)", "way to sign URLs: key, or keyless for a call of IAM for each", "key")
    max_instances: str = _setting("[1-9][0-9]{0,2}", "number of instances of a function, from 1 to 999", "20")
    alert_channels: str = _setting(
        f"(none|{_CHANNEL}(,{_CHANNEL})*)", "list of channels such as projects/a/notificationChannels/1", "none"
    )
    alert_email: str = _setting(
        r"(none|[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)", "address that mails about alerts go to", "none"
    )
    budget: str = _setting(
        "(none|[1-9][0-9]{0,8}[A-Z]{3})", "monthly amount to be warned at such as 100USD", "none"
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            value, what = getattr(self, setting.name), setting.metadata["what"]
            if not re.fullmatch(setting.metadata["pattern"], value):
                raise Refused(f"{setting.name.upper()} is {value!r}, which is no {what}")

    @property
    def buckets(self) -> tuple[str, str, str]:
        return (self.images_bucket, self.videos_bucket, self.outputs_bucket)

    @property
    def has_budget(self) -> bool:
        return self.budget != "none"

    @property
    def keyless(self) -> bool:
        return self.signing == "keyless"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command line asks for."""

    command: str = ""
    """One of COMMANDS; empty to deploy."""
    options: frozenset[str] = frozenset()
    """Those of OPTIONS that are given."""
    given: Mapping[str, str]
    """The settings that are flags, by name."""
    help: bool = False
    config: Path | None = None


COMMANDS = {
    "page": "build the page for the functions' addresses, and put it on Firebase Hosting",
    "rollback": "serve the last whole release before the present one",
    "check": "print what differs from the data, and what is no longer in it; exits with 1 if anything is",
    "rotate-signing-key": "make a new key; run again after an hour, delete the old one",
    "destroy": "remove everything but Firestore, buckets with objects, Firebase and the page, after asking",
}
OPTIONS = {
    "dry-run": ("", "print every gcloud command that an empty project needs, in order, and run none"),
    "replace-rules": ("", "let our rules of Firestore take the place of others"),
    "prune": ("check", "after asking, remove what is no longer in the data"),
    "leaked": ("rotate-signing-key", "delete the old key at once"),
}
"""Each with the command that it belongs to."""
USAGE = """\
usage: ./deploy.sh [COMMAND] [OPTION]... [--config FILE] [--SETTING VALUE]...

Without a command, everything is deployed. Commands:

{commands}

Options:

{options}
  --config FILE         read settings from FILE, lines of NAME=VALUE; by default from .env beside deploy.sh

A setting is a flag (--images-bucket VALUE) or a line of the file (IMAGES_BUCKET=VALUE); flags win. Defaults:

{settings}

The project, with billing, must be there already; what the run cannot make is listed in docs/deploying.md.
"""


def usage() -> str:
    settings = [
        f"  {one.name.upper():<22}  {'-' if one.default is MISSING else one.default:<17}  {one.metadata['what']}"
        for one in fields(Deployment)
    ]
    options = [
        f"  {f'--{name}':<20}  {f'with {command}: ' if command else ''}{what}"
        for name, (command, what) in OPTIONS.items()
    ]
    commands = [f"  {name:<20}  {what}" for name, what in COMMANDS.items()]
    return USAGE.format(settings="\n".join(settings), options="\n".join(options), commands="\n".join(commands))


def read_flags(arguments: Sequence[str]) -> Request:
    """Raises Refused."""
    command = arguments[0] if arguments and arguments[0] in COMMANDS else ""
    found: dict[str, str] = {}
    options: set[str] = set()
    remaining = iter(arguments[1:] if command else arguments)
    for argument in remaining:
        flag, equals, value = argument.partition("=")
        if argument == "--help":
            return Request(given={}, help=True)
        option = argument.removeprefix("--")
        if argument.startswith("--") and OPTIONS.get(option, (None,))[0] == command:
            options.add(option)
            continue
        name = flag.removeprefix("--").replace("-", "_")
        if not re.fullmatch("--[a-z][a-z-]*", flag) or name not in {"config", *_NAMES}:
            raise Refused(f"unknown flag {flag}{f' of {command}' if command else ''}: see --help")
        found[name] = value if equals else next(remaining, "")
        if not found[name] or found[name].startswith("--"):
            raise Refused(f"{flag} needs a value")
    config = found.pop("config", None)
    return Request(
        command=command, options=frozenset(options), given=found, config=Path(config) if config else None
    )


def read_config(file: Path) -> Iterator[tuple[str, str]]:
    """The settings in a file, by name. The file is data: nothing in it can run. Raises Refused."""
    try:
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError:
        raise Refused(f"cannot read the config file {file}") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise Refused(f"{file}, line {number} is not NAME=VALUE: {line}")
        name = match[1].lower()
        if match[1] != name.upper() or name not in _NAMES:
            raise Refused(f"{file}, line {number}: unknown setting {match[1]}")
        yield name, match[2].rstrip()


def settings_of(request: Request, default_config: Path) -> Deployment:
    """The settings from the flags, the config file and the defaults, in this order. Raises Refused."""
    config = request.config or (default_config if default_config.exists() else None)
    values = {**dict(read_config(config) if config else ()), **request.given}
    values = {name: value for name, value in values.items() if value}
    for one in fields(Deployment):
        if one.default is MISSING and one.name not in values:
            flag, name = one.name.replace("_", "-"), one.name.upper()
            raise Refused(f"{name} is not set: give --{flag} or put {name}=... into .env")
    return Deployment(**values)


_NAMES = frozenset(one.name for one in fields(Deployment))
