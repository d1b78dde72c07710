"""Addresses of nodes, and clients for them."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from reconciler.chain.call_deadline import CallDeadline
from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.rpc import Rpc


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """`grpc` is host:port, `rpc` a URL; `tls` applies to gRPC, the URL's scheme to RPC.

    `authorities` are certificate authorities (PEM) for both; empty: those of the system.
    """

    grpc: str
    rpc: str
    tls: bool = False
    authorities: str = ""

    def grpc_node(self, timeout_seconds: float = 15, deadline: CallDeadline | None = None) -> GrpcNode:
        """A client for its gRPC address."""
        authorities = self.authorities.encode() if self.tls else None
        return GrpcNode(self.grpc, authorities, timeout_seconds, deadline=deadline)

    def rpc_client(self, timeout_seconds: float = 10, deadline: CallDeadline | None = None) -> Rpc:
        """A client for its RPC address."""
        return Rpc(self.rpc, timeout_seconds, authorities=self.authorities, deadline=deadline)


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """The node for queries and transactions, and a witness that confirms closed leases."""

    node: NodeAddress
    chain_id: str
    witness: NodeAddress | None = None

    @property
    def grpc(self) -> str:
        """The node's gRPC address, host:port."""
        return self.node.grpc

    @property
    def rpc(self) -> str:
        """The node's RPC, a URL."""
        return self.node.rpc


def read_authorities(path: Path | None) -> str:
    """The certificates (PEM) in a file, "" without a file; ValueError if it contains none."""
    if path is None:
        return ""
    try:
        text = path.read_text(encoding="ascii")
        ssl.create_default_context(cadata=text or "none")
    except (ssl.SSLError, ValueError):
        raise ValueError(f"{path}: contains no certificates; name a file of certificates in PEM") from None
    except OSError as error:
        why = error.strerror
        raise ValueError(f"{path}: {why}; name a file of certificates in PEM") from None
    return text
