"""The provider's status by gRPC, on a port of its own; open to anyone (tenant 1)."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from reconciler.chain.proto import provider_v1_pb2
from reconciler.gateway.lease_directory import LeaseDirectory
from reconciler.gateway.open_routes import provider_status
from reconciler.values.listen_address import ListenAddress

SERVICE = "virtengine.provider.v1.ProviderRPC"
THREADS = 8
STREAMS_MAX = 4
"""Streams hold a thread each; the other threads serve single calls."""

STREAM_SECONDS = 10.0
CALLS_AT_ONCE = 64
MESSAGE_MAX_BYTES = 4_096
"""Of a request, which is empty."""

OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_MAX_BYTES),
    ("grpc.max_concurrent_streams", 8),
    ("grpc.max_metadata_size", 8_192),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_connection_idle_ms", 60_000),
    ("grpc.max_connection_age_ms", 600_000),
    ("grpc.so_reuseport", 0),
    ("grpc.server_handshake_timeout_ms", 10_000),
)


class GrpcStatusError(Exception):
    """The port cannot be used; the message says what to do."""


class GrpcStatusServer:
    """A running gRPC server; a client certificate is neither requested nor needed. A renewed certificate is
    read for each new connection.
    """

    def __init__(
        self, leases: LeaseDirectory, hostname: str, listen: ListenAddress, files: tuple[Path, Path]
    ) -> None:
        self._leases, self._hostname = leases, hostname
        self._streams = threading.Semaphore(STREAMS_MAX)
        self._stopped = threading.Event()
        executor = ThreadPoolExecutor(THREADS, thread_name_prefix="gateway-grpc")
        self._server = grpc.server(executor, options=OPTIONS, maximum_concurrent_rpcs=CALLS_AT_ONCE)
        self._server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(
                    SERVICE,
                    {
                        "GetStatus": grpc.unary_unary_rpc_method_handler(
                            self._get, Empty.FromString, _serialized
                        ),
                        "StreamStatus": grpc.unary_stream_rpc_method_handler(
                            self._stream, Empty.FromString, _serialized
                        ),
                    },
                ),
            )
        )
        read = _configurations(files)
        credentials = grpc.dynamic_ssl_server_credentials(read(), read)
        try:
            port = self._server.add_secure_port(str(listen), credentials)
        except RuntimeError as error:
            raise GrpcStatusError(
                f"the gateway's gRPC cannot listen on {listen}; stop what uses the port (ss -ltnp shows it), "
                "or set gateway.grpc in the host file"
            ) from error
        self.bound = ListenAddress(listen.host, port)
        self._server.start()

    def stop(self) -> None:
        """Release the port; idempotent."""
        self._stopped.set()
        self._server.stop(1.0).wait(5.0)

    def _get(self, _: Empty, __: grpc.ServicerContext) -> provider_v1_pb2.Status:
        return self._status()

    def _stream(self, _: Empty, call: grpc.ServicerContext) -> Iterator[provider_v1_pb2.Status]:
        if not self._streams.acquire(blocking=False):
            call.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many streams are open; call GetStatus")
        try:
            while call.is_active() and not self._stopped.is_set():
                yield self._status()
                self._stopped.wait(STREAM_SECONDS)
        finally:
            self._streams.release()

    def _status(self) -> provider_v1_pb2.Status:
        """As `GET /status`; parts that are not known are absent."""
        found = provider_status(self._leases, self._hostname)
        status = provider_v1_pb2.Status(public_hostnames=[self._hostname] if self._hostname else [])
        status.timestamp.FromNanoseconds(time.time_ns())
        if found["cluster"] is None:
            status.errors.append("the provider has not seen the chain yet")
            return status
        status.cluster.leases.active = found["cluster"]["leases"]
        status.bid_engine.orders = found["bidengine"]["orders"]
        status.manifest.deployments = found["manifest"]["deployments"]
        return status


def _configurations(files: tuple[Path, Path]) -> Callable[[], grpc.ServerCertificateConfiguration]:
    """Reads the certificate; while it cannot be read, the last one stays."""
    certificate, key = files
    last = grpc.ssl_server_certificate_configuration([(key.read_bytes(), certificate.read_bytes())])

    def read() -> grpc.ServerCertificateConfiguration:
        nonlocal last
        with contextlib.suppress(OSError):
            last = grpc.ssl_server_certificate_configuration([(key.read_bytes(), certificate.read_bytes())])
        return last

    return read


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()
