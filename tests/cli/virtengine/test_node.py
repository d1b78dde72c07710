"""The node that the flags, the environment or the host file name, and errors of that node."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from reconciler.cli.lazy import USAGE_ERROR
from reconciler.cli.main import run_command
from reconciler.cli.virtengine.main import virtengine
from tests.cli.recorded_state import FIRST, World, people, recorded_world

PROVIDER, ALICE = people()["provider"].address, people()["alice"].address
LEASES = ["query", "market", "leases", "--provider", PROVIDER, "-o", "json"]
ID = ["--owner", ALICE, "--dseq", "404"]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = recorded_world()
    yield made
    made.close()


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@pytest.fixture
def host(world: World, tmp_path: Path) -> Path:
    """A host file that names the world's node."""
    file = tmp_path / "host.yaml"
    file.write_text(
        f"""\
repository:
  url: {tmp_path}/state.git
provider:
  name: local
chain:
  chain_id: virtengine-localnet-1
  grpc: {world.served.grpc_target}
  rpc: {world.served.rpc_url}
state: {tmp_path}/state
"""
    )
    return file


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_command(virtengine, arguments)
    out = capsys.readouterr()
    return code, out.out, out.err


def count(answer: str) -> int:
    return len(json.loads(answer)["leases"])


def test_the_host_file_names_the_node(
    host: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(capsys, *LEASES, "--host", str(host))
    assert (code, count(out)) == (0, 1)
    monkeypatch.setenv("PROVIDER_DAEMON_HOST", str(host))
    code, out, _ = run(capsys, "status")
    assert (code, json.loads(out)["node_info"]["network"]) == (0, "virtengine-localnet-1")


@pytest.mark.parametrize("scheme", ["tcp://", "http://", ""])
def test_a_node_address_takes_any_scheme(
    world: World, capsys: pytest.CaptureFixture[str], scheme: str
) -> None:
    address = world.served.rpc_url.removeprefix("http://")
    code, out, _ = run(capsys, *LEASES, "--node", f"{scheme}{address}")
    assert (code, count(out)) == (0, 1)


def test_the_environment_names_the_node(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VE_NODE", world.served.rpc_url)
    monkeypatch.setenv("VE_OUTPUT", "json")
    code, out, _ = run(capsys, *LEASES[:-2])
    assert (code, count(out)) == (0, 1)


def test_a_missing_host_file_is_an_error_that_names_the_flags(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *LEASES, "--host", str(tmp_path / "none.yaml"))
    assert (code, out) == (1, "")
    assert err.startswith(f"error: the host file {tmp_path}/none.yaml cannot be read: No such file")
    assert err.endswith("or name the node with --node tcp://HOST:26657 or --grpc-addr HOST:9090\n")


@pytest.mark.parametrize("way", ["gRPC", "RPC"])
@pytest.mark.parametrize(
    ("arguments", "about", "words"),
    [
        (["market", "order", "get", *ID], f"order {ALICE}/404/1/1", "invalid order: order not found"),
        (
            ["market", "bid", "get", *ID, "--provider", PROVIDER],
            f"bid {ALICE}/404/1/1/{PROVIDER}",
            "invalid bid: bid not found",
        ),
        (
            ["market", "lease", "get", *ID, "--provider", PROVIDER],
            f"lease {ALICE}/404/1/1/{PROVIDER}",
            "invalid lease: lease not found",
        ),
        (["provider", "get", ALICE], f"provider {ALICE}", "invalid provider: address not found"),
    ],
)
def test_an_unknown_object_prints_the_chains_message(
    world: World, capsys: pytest.CaptureFixture[str], arguments: list[str], about: str, words: str, way: str
) -> None:
    node = world.by_grpc if way == "gRPC" else world.by_rpc
    assert run(capsys, "query", *arguments, *node) == (1, "", f"error: {about}: the chain says: {words}\n")


@pytest.mark.parametrize("way", ["gRPC", "RPC"])
def test_a_malformed_address_prints_the_chains_message(
    world: World, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    node = world.by_grpc if way == "gRPC" else world.by_rpc
    for arguments in (["market", "leases", "--provider", "ve1nonsense"], ["bank", "balances", "nonsense"]):
        code, out, err = run(capsys, "query", *arguments, *node)
        assert (code, out) == (1, "")
        assert "the chain says: " in err
        assert "decoding bech32 failed" in err
        assert "rpc error" not in err


def test_get_prints_the_row_of_the_list(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    which = ["--owner", ALICE, "--dseq", str(FIRST), "--provider", PROVIDER, "-o", "json", *world.by_grpc]
    for name in ("lease", "bid"):
        code, one, _ = run(capsys, "query", "market", name, "get", *which)
        _, rows, _ = run(capsys, "q", "market", name, "list", *which)
        assert code == 0
        assert [json.loads(one)] == json.loads(rows)[f"{name}s"]


REFUSED = "does not answer: [Errno 111] Connection refused; check that the node runs and is reachable"


def test_an_unreachable_node_is_an_error(closed_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"127.0.0.1:{closed_port}"
    code, out, err = run(capsys, *LEASES, "--node", address)
    assert (code, out, err) == (
        1,
        "",
        f"error: leases: http://{address} {REFUSED}\n",
    )
    code, out, err = run(capsys, *LEASES, "--grpc-addr", address, "--grpc-insecure")
    assert (code, out) == (1, "")
    assert err.startswith(
        f"error: leases: {address} does not answer /cosmos.base.node.v1beta1.Service/Status"
    )
    assert run(capsys, "status", "--node", address)[0] == 1


def test_tls_on_a_plain_port_names_the_flag_to_add(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, *LEASES, "--grpc-addr", world.served.grpc_target)
    assert code == 1
    assert err.endswith("; it was contacted with TLS: for a port without TLS add --grpc-insecure\n")


@pytest.mark.parametrize("height", ["404", "99999999999999999999999999"])
def test_a_future_height_is_an_error(world: World, capsys: pytest.CaptureFixture[str], height: str) -> None:
    for node in (world.by_grpc, world.by_rpc):
        code, out, err = run(capsys, *LEASES, "--height", height, *node)
        assert (code, out) == (1, "") or code == USAGE_ERROR
        assert err
        assert "Traceback" not in err


@pytest.mark.parametrize(
    "node", ["ftp://host:26657", "tcp://", "tcp://host:nonsense", "tcp://host:99999999", "http://[::1"]
)
def test_a_malformed_node_address_is_a_usage_error(capsys: pytest.CaptureFixture[str], node: str) -> None:
    code, _, err = run(capsys, *LEASES, "--node", node)
    assert code == USAGE_ERROR
    assert f"--node {node} is not an RPC address; write tcp://HOST:26657" in err


class _InvalidServer(BaseHTTPRequestHandler):
    """A server that is not a node."""

    answer = b"{}"

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its base's word
        """Silence."""


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"result": {"response": {"code": 0, "value": "not base64"}}}',
        b'{"result": {"response": {"code": "x"}}}',
        b'{"result": {"response": {"code": 0, "value": "////"}}}',
        b'{"result": {"response": []}}',
    ],
)
def test_an_invalid_response_is_an_error(capsys: pytest.CaptureFixture[str], answer: bytes) -> None:
    handler = type("InvalidServer", (_InvalidServer,), {"answer": answer})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        code, out, err = run(capsys, *LEASES, "--node", f"127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
    assert (code, out) == (1, "")
    address = f"http://127.0.0.1:{server.server_port}"
    assert err.startswith(f"error: leases: {address} sent an ")
