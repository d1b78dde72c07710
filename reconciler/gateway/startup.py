"""Starts the tenants' listener and its gRPC status service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.registry import Collector

from reconciler.gateway.grpc_status import GrpcStatusError, GrpcStatusServer
from reconciler.gateway.listener import GatewayError, GatewayListen, GatewayServer
from reconciler.gateway.sources import GatewaySources
from reconciler.gateway.tls import ServerCertificate, ServerCertificateError
from reconciler.values.listen_address import ListenAddress
from reconciler.values.observed import Trouble

NAME = "tenants' gateway"
"""The server in metrics."""


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """The servers for tenants."""

    server: GatewayServer
    grpc: GrpcStatusServer | None

    def stop(self) -> None:
        """Release the ports; idempotent."""
        if self.grpc is not None:
            self.grpc.stop()
        self.server.stop()

    def collectors(self) -> tuple[Collector, ...]:
        """Its metrics."""
        return (self.server.collector(),)

    def troubles(self) -> tuple[Trouble, ...]:
        """What is wrong with its certificate."""
        found = self.server.trouble()
        return (found,) if found else ()

    def certificates(self) -> Mapping[str, int]:
        """When its certificate expires, in unix seconds."""
        return {NAME: self.server.certificate_expires_at}


def start_gateway(
    sources: GatewaySources, listen: GatewayListen, files: tuple[Path, Path], grpc: ListenAddress | None
) -> RunningGateway:
    """Bind and serve with a certificate and its key until stopped; GatewayError if an address or the
    certificate cannot be used.
    """
    try:
        certificate = ServerCertificate(*files)
    except ServerCertificateError as error:
        raise GatewayError(str(error)) from None
    server = GatewayServer(sources, listen, certificate)
    if grpc is None:
        return RunningGateway(server, None)
    hostname = listen.hostname or next(iter(certificate.names), "")
    try:
        return RunningGateway(server, GrpcStatusServer(sources.leases, hostname, grpc, files))
    except GrpcStatusError as error:
        server.stop()
        raise GatewayError(str(error)) from None
