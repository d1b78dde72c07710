"""Nodes over TLS: verified against the authority that is named, and no other."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import grpc
import pytest

from reconciler.chain.node_address import NodeAddress, read_authorities
from reconciler.chain.node_errors import NodeError
from reconciler.chain.proto.market_v1beta5_pb2 import QueryOrdersRequest
from reconciler.chain.queries import ORDERS
from tests.api.certificates import DAY, Authority

Files = tuple[Path, Path]


@contextmanager
def rpc_over_tls(files: Files) -> Iterator[str]:
    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"result": {"answered": True}}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Server)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*files)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def grpc_over_tls(files: Files) -> Iterator[str]:
    class Handler(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in its stubs alone
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
            return grpc.unary_unary_rpc_method_handler(lambda _, __: b"")

    server = grpc.server(ThreadPoolExecutor(2))
    certificate, key = (each.read_bytes() for each in files)
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
    server.add_generic_rpc_handlers((Handler(),))
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


@pytest.mark.parametrize("trusted", [True, False])
def test_rpc_is_verified_against_the_configured_authority(tmp_path: Path, trusted: bool) -> None:
    authority = Authority(tmp_path)
    named = authority if trusted else Authority(tmp_path, "stranger")
    with rpc_over_tls(authority.issue("node")) as url:
        rpc = NodeAddress("", url, authorities=read_authorities(named.file)).rpc_client(2)
        if trusted:
            assert rpc.call("anything") == {"answered": True}
        else:
            with pytest.raises(NodeError, match="CERTIFICATE_VERIFY_FAILED"):
                rpc.call("anything")


def test_a_self_signed_node_is_refused_by_public_authorities(tmp_path: Path) -> None:
    with (
        rpc_over_tls(Authority(tmp_path).issue("node")) as url,
        pytest.raises(NodeError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        NodeAddress("", url).rpc_client(2).call("anything")


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with rpc_over_tls(authority.issue("node", -DAY)) as url, pytest.raises(NodeError, match="expired"):
        NodeAddress("", url, authorities=read_authorities(authority.file)).rpc_client(2).call("anything")


@pytest.mark.parametrize("trusted", [True, False])
def test_grpc_is_verified_against_the_configured_authority(tmp_path: Path, trusted: bool) -> None:
    authority = Authority(tmp_path)
    named = authority if trusted else Authority(tmp_path, "stranger")
    with grpc_over_tls(authority.issue("node")) as target:
        node = NodeAddress(target, "", True, read_authorities(named.file)).grpc_node(2)
        if trusted:
            node.call(ORDERS, QueryOrdersRequest())
        else:
            with pytest.raises(NodeError, match="does not answer"):
                node.call(ORDERS, QueryOrdersRequest())
        node.close()


def test_a_file_without_certificates_is_reported(tmp_path: Path) -> None:
    assert read_authorities(None) == ""
    for content in ("", "nothing of the kind"):
        (tmp_path / "ca.pem").write_text(content)
        with pytest.raises(ValueError, match=r"ca\.pem: contains no certificates"):
            read_authorities(tmp_path / "ca.pem")
    with pytest.raises(ValueError, match="No such file"):
        read_authorities(tmp_path / "missing.pem")
