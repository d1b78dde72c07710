"""A node's gRPC address: one channel, deadlines, queries at one height."""

from __future__ import annotations

from typing import TypeVar

import grpc
from google.protobuf.message import Message

from reconciler.chain.node_errors import NodeError, NodeRefusedError
from reconciler.chain.stubs import Unary

RECEIVE_BYTES = 64 << 20
"""Above grpcio's own 4 MB, because escrow lists come whole (semantics 1.4, 2.2 C)."""

SILENT = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
)
"""Codes that say nothing of what became of a request."""

Asked = TypeVar("Asked", bound=Message)
Answered = TypeVar("Answered", bound=Message)


class GrpcNode:
    """Asks a node; the channel reconnects by itself and may be used from several threads."""

    def __init__(self, target: str, tls: bool = False, timeout_seconds: float = 15) -> None:
        options = [
            ("grpc.max_receive_message_length", RECEIVE_BYTES),
            ("grpc.enable_http_proxy", 0),
            ("grpc.max_reconnect_backoff_ms", 5000),
        ]
        self.target = target
        self._timeout_seconds = timeout_seconds
        self._channel = (
            grpc.secure_channel(target, grpc.ssl_channel_credentials(), options)
            if tls
            else grpc.insecure_channel(target, options)
        )

    def ask(self, method: Unary[Asked, Answered], request: Asked, height: int = 0) -> Answered:
        """The answer as of `height` (0: the newest).

        NodeRefusedError where the node says no, NodeError where it says nothing.
        """
        metadata = (("x-cosmos-block-height", str(height)),) if height else ()
        try:
            stub = method.stub(self._channel)
            return stub(request, timeout=self._timeout_seconds, metadata=metadata)
        except grpc.RpcError as error:
            raise self._worded(method.path, error) from error

    def close(self) -> None:
        """Let the connection go."""
        self._channel.close()

    def _worded(self, path: str, error: grpc.RpcError) -> NodeError:
        code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
        details = (error.details() if isinstance(error, grpc.Call) else None) or ""
        if code in SILENT:
            word = code.name.lower().replace("_", " ")
            return NodeError(f"{self.target} does not answer {path}: {details or word}")
        return NodeRefusedError(path, code.name, details)
