"""Ports that are taken or open to others are sentences; stopping gives them back."""

from __future__ import annotations

import socket

import pytest

from reconciler.serve.api import Api
from reconciler.serve.board import Board
from reconciler.serve.logs import LogDesk
from reconciler.serve.server import ServeError, start_servers
from reconciler.values.listening import Listen
from tests.serve.asking import ask
from tests.serve.conftest import ANY, two_lines
from tests.serve.worlds import FULL, NOON


def api() -> Api:
    """An API over the full snapshot."""
    return Api(Board(FULL), LogDesk(two_lines), lambda: NOON)


def test_a_port_that_is_taken_says_which_and_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServeError) as caught:
            start_servers(api(), ANY, Listen("127.0.0.1", port))
    assert str(caught.value) == (
        f"the metrics cannot listen on 127.0.0.1:{port}: Address already in use; stop what uses the port "
        "(ss -ltnp shows it), or set listen.metrics in the host file"
    )


def test_a_failed_start_gives_the_other_port_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ServeError):
        start_servers(api(), Listen("127.0.0.1", free), Listen("127.0.0.1", other.getsockname()[1]))
    servers = start_servers(api(), Listen("127.0.0.1", free), ANY)
    servers.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.7.7", "provider.example.org"])
def test_addresses_that_others_reach_are_refused(host: str) -> None:
    with pytest.raises(ServeError, match=r"reached by others at .*; set listen.api in the host file to 127"):
        start_servers(api(), Listen(host, 8443), ANY)


def test_stopping_gives_the_ports_back_and_may_be_said_twice() -> None:
    first = start_servers(api(), ANY, ANY)
    ports = first.ports
    assert ask(ports.api, "/healthz").code == 200
    first.stop()
    first.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(ports.api, "/healthz")
    again = start_servers(api(), ports.api, ports.metrics)
    assert ask(again.ports.metrics, "/metrics").code == 200
    again.stop()


def test_ipv6_loopback_is_good() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    servers = start_servers(api(), Listen("::1", 0), ANY)
    assert ask(servers.ports.api, "/healthz").code == 200
    servers.stop()
