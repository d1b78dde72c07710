"""The provider's status by gRPC, beyond the recorded calls (`tests/replay/grpc_calls.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import grpc
import pytest

from reconciler.chain.proto.provider_v1_pb2 import Status
from reconciler.gateway import grpc_status
from reconciler.gateway.grpc_status import GrpcStatusServer
from reconciler.gateway.lease_directory import LeaseDirectory
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.listen_address import ListenAddress
from tests.api.certificates import Authority
from tests.gateway.gateway_server import PROVIDER, SNAPSHOT
from tests.replay.grpc_calls import answered


@pytest.fixture
def snapshots() -> SnapshotStore:
    return SnapshotStore(SNAPSHOT)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """gRPC's TLS refuses the certificates of the chain, which lack digitalSignature."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def server(snapshots: SnapshotStore, authority: Authority) -> Iterator[GrpcStatusServer]:
    leases = LeaseDirectory(snapshots, PROVIDER)
    files = authority.issue("server")
    running = GrpcStatusServer(leases, "provider.example.com", ListenAddress("127.0.0.1", 0), files)
    yield running
    running.stop()


@pytest.fixture
def channel(server: GrpcStatusServer, authority: Authority) -> Iterator[grpc.Channel]:
    """As of the recorded client: its certificate is not requested."""
    credentials = grpc.ssl_channel_credentials(authority.file.read_bytes())
    with grpc.secure_channel(str(server.bound), credentials) as opened:
        yield opened


def test_an_unknown_state_is_absent_not_0(channel: grpc.Channel, snapshots: SnapshotStore) -> None:
    snapshots.publish(replace(SNAPSHOT, height=0))
    status = answered(channel, f"/{grpc_status.SERVICE}/GetStatus")
    assert isinstance(status, Status)
    assert not status.HasField("cluster")
    assert status.errors
