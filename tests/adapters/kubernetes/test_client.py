from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from reconciler.adapters.kubernetes.api_errors import ApiError
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.faults import ClusterFault

PATH = "/api/v1/namespaces/default/configmaps"
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}


def test_applied_objects_have_our_manager_and_can_be_read_and_deleted(client: ApiClient) -> None:
    found = json.loads(client.apply(f"{PATH}/a", CONFIG, force=False))

    assert found["metadata"]["managedFields"][0]["manager"] == "provider-daemon"
    assert json.loads(client.get(f"{PATH}/a", {})) == found
    client.delete(f"{PATH}/a", found["metadata"]["uid"])
    with pytest.raises(ApiError) as refused:
        client.get(f"{PATH}/a", {})
    assert refused.value.status == 404


def test_a_delete_applies_to_one_uid(client: ApiClient) -> None:
    client.apply(f"{PATH}/a", CONFIG, force=False)

    with pytest.raises(ApiError) as refused:
        client.delete(f"{PATH}/a", "another-uid")

    assert refused.value.status == 409
    assert client.get(f"{PATH}/a", {})


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_rejected_request_raises_the_servers_message(
    client: ApiClient, cluster: SimulatedCluster, status: int
) -> None:
    cluster.faults.add(ClusterFault(status=status))

    with pytest.raises(ApiError, match="simulated fault") as refused:
        client.get(PATH, {})
    assert refused.value.status == status


def test_an_incomplete_response_is_an_error(client: ApiClient, cluster: SimulatedCluster) -> None:
    cluster.faults.add(ClusterFault("cut"))

    with pytest.raises(ApiError, match="the response broke off"):
        client.get(PATH, {})


def test_a_request_times_out(client: ApiClient, cluster: SimulatedCluster) -> None:
    cluster.faults.add(ClusterFault("hang", plurals=frozenset({"configmaps"})))

    with pytest.raises(ApiError, match="timed out") as refused:
        client.stream(PATH, {}, 0.2)
    assert refused.value.status == 0


def test_a_refused_connection_is_reported(client: ApiClient, cluster: SimulatedCluster) -> None:
    client.get(PATH, {})
    cluster.close()

    with pytest.raises(ApiError, match=f"no response to GET {PATH}") as refused:
        client.get(PATH, {})
    assert refused.value.status == 0
    assert "object at 0x" not in str(refused.value)


def test_a_changed_kubeconfig_is_reloaded(
    client: ApiClient, kubeconfig: Path, cluster: SimulatedCluster
) -> None:
    good = kubeconfig.read_text()
    kubeconfig.write_text(good.replace(cluster.url, "http://127.0.0.1:1"))
    with pytest.raises(ApiError):
        client.get(PATH, {})

    kubeconfig.write_text(good + "# refreshed\n")

    assert client.get(PATH, {})


def test_a_missing_kubeconfig_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="nowhere: cannot be read"):
        ApiClient(Kubeconfig(tmp_path / "nowhere")).get(PATH, {})


def test_connections_are_reused(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = list[object]()
    connect = socket.socket.connect

    def counted(self: socket.socket, address: tuple[str, int]) -> None:
        opened.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", counted)
    for _ in range(5):
        client.get(PATH, {})

    assert len(opened) == 1


def test_a_stream_yields_complete_lines_and_can_be_stopped(client: ApiClient) -> None:
    client.apply(f"{PATH}/a", CONFIG, force=False)
    stream = client.stream(PATH, {"watch": "1"}, 5)
    lines = stream.lines()

    assert json.loads(next(lines))["type"] == "ADDED"
    stream.stop()
    with pytest.raises((ApiError, StopIteration)):
        next(lines)


def test_an_unreadable_token_fails_the_request(tmp_path: Path) -> None:
    kubeconfig = {
        "kind": "Config",
        "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "users": [{"name": "a", "user": {"tokenFile": "token"}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    (tmp_path / "token").write_text("t")
    client = ApiClient(Kubeconfig(tmp_path / "kubeconfig"))
    with pytest.raises(ApiError, match="no response"):
        client.get(PATH, {})
    (tmp_path / "token").unlink()
    with pytest.raises(ApiError, match="token cannot be read"):
        client.get(PATH, {})
