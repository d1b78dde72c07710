"""A node's gRPC address: one channel, deadlines, queries at one height."""

from __future__ import annotations

import logging
import threading
from time import monotonic
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from reconciler.chain.node_errors import NodeError, NodeRefusedError, TooLargeError, refused
from reconciler.chain.stubs import Unary

RECEIVE_BYTES = 64 << 20
"""Above grpcio's own 4 MB, because escrow lists come whole (semantics 1.4, 2.2 C)."""

REDIAL_SECONDS = 30.0
"""After so long without any answer the channel is thrown away: a wedged one outlives what wedged it."""

SILENT = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
)
"""Codes that say nothing of what became of a request."""

log = logging.getLogger(__name__)

Asked = TypeVar("Asked", bound=Message)
Answered = TypeVar("Answered", bound=Message)


class GrpcNode:
    """Asks a node, over TLS where `authorities` is not None (PEM; empty: the certificates that gRPC knows);
    the channel reconnects by itself, and is dialled anew where that does not help. May be
    used from several threads.
    """

    def __init__(
        self,
        target: str,
        authorities: bytes | None = None,
        timeout_seconds: float = 15,
        redial_seconds: float = REDIAL_SECONDS,
    ) -> None:
        self.target = target
        self._authorities = authorities
        self._timeout_seconds = timeout_seconds
        self._redial_seconds = redial_seconds
        self._lock = threading.Lock()
        self._silent_since: float | None = None
        self._channel = self._dial()

    def ask(self, method: Unary[Asked, Answered], request: Asked, height: int = 0) -> Answered:
        """The answer as of `height` (0: the newest).

        NodeRefusedError where the node says no, NodeError where it says nothing.
        """
        metadata = (("x-cosmos-block-height", str(height)),) if height else ()
        channel = self._channel
        try:
            answer = method.stub(channel)(request, timeout=self._timeout_seconds, metadata=metadata)
        except grpc.RpcError as error:
            worded = self._worded(method.path, error)
            if isinstance(worded, NodeRefusedError | TooLargeError):
                self._silent_since = None
            else:
                self._redial(channel)
            raise worded from error
        except ValueError as error:  # another thread has just thrown this channel away
            raise NodeError(f"{self.target} does not answer {method.path}: it is dialled anew") from error
        self._silent_since = None
        return answer

    def close(self) -> None:
        """Let the connection go."""
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
        """Throw away a channel that was silent for long; once, whoever notices first."""
        with self._lock:
            now = monotonic()
            since = self._silent_since = self._silent_since or now
            if now - since < self._redial_seconds or silent is not self._channel:
                return
            log.warning(
                "%s has not answered for %.0f s; it is dialled anew, bids and all else wait",
                self.target,
                now - since,
            )
            self._channel, self._silent_since = self._dial(), None
        silent.close()

    def _worded(self, path: str, error: grpc.RpcError) -> NodeError:
        code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
        details = (error.details() if isinstance(error, grpc.Call) else None) or ""
        if code in SILENT:
            word = code.name.lower().replace("_", " ")
            return NodeError(f"{self.target} does not answer {path}: {details or word}")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return TooLargeError(f"{self.target} answers {path} with more than is read: {details}")
        return refused(path, code.name, details)
