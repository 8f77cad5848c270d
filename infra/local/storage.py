"""Cloud Storage for the local cloud: gcp-storage-emulator, plus features that it lacks.

Adds parallel requests, CORS, HEAD, caching, every form of Range, preconditions, object versions, soft delete of
them, paged listings, notifications, signed URLs that are required, verified and expire, and an export.
https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.server import Request, RequestHandler, Router, _read_raw_data

from infra.local import caching, json_api, signatures
from infra.local.notifications import Notifications, finalized
from infra.local.objects import VersionedStorage
from infra.local.ports import HOST
from infra.local.servers import Server

EXPORT = "/storage/export"
"""Writes an export to the file named at start. The real service has no such request."""
_XML_OBJECT = re.compile(r"/(?!storage/|upload/|download/|batch/|b/)(?P<bucket>[^/]+)/(?P<name>.+)")


class Handler(RequestHandler):  # type: ignore[misc]  # untyped
    """One request. The storage is locked while it is accessed, but never during socket I/O."""

    lock = threading.Lock()
    protocol_version = "HTTP/1.1"
    """Connections stay open, as the real service keeps them."""
    rfile: Any
    wfile: Any
    shown: Mapping[str, Any] | None = None

    def __init__(self, storage: VersionedStorage, keys: Mapping[str, str], *args: Any) -> None:
        self.keys = keys
        super().__init__(storage, *args)

    def do_OPTIONS(self) -> None:
        self.close_connection = True  # a body would not have been read
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Methods", "GET, HEAD, PUT, OPTIONS")
        self.send_header("Access-Control-Allow-Headers", "*")
        self.send_header("Access-Control-Expose-Headers", "*")
        for name, value in (caching.headers(self.shown) if self.shown else {}).items():
            self.send_header(name, value)
        super().end_headers()
        if self.command == "HEAD":
            self.wfile = io.BytesIO()  # swallows the body

    def _serve(self) -> None:
        connection = self.rfile, self.wfile
        self._read_body()
        answer = self._carried_out()
        self.rfile, self.wfile = connection
        self.wfile.write(answer)

    def _carried_out(self) -> bytes:
        """Carry out the request and return the response."""
        method = "GET" if self.command == "HEAD" else self.command
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.wfile = answer = io.BytesIO()
        with self.lock:
            self.shown = self._shown(method, url.path)
            refusal = self._refusal(url.path, query) or self._range_problem()
            if refusal is not None:
                self.shown = None
                self._refuse(*refusal)
            elif not self._answered(method, url.path, query):
                Router(self).handle(method)
        return answer.getvalue()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _read_body(self) -> None:
        body = _read_raw_data(self) or b""
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True  # the end of the body is not read
        del self.headers["Transfer-Encoding"], self.headers["Content-Length"]
        if body:
            self.headers["Content-Length"] = str(len(body))
        self.rfile = io.BytesIO(body)

    def _refusal(self, path: str, query: dict[str, str]) -> tuple[int, str, str] | None:
        if _XML_OBJECT.fullmatch(path):
            return signatures.refusal(self.command, self.path, self.headers, self.keys, datetime.now(UTC))
        wanted = query.get("ifGenerationMatch")
        target = self._target(path, query) if wanted is not None else None
        if target and self.storage.generation(*target) != wanted:
            return 412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."
        return None

    def _shown(self, method: str, path: str) -> Mapping[str, Any] | None:
        """The metadata of the object that a signed URL asks for."""
        match = _XML_OBJECT.fullmatch(path) if method == "GET" else None
        found: Mapping[str, Any] | None = None
        if match:
            found = self.storage.objects.get(match["bucket"], {}).get(unquote(match["name"]))
        return found

    def _range_problem(self) -> tuple[int, str, str] | None:
        """Rewrite a Range to the one form that the emulator reads correctly; refuse one starting past the end."""
        asked = self.headers.get("Range")
        if asked is None or self.shown is None:
            return None
        size = int(self.shown["size"])
        form = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", asked)
        first, last = (form[1], form[2]) if form else ("", "")
        del self.headers["Range"]
        if first == "" and last:
            first, last = str(max(0, size - int(last))), ""
        if first == "" or (last and int(last) < int(first)):
            return None
        if int(first) >= size:
            return 416, "requestedRangeNotSatisfiable", f"The object has {size} bytes."
        self.headers["Range"] = f"bytes={first}-{last}"
        return None

    def _target(self, path: str, query: dict[str, str]) -> tuple[str, str] | None:
        if target := json_api.target(path):
            return target
        if bucket := json_api.uploaded_to(path):
            name = query.get("name")
            if name is None:
                data = Request(self, "POST").data
                self.rfile.seek(0)
                name = data.get("meta", data).get("name") if isinstance(data, dict) else None
            return (bucket, name) if name else None
        return None

    def _answered(self, method: str, path: str, query: dict[str, str]) -> bool:
        """Handle a request that the emulator does not know, or not well enough. Returns whether it was one."""
        if self.shown and caching.is_current(self.shown, self.headers.get("If-None-Match")):
            self.send_response(304)
            self.end_headers()
            return True
        if (method, path) == ("POST", EXPORT) and self.storage.exported_to:
            self.storage.export()
            self._write(200, {})
            return True
        try:
            answer = json_api.answer(self.storage, method, path, query)
        except NotFound:
            self._refuse(404, "notFound", "No such object.")
        except ValueError:
            self._refuse(400, "invalid", "A parameter is malformed, missing, or does not go with another.")
        else:
            if answer is None:
                return False
            self._write(*answer)
        return True

    def _refuse(self, status: int, reason: str, message: str) -> None:
        error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
        self._write(status, {"error": error})

    def _write(self, status: int, body: object) -> None:
        self.send_response(status)
        if status == HTTPStatus.NO_CONTENT:
            self.end_headers()
            return
        content = json.dumps(body).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def server(
    port: int,
    storage: VersionedStorage,
    keys: Mapping[str, str] | None = None,
    handler: Callable[..., Handler] = Handler,
) -> Server:
    """Cloud Storage on `port`, not started yet. `keys` are the HMAC keys of those who may sign: id and secret."""
    for name in ("gcp_storage_emulator", "api"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return Server((HOST, port), partial(handler, storage, keys or {}))


def notified(topic: str, pubsub: str) -> tuple[VersionedStorage, Notifications]:
    """A storage that announces new objects to `topic`, at the Pub/Sub emulator on that host."""
    notifications = Notifications(topic, pubsub)
    return VersionedStorage(lambda *new: notifications.send(finalized(*new))), notifications


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--notify-topic", help="projects/P/topics/T, at PUBSUB_EMULATOR_HOST; none by default")
    parser.add_argument("--export-to", type=Path, metavar="FILE", help=f"what POST {EXPORT} writes")
    parser.add_argument("--load", type=Path, metavar="FILE", help="begin with what was exported")
    options = parser.parse_args()
    keys = dict([os.environ["SIGNING_KEY"].split(":", 1)]) if "SIGNING_KEY" in os.environ else {}
    storage = VersionedStorage()
    if options.notify_topic:
        storage, _ = notified(options.notify_topic, os.environ["PUBSUB_EMULATOR_HOST"])
    storage.exported_to = options.export_to
    if options.load:
        storage.load(options.load)
    server(options.port, storage, keys).serve_forever()


if __name__ == "__main__":
    main()
