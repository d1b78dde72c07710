"""The node to query, by gRPC or by its RPC, as the flags of a command or the host file name it."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import click
from google.protobuf.message import DecodeError, Message

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_address import ChainSettings
from reconciler.chain.node_errors import NodeError, NodeRefusedError
from reconciler.chain.proto import cosmos_node_pb2
from reconciler.chain.rpc import Rpc
from reconciler.chain.stubs import Unary, unary
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option, options, settings_of
from reconciler.cli.virtengine.output import print_answer
from reconciler.settings import SettingsError

STATUS = unary(
    "cosmos.base.node.v1beta1.Service", cosmos_node_pb2.StatusRequest, cosmos_node_pb2.StatusResponse
)

SDK_STATUS = {18: ("INVALID_ARGUMENT", ": invalid request"), 22: ("NOT_FOUND", ": key not found")}
"""gRPC's statuses by abci_query's codes, and the words that the SDK appends to the chain's message."""

_PREFIX = re.compile(r"^(rpc error: code = \w+ desc = |codespace \w+ code \d+: )+")
"""What gRPC and the SDK put before the chain's message."""

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class Connection(Protocol):
    """A connection to a node."""

    def call(self, method: Unary[Request, Response], request: Request, height: int = 0) -> Response: ...
    def close(self) -> None: ...


class RpcConnection:
    """gRPC's methods over a node's RPC, by `abci_query`."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def call(self, method: Unary[Request, Response], request: Request, height: int = 0) -> Response:
        """The response as of `height` (0: the newest); NodeRefusedError if the node refuses the request."""
        parameters = {"path": method.path, "data": request.SerializeToString().hex(), "height": str(height)}
        result = self._rpc.call("abci_query", parameters)
        try:
            answer = result["response"]
            code, log, value = int(answer.get("code") or 0), str(answer.get("log") or ""), answer.get("value")
            if code:
                status, suffix = SDK_STATUS.get(code, (str(code), ""))
                raise NodeRefusedError(method.path, status, log.removesuffix(suffix))
            return method.response.FromString(b64decode(value or ""))
        except (KeyError, TypeError, AttributeError, ValueError, DecodeError) as error:
            raise NodeError(f"{self._rpc.url} sent an invalid abci_query response: {error}") from error

    def close(self) -> None:
        """Nothing is open between calls."""


@dataclass(frozen=True, slots=True)
class NodeConnection:
    """A node, queried at one height; 0: the newest, each time."""

    connection: Connection
    height: int

    def query(self, method: Unary[Request, Response], request: Request) -> Response:
        """The response; NodeError if there is none."""
        return self.connection.call(method, request, self.height)

    def pinned(self, height: int = 0) -> NodeConnection:
        """The same at `height`, else at its own, else at the newest, for a list of several pages."""
        if found := height or self.height:
            return NodeConnection(self.connection, found)
        newest = self.connection.call(STATUS, cosmos_node_pb2.StatusRequest()).height
        return NodeConnection(self.connection, newest)


@dataclass(frozen=True, slots=True)
class QueryTarget:
    """The flags that name the node and the height."""

    node: str | None
    grpc_addr: str | None
    grpc_insecure: bool
    host: Path | None
    height: int

    @classmethod
    def from_flags(cls, flags: dict[str, Any]) -> QueryTarget:
        """Remove the flags from a command's keywords."""
        return cls(**{field.name: flags.pop(field.name) for field in fields(cls)})

    @contextmanager
    def connect(self, subject: str) -> Iterator[NodeConnection]:
        """The node, for a query about `subject`; CliError names it if the query fails."""
        connection = self._connection()
        try:
            yield NodeConnection(connection, self.height)
        except NodeRefusedError as error:
            message = _PREFIX.sub("", error.text or error.status)
            raise CliError(f"error: {subject}: the chain says: {message}") from None
        except NodeError as error:
            advice = "; it was contacted with TLS: for a port without TLS add --grpc-insecure"
            tls = self.grpc_addr and not self.grpc_insecure
            raise CliError(f"error: {subject}: {error}{advice if tls else ''}") from None
        finally:
            connection.close()

    def _connection(self) -> Connection:
        if self.grpc_addr:
            return GrpcNode(self.grpc_addr, None if self.grpc_insecure else b"")
        if self.node:
            return RpcConnection(_rpc_at(self.node))
        return _chain_settings(self.host).node.grpc_node()


node_option = click.option(
    "--node",
    envvar="VE_NODE",
    metavar="tcp://HOST:PORT",
    help="The node's RPC address, tcp:// or http(s)://; default: the host file's node.",
)
target_options = options(
    node_option,
    click.option(
        "--grpc-addr", envvar="VE_GRPC_ADDR", metavar="HOST:PORT", help="The node's gRPC address, with TLS."
    ),
    click.option("--grpc-insecure", is_flag=True, envvar="VE_GRPC_INSECURE", help="gRPC without TLS."),
    host_option,
    click.option("--height", type=click.IntRange(min=0), default=0, help="Query at this height."),
)
"""The flags of `QueryTarget`; a command takes them as keywords."""


@click.command()
@node_option
@host_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="json",
    show_default=True,
    help="One line of JSON, or YAML.",
)
def status(node: str | None, host: Path | None, output: str) -> None:
    """Show the node: its identity, its chain, its last block, whether it is catching up."""
    rpc = _rpc_at(node) if node else _chain_settings(host).node.rpc_client()
    try:
        answer = rpc.call("status")
    except NodeError as error:
        raise CliError(f"error: {error}") from None
    print_answer(answer, output)


def _rpc_at(node: str) -> Rpc:
    """The RPC at an address; UsageError if it is not one. `tcp://` is plain HTTP."""
    scheme, separator, rest = node.rpartition("://")
    url = f"http://{rest}" if scheme in ("", "tcp") else f"{scheme}{separator}{rest}"
    try:
        if urlsplit(url).port == 0:
            raise ValueError
        return Rpc(url)
    except ValueError:
        raise click.UsageError(f"--node {node} is not an RPC address; write tcp://HOST:26657") from None


def _chain_settings(host: Path | None) -> ChainSettings:
    """The host file's chain; CliError if the host file cannot be read."""
    try:
        return settings_of(host).chain
    except SettingsError as error:
        raise CliError(
            f"error: {error}; or name the node with --node tcp://HOST:26657 or --grpc-addr HOST:9090"
        ) from None
