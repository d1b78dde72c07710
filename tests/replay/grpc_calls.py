"""Sends the recorded calls of the TypeScript provider client to a real gRPC server."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
from google.protobuf.empty_pb2 import Empty

from reconciler.chain.proto.provider_v1_pb2 import Status
from reconciler.gateway.grpc_status import GrpcStatusServer
from reconciler.gateway.lease_directory import LeaseDirectory
from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.listen_address import ListenAddress
from tests.api.certificates import Authority
from tests.gateway.gateway_server import PROVIDER, SNAPSHOT
from tests.replay.manifests import vectors_of
from tests.replay.replaying import Difference, Report


def replay_grpc_calls(path: Path) -> Report:
    """The status is answered; other services get UNIMPLEMENTED, which the client throws like a refusal."""
    report = Report(path.stem)
    with TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        server = GrpcStatusServer(
            LeaseDirectory(SnapshotStore(SNAPSHOT), PROVIDER),
            "provider.example.com",
            ListenAddress("127.0.0.1", 0),
            authority.issue("server"),
        )
        credentials = grpc.ssl_channel_credentials(authority.file.read_bytes())
        with grpc.secure_channel(str(server.bound), credentials) as channel:
            for number, vector in enumerate(vectors_of(path)):
                report.compared += 1
                found = answered(channel, vector["method"])
                if isinstance(found, Status):
                    wrong = [*found.public_hostnames] != [
                        "provider.example.com"
                    ] or not found.timestamp.seconds
                else:
                    wrong = "ProviderRPC" in vector["method"] or found is not grpc.StatusCode.UNIMPLEMENTED
                    report.notes.append(f"{vector['call']}: not served; manifests are sent by HTTPS")
                if wrong:
                    report.differences.append(Difference(report.file, number, f"{vector['call']}: {found}"))
        server.stop()
    return report


def answered(channel: grpc.Channel, method: str) -> Status | grpc.StatusCode:
    """The first answer of a method, or the code of its refusal."""
    kinds = (Empty.SerializeToString, Status.FromString)
    status: Status
    try:
        if "/Stream" in method:
            status = next(iter(channel.unary_stream(method, *kinds)(Empty())))
        else:
            status = channel.unary_unary(method, *kinds)(Empty(), timeout=10)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return status
