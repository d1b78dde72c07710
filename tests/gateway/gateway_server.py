"""A real listener on loopback with fake sources, and a client that speaks TLS as tenants' clients do."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography import x509

from reconciler.gateway.chain_lookup import ChainLookup
from reconciler.gateway.lease_directory import LeaseDirectory
from reconciler.gateway.listener import GatewayListen, GatewayServer
from reconciler.gateway.sources import GatewaySources
from reconciler.gateway.submissions import Receipt, Submission, SubmissionRefusal
from reconciler.gateway.tls import ServerCertificate
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.addresses import AddressKind, ServiceAddress
from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.listen_address import ListenAddress
from reconciler.values.observed import State
from reconciler.values.snapshot import Snapshot
from reconciler.values.views import ReadingView, ServiceView, WorkloadView
from tests.api.fake_sources import FakeInspector
from tests.gateway.test_chain_lookup import CERTS, FakeNode
from tests.gateway.test_tokens import NOW
from tests.replay.tokens import KEYS

CHAIN_ID = "virtengine-localnet-1"
PROVIDER = KEYS["provider"].address
ALICES = LeaseId(OrderId(KEYS["alice"].address, 100, 1, 2), PROVIDER)
BOBS = LeaseId(OrderId(KEYS["bob"].address, 200, 1, 1), PROVIDER)


def workload(lease: LeaseId) -> WorkloadView:
    return WorkloadView(
        id=workload_id(lease),
        lease=str(lease),
        adapter="kubernetes",
        state="running",
        lease_state=State.ACTIVE,
        price_uve=1,  # type: ignore[arg-type]  # not shown
        ready=True,
        replicas_ready=2,
        replicas=3,
        addresses=(
            ServiceAddress("web", AddressKind.HOST_NAME, "shop.example.com", 80, 80),
            ServiceAddress("web", AddressKind.PORT, "provider.example.com", 7000, 31234, "UDP"),
            ServiceAddress("db", AddressKind.LEASED_IP, "203.0.113.9", 443, 443),
        ),
    )


SNAPSHOT = Snapshot(
    address=PROVIDER,
    height=10,
    orders_open=1,
    readings=(ReadingView("chain", NOW),),  # type: ignore[arg-type]  # a number will do
    workloads=(workload(ALICES), workload(BOBS)),
    services={
        workload_id(ALICES): (ServiceView("web", 2, 1), ServiceView("db", 1, 1)),
        workload_id(BOBS): (ServiceView("secret", 1, 1),),
    },
)


@dataclass
class FakeSubmissions:
    """Answers as a test says."""

    taken: list[Submission] = field(default_factory=list)
    answer: Callable[[Submission], Receipt | SubmissionRefusal] = lambda _: Receipt("hash", "commit")
    group: str | None = "[]"

    def submit(self, submission: Submission) -> Receipt | SubmissionRefusal:
        self.taken.append(submission)
        return self.answer(submission)

    def accepted_group(self, _lease: LeaseId) -> str | None:
        return self.group


@dataclass
class Gateway:
    """A running listener and its fakes."""

    server: GatewayServer
    node: FakeNode
    submissions: FakeSubmissions
    inspector: FakeInspector
    snapshots: SnapshotStore

    @property
    def port(self) -> int:
        return self.server.bound.port

    def connect(self, name: str = "localhost", certificate: str = "") -> ssl.SSLSocket:
        """A connection with TLS, with a client certificate of the recordings if it is named."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        if certificate:
            tls.load_cert_chain(CERTS / f"{certificate}.cert.pem", CERTS / f"{certificate}.key.pem")
        return tls.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port), timeout=10), server_hostname=name
        )

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        certificate: str = "",
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body and headers of a response."""
        connection = http.client.HTTPConnection("localhost", self.port)
        connection.sock = self.connect("mtls.localhost" if certificate else "localhost", certificate)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read(), dict(response.headers)
        finally:
            connection.close()


def keyed_certificates() -> list[dict[str, object]]:
    """Alice's certificate as the chain holds it."""
    text = (CERTS / "alice.cert.pem").read_bytes()
    serial = str(x509.load_pem_x509_certificate(text).serial_number)
    held = {"state": "valid", "cert": text, "pubkey": (CERTS / "alice.pub.pem").read_bytes()}
    return [{"serial": serial, "certificate": held}]


@contextmanager
def gateway(now: int = NOW, certificate: tuple[Path, Path] | None = None, **limits: Any) -> Iterator[Gateway]:
    """A listener that serves until the block ends."""
    node, submissions, inspector = FakeNode(), FakeSubmissions(), FakeInspector()
    node.certificates = keyed_certificates()
    snapshots = SnapshotStore(SNAPSHOT)
    leases = LeaseDirectory(snapshots, PROVIDER)
    sources = GatewaySources(
        leases=leases,
        lookup=ChainLookup(node, leases.is_tenant),  # type: ignore[arg-type]  # a fake
        submissions=submissions,
        inspectors={"kubernetes": inspector},
        chain_id=CHAIN_ID,
        now=lambda: now,
    )
    files = certificate or (CERTS / "provider-server.cert.pem", CERTS / "provider-server.key.pem")
    listen = replace(GatewayListen(ListenAddress("127.0.0.1", 0), requests_per_minute=100_000), **limits)
    server = GatewayServer(sources, listen, ServerCertificate(*files))
    try:
        yield Gateway(server, node, submissions, inspector, snapshots)
    finally:
        server.stop()
