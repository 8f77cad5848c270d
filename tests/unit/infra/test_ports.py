"""Ports for several stacks at once."""

from __future__ import annotations

import errno
import socket
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from infra.local import ports


def test_servers_can_listen_at_free_ports() -> None:
    for port in ports.any_free(["one", "two"]).values():
        assert not ports.answers(port)
        with HTTPServer((ports.HOST, port), BaseHTTPRequestHandler):
            assert ports.answers(port)
        with HTTPServer((ports.HOST, port), BaseHTTPRequestHandler):  # and again after a restart
            assert ports.answers(port)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux lets servers listen at a port that is kept.")
def test_nothing_else_gets_a_free_port_before_its_server_listens() -> None:
    (port,) = ports.any_free(["one"]).values()
    with socket.socket() as other:
        with pytest.raises(OSError, match="in use") as refused:
            other.bind((ports.HOST, port))
        assert refused.value.errno == errno.EADDRINUSE


def test_a_port_that_is_taken_is_not_free() -> None:
    with socket.create_server((ports.HOST, 0)) as server:
        first = server.getsockname()[1]
        with pytest.raises(ports.PortTaken, match=f"port {first} \\(for one\\) is taken"):
            ports.consecutive(["one"], first)
