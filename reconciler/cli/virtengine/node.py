"""A node to ask: by gRPC, or through its RPC as the chain's own client does with --node."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
from google.protobuf.message import DecodeError, Message

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.node_errors import NodeError, NodeRefusedError
from reconciler.chain.proto import cosmos_node_pb2
from reconciler.chain.rpc import Rpc
from reconciler.chain.stubs import Unary, unary
from reconciler.cli.errors import CliError
from reconciler.cli.options import host_option
from reconciler.cli.virtengine.address import chain_of_host, node_option, rpc_at

STATUS = unary(
    "cosmos.base.node.v1beta1.Service", cosmos_node_pb2.StatusRequest, cosmos_node_pb2.StatusResponse
)

SDK_STATUS = {18: ("INVALID_ARGUMENT", ": invalid request"), 22: ("NOT_FOUND", ": key not found")}
"""gRPC's statuses in abci_query's codes, and the words that the SDK puts behind the chain's own."""

_WRAPPED = re.compile(r"^(rpc error: code = \w+ desc = |codespace \w+ code \d+: )+")
"""What gRPC and the SDK put before the chain's own words."""

Asked = TypeVar("Asked", bound=Message)
Answered = TypeVar("Answered", bound=Message)
Command = TypeVar("Command", bound=Callable[..., Any])


class GrpcConnection(Protocol):
    """A connection to a node."""

    def ask(self, method: Unary[Asked, Answered], request: Asked, height: int = 0) -> Answered: ...
    def close(self) -> None: ...


class RpcConnection:
    """gRPC's methods over a node's RPC, by `abci_query`."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def ask(self, method: Unary[Asked, Answered], request: Asked, height: int = 0) -> Answered:
        """The answer as of `height` (0: the newest); NodeRefusedError where the node says no."""
        asked = {"path": method.path, "data": request.SerializeToString().hex(), "height": str(height)}
        answer = self._rpc.call("abci_query", asked)
        try:
            told = answer["response"]
            code, log, value = int(told.get("code") or 0), str(told.get("log") or ""), told.get("value")
            if code:
                status, behind = SDK_STATUS.get(code, (str(code), ""))
                raise NodeRefusedError(method.path, status, log.removesuffix(behind))
            return method.response.FromString(b64decode(value or ""))
        except (KeyError, TypeError, AttributeError, ValueError, DecodeError) as error:
            raise NodeError(f"{self._rpc.url} answered something that is no abci_query: {error}") from error

    def close(self) -> None:
        """Nothing is open between calls."""


@dataclass(frozen=True, slots=True)
class NodeConnection:
    """A node, asked as of one height; 0: the newest, each time."""

    line: GrpcConnection
    height: int

    def ask(self, method: Unary[Asked, Answered], request: Asked) -> Answered:
        """One answer; NodeError where there is none."""
        return self.line.ask(method, request, self.height)

    def pinned(self, height: int = 0) -> NodeConnection:
        """The same, at this height, else at its own, else at the newest, for a list of several pages."""
        if found := height or self.height:
            return NodeConnection(self.line, found)
        return NodeConnection(self.line, self.line.ask(STATUS, cosmos_node_pb2.StatusRequest()).height)


@dataclass(frozen=True, slots=True)
class QueryTarget:
    """The flags that say which node, and as of which height."""

    node: str | None
    grpc_addr: str | None
    grpc_insecure: bool
    host: Path | None
    height: int

    @classmethod
    def taken(cls, flags: dict[str, Any]) -> QueryTarget:
        """Take the flags out of a command's keywords."""
        return cls(**{field.name: flags.pop(field.name) for field in fields(cls)})

    @contextmanager
    def asked(self, about: str) -> Iterator[NodeConnection]:
        """The node, while it is asked about something; what goes wrong is told as a sentence."""
        line = self._line()
        try:
            yield NodeConnection(line, self.height)
        except NodeRefusedError as error:
            words = _WRAPPED.sub("", error.text or error.status)
            raise CliError(f"error: {about}: the chain says: {words}") from None
        except NodeError as error:
            raise CliError(f"error: {about}: {error}{self._advice()}") from None
        finally:
            line.close()

    def _line(self) -> GrpcConnection:
        if self.grpc_addr:
            return GrpcNode(self.grpc_addr, None if self.grpc_insecure else b"")
        if self.node:
            return RpcConnection(rpc_at(self.node))
        return chain_of_host(self.host).node.grpc_node()

    def _advice(self) -> str:
        if self.grpc_addr and not self.grpc_insecure:
            return "; it was asked with TLS, add --grpc-insecure for a port without"
        return ""


_OPTIONS = (
    node_option,
    click.option(
        "--grpc-addr",
        envvar="VE_GRPC_ADDR",
        metavar="HOST:PORT",
        help="The node's gRPC address, with TLS.",
    ),
    click.option("--grpc-insecure", is_flag=True, envvar="VE_GRPC_INSECURE", help="gRPC without TLS."),
    host_option,
    click.option("--height", type=click.IntRange(min=0), default=0, help="As of this height."),
)


def where_options(command: Command) -> Command:
    """The flags of `QueryTarget`; a command takes them as keywords."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    envvar="VE_OUTPUT",
    show_default=True,
    help="YAML, or one line of JSON.",
)
