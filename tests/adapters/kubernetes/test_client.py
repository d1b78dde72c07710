from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.connection import Kubeconfig
from reconciler.adapters.kubernetes.refusals import ApiError
from reconciler.devnet.cluster.cluster import SimulatedCluster
from reconciler.devnet.cluster.faults import ClusterFault

PATH = "/api/v1/namespaces/default/configmaps"
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}


def test_what_is_applied_is_ours_and_can_be_read_and_deleted(client: ApiClient) -> None:
    found = json.loads(client.apply(f"{PATH}/a", CONFIG, force=False))

    assert found["metadata"]["managedFields"][0]["manager"] == "provider-daemon"
    assert json.loads(client.get(f"{PATH}/a", {})) == found
    client.delete(f"{PATH}/a", found["metadata"]["uid"])
    with pytest.raises(ApiError) as refused:
        client.get(f"{PATH}/a", {})
    assert refused.value.status == 404


def test_a_delete_is_of_that_very_object(client: ApiClient) -> None:
    client.apply(f"{PATH}/a", CONFIG, force=False)

    with pytest.raises(ApiError) as refused:
        client.delete(f"{PATH}/a", "another-uid")

    assert refused.value.status == 409
    assert client.get(f"{PATH}/a", {})


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_refusal_is_an_error_with_the_servers_words(
    client: ApiClient, cluster: SimulatedCluster, status: int
) -> None:
    cluster.faults.add(ClusterFault(status=status))

    with pytest.raises(ApiError, match="simulated fault") as refused:
        client.get(PATH, {})
    assert refused.value.status == status


def test_half_an_answer_is_no_answer(client: ApiClient, cluster: SimulatedCluster) -> None:
    cluster.faults.add(ClusterFault("cut"))

    with pytest.raises(ApiError, match="the answer broke off"):
        client.get(PATH, {})


def test_a_server_that_does_not_answer_is_given_up(client: ApiClient, cluster: SimulatedCluster) -> None:
    cluster.faults.add(ClusterFault("hang", plurals=frozenset({"configmaps"})))

    with pytest.raises(ApiError, match="timed out") as refused:
        client.stream(PATH, {}, 0.2)
    assert refused.value.status == 0


def test_a_server_that_is_not_there_is_said(client: ApiClient, cluster: SimulatedCluster) -> None:
    client.get(PATH, {})
    cluster.close()

    with pytest.raises(ApiError, match=f"no answer to GET {PATH}") as refused:
        client.get(PATH, {})
    assert refused.value.status == 0
    assert "object at 0x" not in str(refused.value)


def test_a_new_kubeconfig_is_read_without_a_restart(
    client: ApiClient, kubeconfig: Path, cluster: SimulatedCluster
) -> None:
    good = kubeconfig.read_text()
    kubeconfig.write_text(good.replace(cluster.url, "http://127.0.0.1:1"))
    with pytest.raises(ApiError):
        client.get(PATH, {})

    kubeconfig.write_text(good + "# refreshed\n")

    assert client.get(PATH, {})


def test_a_kubeconfig_that_is_gone_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="nowhere: cannot be read"):
        ApiClient(Kubeconfig(tmp_path / "nowhere")).get(PATH, {})


def test_connections_are_used_again(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = list[object]()
    connect = socket.socket.connect

    def counted(self: socket.socket, address: tuple[str, int]) -> None:
        opened.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", counted)
    for _ in range(5):
        client.get(PATH, {})

    assert len(opened) == 1


def test_a_stream_gives_whole_lines_and_can_be_stopped(client: ApiClient) -> None:
    client.apply(f"{PATH}/a", CONFIG, force=False)
    stream = client.stream(PATH, {"watch": "1"}, 5)
    lines = stream.lines()

    assert json.loads(next(lines))["type"] == "ADDED"
    stream.stop()
    with pytest.raises((ApiError, StopIteration)):
        next(lines)


def test_a_token_that_cannot_be_read_is_an_error_of_the_request(tmp_path: Path) -> None:
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
    with pytest.raises(ApiError, match="no answer"):
        client.get(PATH, {})
    (tmp_path / "token").unlink()
    with pytest.raises(ApiError, match="token cannot be read"):
        client.get(PATH, {})
