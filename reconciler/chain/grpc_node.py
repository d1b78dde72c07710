"""A node's gRPC client: one channel, deadlines, queries at a height."""

from __future__ import annotations

import logging
import threading
from time import monotonic
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from reconciler.chain.call_deadline import CallDeadline
from reconciler.chain.node_errors import NodeError, NodeRefusedError, TooLargeError, refused
from reconciler.chain.stubs import Unary

RECEIVE_BYTES = 64 << 20
"""Above grpcio's default of 4 MB, because escrow lists are not paginated (semantics 1.4, 2.2 C)."""

REDIAL_SECONDS = 30.0
"""Time without any answer after which the channel is replaced: a stuck one does not recover by itself."""

SILENT = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
)
"""Codes after which the outcome of a request is unknown."""

log = logging.getLogger(__name__)

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class GrpcNode:
    """Queries a node, over TLS if `authorities` is not None (PEM; empty: gRPC's own certificates). The
    channel reconnects by itself, and is replaced if that does not help. Thread-safe.
    """

    def __init__(
        self,
        target: str,
        authorities: bytes | None = None,
        timeout_seconds: float = 15,
        redial_seconds: float = REDIAL_SECONDS,
        deadline: CallDeadline | None = None,
    ) -> None:
        self.target = target
        self._authorities = authorities
        self._timeout_seconds = timeout_seconds
        self._redial_seconds = redial_seconds
        self._deadline = deadline or CallDeadline()
        self._lock = threading.Lock()
        self._silent_since: float | None = None
        self._channel = self._dial()

    def call(self, method: Unary[Request, Response], request: Request, height: int = 0) -> Response:
        """The response at `height` (0: the newest).

        NodeRefusedError if the node rejects the request, NodeError if it does not answer.
        """
        metadata = (("x-cosmos-block-height", str(height)),) if height else ()
        channel = self._channel
        try:
            timeout = self._deadline.bound(self._timeout_seconds)
            answer = method.stub(channel)(request, timeout=timeout, metadata=metadata)
        except grpc.RpcError as error:
            node_error = self._node_error(method.path, error)
            if isinstance(node_error, NodeRefusedError | TooLargeError):
                self._silent_since = None
            else:
                self._redial(channel)
            raise node_error from error
        except ValueError as error:  # another thread has just replaced this channel
            raise NodeError(f"{self.target} does not answer {method.path}: reconnecting") from error
        self._silent_since = None
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def _dial(self) -> grpc.Channel:
        options = [
            ("grpc.max_receive_message_length", RECEIVE_BYTES),
            ("grpc.enable_http_proxy", 0),
            ("grpc.max_reconnect_backoff_ms", 5000),
            ("grpc.use_local_subchannel_pool", 1),  # else a new channel shares the wedged connection
        ]
        if self._authorities is not None:
            credentials = grpc.ssl_channel_credentials(self._authorities or None)
            return grpc.secure_channel(self.target, credentials, options)
        return grpc.insecure_channel(self.target, options)

    def _redial(self, silent: grpc.Channel) -> None:
        """Replace a channel without answers for `redial_seconds`, once for all threads."""
        with self._lock:
            now = monotonic()
            since = self._silent_since = self._silent_since or now
            if now - since < self._redial_seconds or silent is not self._channel:
                return
            log.warning(
                "%s has not answered for %.0f s; reconnecting, no bids or withdrawals until it answers",
                self.target,
                now - since,
            )
            self._channel, self._silent_since = self._dial(), None
        silent.close()

    def _node_error(self, path: str, error: grpc.RpcError) -> NodeError:
        code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
        details = (error.details() if isinstance(error, grpc.Call) else None) or ""
        if code in SILENT:
            name = code.name.lower().replace("_", " ")
            return NodeError(f"{self.target} does not answer {path}: {details or name}")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return TooLargeError(f"the response of {self.target} to {path} is too large: {details}")
        return refused(path, code.name, details)
