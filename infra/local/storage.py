"""Cloud Storage for the local cloud: gcp-storage-emulator, and what it lacks of the real thing.

Added here: requests side by side, CORS, HEAD, every form of Range, preconditions, object versions, and signed URLs
that are needed and that expire. https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import re
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.server import Request, RequestHandler, Router, _read_raw_data
from gcp_storage_emulator.storage import Storage

from infra.local.servers import Server

_JSON_OBJECT = re.compile(r"(?:/storage/v1)?/b/(?P<bucket>[^/]+)/o/(?P<name>[^/]+)")
_JSON_LIST = re.compile(r"(?:/storage/v1)?/b/(?P<bucket>[^/]+)/o")
_UPLOAD = re.compile(r"/upload/storage/v1/b/(?P<bucket>[^/]+)/o")
_XML_OBJECT = re.compile(r"/(?!storage/|upload/|download/|batch/|b/)(?P<bucket>[^/]+)/(?P<name>.+)")


class VersionedStorage(Storage):  # type: ignore[misc]  # untyped
    """In memory, with the older generations of objects in buckets that have versioning."""

    def __init__(self) -> None:
        super().__init__(use_memory_fs=True)
        self.noncurrent: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}

    def _write_config_to_file(self) -> None:
        """Write nothing: there is no file to read it from, and it grows with all that ever was."""

    def create_file(self, bucket: str, name: str, content: bytes, obj: Any, file_id: Any = None) -> None:
        self._keep_current(bucket, name)
        super().create_file(bucket, name, content, obj, file_id)

    def generation(self, bucket: str, name: str) -> str:
        """The live generation; "0" where there is none."""
        return str(self.objects.get(bucket, {}).get(name, {}).get("generation", "0"))

    def versions(self, bucket: str, prefix: str) -> list[dict[str, Any]]:
        if bucket not in self.buckets:
            raise NotFound
        found = [obj for name, obj in self.objects.get(bucket, {}).items() if name.startswith(prefix)]
        for (in_bucket, name), generations in self.noncurrent.items():
            if in_bucket == bucket and name.startswith(prefix):
                found.extend(generations.values())
        return sorted(found, key=lambda obj: (obj["name"], int(obj["generation"])))

    def delete_generation(self, bucket: str, name: str, generation: str | None) -> None:
        """Delete one generation for good; without a number, the live one gives way as the bucket has it."""
        if generation is not None and generation != self.generation(bucket, name):
            if self.noncurrent.get((bucket, name), {}).pop(generation, None) is None:
                raise NotFound
            return
        if generation is None:
            self._keep_current(bucket, name)
        self.delete_file(bucket, name)

    def _keep_current(self, bucket: str, name: str) -> None:
        current = self.objects.get(bucket, {}).get(name)
        versioning = (self.buckets.get(bucket) or {}).get("versioning") or {}
        if current is not None and versioning.get("enabled"):
            self.noncurrent.setdefault((bucket, name), {})[str(current["generation"])] = current


class Handler(RequestHandler):  # type: ignore[misc]  # untyped
    """One request. The storage is locked while it is looked at, but never while a socket is waited for."""

    lock = threading.Lock()

    def do_OPTIONS(self) -> None:
        self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Methods", "GET, HEAD, PUT, OPTIONS")
        self.send_header("Access-Control-Allow-Headers", "*")
        self.send_header("Access-Control-Expose-Headers", "*")
        super().end_headers()
        if self.command == "HEAD":
            self.wfile = io.BytesIO()  # swallows the body

    def _serve(self) -> None:
        method = "GET" if self.command == "HEAD" else self.command
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        socket, answer = self.wfile, io.BytesIO()
        self._read_body()
        self.wfile = answer
        with self.lock:
            refusal = self._refusal(url.path, query) or self._range_problem(url.path)
            if refusal is not None:
                self._refuse(*refusal)
            elif not self._versioned(method, url.path, query):
                Router(self).handle(method)
        self.wfile = socket
        socket.write(answer.getvalue())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _read_body(self) -> None:
        body = _read_raw_data(self) or b""
        del self.headers["Transfer-Encoding"], self.headers["Content-Length"]
        if body:
            self.headers["Content-Length"] = str(len(body))
        self.rfile = io.BytesIO(body)

    def _refusal(self, path: str, query: dict[str, str]) -> tuple[int, str, str] | None:
        if _XML_OBJECT.fullmatch(path):
            return _signature_problem(query)
        wanted = query.get("ifGenerationMatch")
        target = self._target(path, query) if wanted is not None else None
        if target and self.storage.generation(*target) != wanted:
            return 412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."
        return None

    def _range_problem(self, path: str) -> tuple[int, str, str] | None:
        """Bring a Range into the one form that the emulator reads aright, and refuse one that begins too late."""
        asked = self.headers.get("Range")
        match = _XML_OBJECT.fullmatch(path)
        if asked is None or match is None:
            return None
        found = self.storage.objects.get(match["bucket"], {}).get(unquote(match["name"]))
        if found is None:
            return None
        size = int(found["size"])
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
        if match := _JSON_OBJECT.fullmatch(path):
            return match["bucket"], unquote(match["name"])
        if match := _UPLOAD.fullmatch(path):
            name = query.get("name")
            if name is None:
                data = Request(self, "POST").data
                self.rfile.seek(0)
                name = data.get("meta", data).get("name") if isinstance(data, dict) else None
            return (match["bucket"], name) if name else None
        return None

    def _versioned(self, method: str, path: str, query: dict[str, str]) -> bool:
        """Answer what has to do with generations, which the emulator knows nothing of."""
        all_versions = query.get("versions", "").lower() == "true"
        try:
            if method == "GET" and all_versions and (match := _JSON_LIST.fullmatch(path)):
                self._write(200, {"items": self.storage.versions(match["bucket"], query.get("prefix", ""))})
                return True
            if method == "DELETE" and (match := _JSON_OBJECT.fullmatch(path)):
                name = unquote(match["name"])
                self.storage.delete_generation(match["bucket"], name, query.get("generation"))
                self.send_response(204)
                self.end_headers()
                return True
        except NotFound:
            self._refuse(404, "notFound", "No such object.")
            return True
        return False

    def _refuse(self, status: int, reason: str, message: str) -> None:
        error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
        self._write(status, {"error": error})

    def _write(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _signature_problem(query: dict[str, str]) -> tuple[int, str, str] | None:
    """Why a request for an object's address is refused. The signature itself is not looked at."""
    if "X-Goog-Signature" not in query:
        return 403, "AccessDenied", "Anonymous caller does not have storage.objects.get access."
    try:
        begins = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        ends = begins + timedelta(seconds=int(query["X-Goog-Expires"]))
    except (KeyError, ValueError):
        return 400, "AuthenticationRequired", "X-Goog-Date or X-Goog-Expires is missing or malformed."
    # Up to a quarter of an hour of a differing clock is let pass.
    if not begins - timedelta(minutes=15) <= datetime.now(UTC) < ends:
        return 400, "ExpiredToken", "The provided token has expired."
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    logging.getLogger("gcp_storage_emulator").setLevel(logging.ERROR)
    logging.getLogger("api").setLevel(logging.ERROR)
    Server(("127.0.0.1", port), partial(Handler, VersionedStorage())).serve_forever()


if __name__ == "__main__":
    main()
