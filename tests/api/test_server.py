"""Binding and releasing of ports."""

from __future__ import annotations

import socket

import pytest

from reconciler.api.server import ServeError
from reconciler.values.listen_address import ListenAddress
from tests.api.fake_sources import serve
from tests.api.http_client import http_request


def test_a_port_in_use_is_an_error_with_advice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServeError) as caught:
            serve(metrics=ListenAddress("127.0.0.1", port))
    assert str(caught.value) == (
        f"the metrics cannot listen on 127.0.0.1:{port}: Address already in use; stop what uses the port "
        "(ss -ltnp shows it), or set listen.metrics in the host file"
    )


def test_a_failed_start_releases_the_other_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = ListenAddress("127.0.0.1", probe.getsockname()[1])
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ServeError):
        serve(api=free, metrics=ListenAddress("127.0.0.1", other.getsockname()[1]))
    serve(api=free).stop()


def test_stopping_releases_the_ports_and_is_idempotent() -> None:
    first = serve()
    ports = first.ports
    assert http_request(ports.api, "/healthz").code == 200
    first.stop()
    first.stop()
    with pytest.raises(ConnectionRefusedError):
        http_request(ports.api, "/healthz")
    again = serve(api=ports.api, metrics=ports.metrics)
    assert http_request(again.ports.metrics, "/metrics").code == 200
    again.stop()


def test_ipv6_loopback() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    servers = serve(api=ListenAddress("::1", 0))
    assert http_request(servers.ports.api, "/healthz").code == 200
    servers.stop()


def test_a_host_name_that_does_not_resolve_is_an_error() -> None:
    with pytest.raises(ServeError, match=r"the HTTP API cannot listen on nowhere\.invalid:8443|reachable at"):
        serve(api=ListenAddress("nowhere.invalid", 8443))
