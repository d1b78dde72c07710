"""The addresses of nodes, and how they are reached."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from reconciler.chain.grpc_node import GrpcNode
from reconciler.chain.rpc import Rpc


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """`grpc` is host:port, `rpc` a URL; `tls` is about gRPC, as the URL says it for RPC.

    `authorities` are certificates (PEM) that both are verified against; empty: those of the system.
    """

    grpc: str
    rpc: str
    tls: bool = False
    authorities: str = ""

    def grpc_node(self, timeout_seconds: float = 15) -> GrpcNode:
        """A connection to its gRPC."""
        return GrpcNode(self.grpc, self.authorities.encode() if self.tls else None, timeout_seconds)

    def rpc_client(self, timeout_seconds: float = 10) -> Rpc:
        """A client of its RPC."""
        return Rpc(self.rpc, timeout_seconds, authorities=self.authorities)


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """The node that is asked and sent through, and a second one that confirms what ends a workload."""

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
    """The certificates in a file, PEM, none without one; ValueError with a sentence where it holds none."""
    if path is None:
        return ""
    try:
        text = path.read_text(encoding="ascii")
        ssl.create_default_context(cadata=text or "none")
    except (ssl.SSLError, ValueError):
        raise ValueError(f"{path}: it holds no certificates; name a file of certificates in PEM") from None
    except OSError as error:
        why = error.strerror
        raise ValueError(f"{path}: {why}; name a file of certificates in PEM") from None
    return text
