from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.nodes import NodeSize
from tests.devnet.cluster.makers import Stepped, deployment_spec


def test_a_new_cluster_has_its_nodes() -> None:
    cluster = SimulatedCluster([NodeSize(cpu="2"), NodeSize(gpu=1)])

    nodes = cluster.objects("nodes")

    assert [node["metadata"]["name"] for node in nodes] == ["node-0", "node-1"]
    assert nodes[0]["status"]["allocatable"]["cpu"] == "2"
    assert nodes[1]["status"]["allocatable"]["nvidia.com/gpu"] == "1"


def test_a_port_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cluster = SimulatedCluster()
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            cluster.serve(port)
        cluster.close()


def test_closing_is_quick_with_a_running_watch() -> None:
    cluster = SimulatedCluster()
    cluster.serve()
    host, port = cluster.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as watching:
        watching.sendall(b"GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in watching.recv(1000)
        began = time.monotonic()
        cluster.close()

    assert time.monotonic() - began < 2


def test_a_kubeconfig_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = SimulatedCluster().write_kubeconfig(tmp_path / "kubeconfig")

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_saved_cluster_continues_after_loading(tmp_path: Path) -> None:
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec(2, "slow"))
    stepped.step()
    stepped.cluster.save(tmp_path)

    again = SimulatedCluster((), lambda: stepped.clock.now + 6)
    assert again.load(tmp_path)
    again.step()

    found = again.get("deployments", "x", "web")
    assert found is not None
    assert found["status"]["readyReplicas"] == 2
    assert [p["metadata"]["uid"] for p in again.objects("pods", "x")] == [
        p["metadata"]["uid"] for p in stepped.all("Pod")
    ]


def test_without_a_saved_state_nothing_is_loaded(tmp_path: Path) -> None:
    assert not SimulatedCluster().load(tmp_path)
