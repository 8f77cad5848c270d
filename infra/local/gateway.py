"""One origin in front of the functions: routes the paths of the API to them and rewrites nothing else."""

from __future__ import annotations

import argparse
import http.client
import json
import re
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler

from infra.local.servers import Server

_ROUTES = (
    (re.compile(r".*/jobs/[^/]*/thumbnails"), "get_thumbnails"),
    (re.compile(r".*/jobs/[^/]*/output"), "get_output"),
)
_ONE_JOB = re.compile(r".*/jobs/[^/]*")
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
_SECONDS = 60


def function_for(method: str, path: str, wanted_method: str | None) -> str:
    """The function that a request goes to. `wanted_method` is what a preflight asks for.

    What is no path of the API goes to list_jobs, which answers that there is nothing.
    """
    path = path.partition("?")[0]
    for pattern, function in _ROUTES:
        if pattern.fullmatch(path):
            return function
    if _ONE_JOB.fullmatch(path) and "DELETE" in (method, wanted_method):
        return "delete_job"
    return "list_jobs"


class _Function(http.client.HTTPConnection):
    """Sends a path on as it came. The hostile ones are the functions' to refuse."""

    def _validate_path(self, url: str) -> None:
        """Accept it."""

    def _encode_request(self, request: str) -> bytes:
        return request.encode("latin-1")


class Gateway(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS

    def __init__(self, functions: Mapping[str, int], *arguments: object) -> None:
        self._functions = functions
        super().__init__(*arguments)  # type: ignore[arg-type]  # what socketserver passes

    def _forward(self) -> None:
        function = function_for(self.command, self.path, self.headers.get("Access-Control-Request-Method"))
        length = self.headers.get("Content-Length") or "0"
        if not re.fullmatch(r"[0-9]{1,7}", length) or "Transfer-Encoding" in self.headers:
            # The API takes no bodies. One that is too large, or ends who knows where, is not waited for.
            self.close_connection = True
            length = "0"
        body = self.rfile.read(int(length))
        connection = _Function("127.0.0.1", self._functions[function], timeout=_SECONDS)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in (*_HOP_BY_HOP, "content-length"):
                    connection.putheader(name, value)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._bad_gateway(function, error)
            return
        finally:
            connection.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _forward

    def _bad_gateway(self, function: str, error: Exception) -> None:
        problem = {"type": "about:blank", "title": "Bad gateway", "status": 502}
        content = json.dumps({**problem, "detail": f"{function} does not answer: {error}"}).encode()
        self.send_response_only(502)
        self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: each function logs its requests."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("functions", nargs="+", metavar="FUNCTION=PORT")
    arguments = parser.parse_args()
    pairs = (pair.split("=") for pair in arguments.functions)
    functions = {name: int(port) for name, port in pairs}
    Server(("127.0.0.1", arguments.port), partial(Gateway, functions)).serve_forever()


if __name__ == "__main__":
    main()
