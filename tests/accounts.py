"""What a function's account may do by the table of functions, enforced where a test lets the function run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from google.api_core.exceptions import Forbidden
from google.cloud import storage

from infra.functions import Function, Role, table
from shared.jobs.job import PictureKind
from shared.publishing.dead_letters import Letter
from shared.settings import Settings
from tests.fakes import FakePublisher

_GET, _LIST, _CREATE = "storage.objects.get", "storage.objects.list", "storage.objects.create"
_DELETE, _RESTORE, _BUCKET = "storage.objects.delete", "storage.objects.restore", "storage.buckets.get"
PREDEFINED = {
    "roles/storage.objectViewer": frozenset({_GET, _LIST}),
    "roles/storage.legacyObjectReader": frozenset({_GET}),
}
"""What of it concerns this product: https://cloud.google.com/storage/docs/access-control/iam-roles"""
_PATH = re.compile(
    r"(?P<kind>/upload|/download)?/storage/v1/b/(?P<bucket>[^/]+)(/o(/(?P<name>[^/]+)(?P<verb>/restore)?)?)?"
)


def permissions(role: str) -> frozenset[str]:
    """Of a role on a bucket. Raises KeyError for one that is not known here."""
    custom = table().custom_roles
    return custom[role].permissions if role in custom else PREDEFINED[role]


def needed(method: str, url: str, *, is_there: bool) -> set[str]:
    """What a request to Cloud Storage takes: https://cloud.google.com/storage/docs/access-control/iam-json

    `is_there` is whether there is what it reads, or a live object of the name that it writes; a precondition
    changes nothing. Who may not list is answered 403 and not 404 if there is none.
    """
    parts = urlsplit(url)
    path = _PATH.fullmatch(parts.path)
    assert path, f"{method} {parts.path} is known to nobody here"
    replaced = {_DELETE} if is_there else set()
    match method, path["kind"], path["name"] is not None, path["verb"]:
        case "POST", "/upload", False, None:
            return {_CREATE} | replaced
        case "POST", None, True, "/restore":
            return {_CREATE, _RESTORE} | replaced
        case "DELETE", None, True, None:
            return {_DELETE}
        case "GET", _, True, None:
            return {_GET} if is_there else {_GET, _LIST}
        case "GET", None, False, None:
            return {_LIST} if parts.path.endswith("/o") else {_BUCKET}
    raise AssertionError(f"{method} {parts.path} is known to nobody here")


class StorageAs:
    """Has a client of Cloud Storage refuse what the function's account may not do."""

    def __init__(
        self, function: Function, client: storage.Client, settings: Settings, used: set[str], refused: list[str]
    ) -> None:
        """What the client does is added to one of the latter two: permissions to `used`."""
        self._used, self._refused = used, refused
        self._function = function
        self._settings = settings
        session: Any = client._http
        self._send: Callable[..., Any] = session.request
        session.request = self._request

    def _request(self, method: str, url: str, *others: Any, **options: Any) -> Any:
        parts = urlsplit(url)
        path = _PATH.fullmatch(parts.path)
        assert path
        name = unquote(path["name"]) if path["name"] else _uploaded(options.get("data"))
        live = f"{parts.scheme}://{parts.netloc}/storage/v1/b/{path['bucket']}/o/{quote(name, safe='')}"
        looked_at = url if method == "GET" else live
        is_there = bool(name) and self._send("GET", looked_at).status_code != 404
        needs = needed(method, url, is_there=is_there)
        if lacking := ", ".join(sorted(needs - self._granted(path["bucket"], name))):
            self._refused.append(f"{method} {parts.path}: {lacking}")
            raise Forbidden(f"no {lacking}")
        self._used |= needs
        return self._send(method, url, *others, **options)

    def _granted(self, bucket: str, name: str) -> set[str]:
        places = {"buckets"} if bucket in self._settings.buckets else set()
        if bucket == self._settings.outputs_bucket:
            places.add("outputs")
        if places and name.endswith(tuple(f"/{kind.object_name}" for kind in PictureKind)):
            places.add("pictures")
        roles = [role.name for role in self._function.roles if role.on in places]
        return {one for role in roles for one in permissions(role)}


def _uploaded(body: bytes | None) -> str:
    """The name of the object in an upload of several parts, whose first part describes it."""
    found = re.search(rb'"name": "([^"]+)"', body or b"")
    assert found or not body, "an upload names its object"
    return found[1].decode() if found else ""


class TopicAs(FakePublisher):
    """A topic that refuses what the function's account may not publish."""

    def __init__(self, function: Function, topic: str, used: set[str], refused: list[str]) -> None:
        """`topic` is one of infra.functions.TOPICS. Each attempt is added to `used` or `refused`."""
        super().__init__()
        self._is_allowed = Role("roles/pubsub.publisher", topic) in function.roles
        self._topic, self._used, self._refused = topic, used, refused

    def publish(self, event: Any) -> str:
        self._check()
        return super().publish(event)

    def publish_all(self, events: Sequence[Any]) -> list[Any]:
        self._check()
        return super().publish_all(events)

    def forward(self, letter: Letter, attributes: Mapping[str, str]) -> None:
        self._check()
        super().forward(letter, attributes)

    def _check(self) -> None:
        if not self._is_allowed:
            self._refused.append(f"publish to {self._topic}")
            raise Forbidden(f"no pubsub.topics.publish on {self._topic}")
        self._used.add(self._topic)
