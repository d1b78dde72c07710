"""Real kubectl against the simulated cluster: writes and their results."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from reconciler.devnet.cluster.cluster import SimulatedCluster
from tests.contracts.adapter_backends import KUBECTL, eventually, kubectl
from tests.devnet.cluster.kubectls import MANIFEST, SPACE, Cluster


def test_kubectl_client_side_apply_changes_and_keeps_fields(cluster: Cluster) -> None:
    assert "deployment.apps/web unchanged" in cluster.k(f"apply -f {cluster.file}")

    changed = MANIFEST.replace("nginx:1", "nginx:2").replace("replicas: 2", "replicas: 3")
    assert "deployment.apps/web configured" in cluster.k("apply -f -", stdin=changed)

    cluster.k(f"rollout status deployment/web -n {SPACE} --timeout=20s")
    images = {pod["spec"]["containers"][0]["image"] for pod in cluster.inner.objects("pods", SPACE)}
    assert images == {"nginx:2"}
    assert len(cluster.pods()) == 3


def test_server_side_apply_names_the_conflicting_manager(cluster: Cluster) -> None:
    cluster.k(f"scale deployment/web -n {SPACE} --replicas=3")

    said = cluster.k(f"apply --server-side -f {cluster.file}", fails=True)

    assert ".spec.replicas" in said
    assert "conflict" in said
    cluster.k(f"apply --server-side --force-conflicts -f {cluster.file}")
    found = cluster.inner.get("deployments", SPACE, "web")
    assert found is not None
    assert found["spec"]["replicas"] == 2


def test_a_dry_run_changes_nothing(cluster: Cluster) -> None:
    before = cluster.inner.get("deployments", SPACE, "web")

    cluster.k(f"apply --server-side --force-conflicts --dry-run=server -f {cluster.file}")
    cluster.k("apply --dry-run=server -f -", stdin=MANIFEST.replace("nginx:1", "nginx:2"))
    cluster.k(f"delete deployment web -n {SPACE} --dry-run=server")

    assert cluster.inner.get("deployments", SPACE, "web") == before


def test_diff_shows_what_would_change(cluster: Cluster) -> None:
    said = cluster.k("diff -f -", stdin=MANIFEST.replace("nginx:1", "nginx:2"), fails=True)

    assert "-      - image: nginx:1" in said.replace("        image", "      - image")
    assert "nginx:2" in said


@pytest.mark.parametrize(
    "patch",
    [
        ("--type=merge", '{"spec":{"replicas":1}}'),
        ("--type=strategic", '{"spec":{"replicas":1}}'),
        ("--type=json", '[{"op":"replace","path":"/spec/replicas","value":1}]'),
    ],
)
def test_three_kinds_of_patch(cluster: Cluster, patch: tuple[str, str]) -> None:
    cluster.k(f"patch deployment web -n {SPACE}", patch[0], "-p", patch[1])

    eventually(lambda: len(cluster.pods()) == 1, "one pod")


def test_waiting_for_a_condition_and_for_deletion(cluster: Cluster) -> None:
    cluster.k(f"wait --for=condition=Available deployment/web -n {SPACE} --timeout=10s")
    cluster.k(f"wait --for=condition=Ready pod -l app=web -n {SPACE} --timeout=10s")
    cluster.k(f"delete deployment web -n {SPACE}")
    cluster.k(f"wait --for=delete pod -l app=web -n {SPACE} --timeout=10s")

    assert cluster.inner.objects("replicasets", SPACE) == []


def test_kubectl_shows_and_undoes_a_stuck_rollout(cluster: Cluster) -> None:
    cluster.k(f"set image deployment/web web=registry.example/missing:1 -n {SPACE}")

    assert "timed out" in cluster.k(f"rollout status deployment/web -n {SPACE} --timeout=1s", fails=True)
    eventually(lambda: "ImagePullBackOff" in cluster.k(f"get pods -n {SPACE}"), "ImagePullBackOff", 10)
    cluster.k(f"rollout undo deployment/web -n {SPACE}")
    cluster.k(f"rollout status deployment/web -n {SPACE} --timeout=20s")


def test_watching_shows_changes_as_they_come(cluster: Cluster) -> None:
    argv = [
        KUBECTL,
        "--kubeconfig",
        str(cluster.kubeconfig),
        "get",
        "deploy",
        "-n",
        SPACE,
        "-w",
        "-o",
        "name",
    ]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as watching:
        try:
            assert watching.stdout is not None
            assert watching.stdout.readline() == "deployment.apps/web\n"
            cluster.k(f"annotate deployment web -n {SPACE} seen=yes")
            assert watching.stdout.readline() == "deployment.apps/web\n"
        finally:
            watching.terminate()


def test_deleting_a_namespace_deletes_its_objects(cluster: Cluster) -> None:
    cluster.k(f"delete -f {cluster.file}")

    assert "No resources found" in cluster.k(f"get all -n {SPACE}")
    assert cluster.inner.get("namespaces", "", SPACE) is None


def test_unknown_resources_are_reported(cluster: Cluster) -> None:
    assert "the server doesn't have a resource type" in cluster.k("get jobs", fails=True)
    assert 'pods "nobody" not found' in cluster.k(f"get pod nobody -n {SPACE}", fails=True)


def test_existing_files_are_kept(cluster: Cluster, tmp_path: Path) -> None:
    eventually(lambda: "2/2" in cluster.k(f"get deploy -n {SPACE}"), "both ready")
    cluster.inner.close()
    cluster.inner.save(tmp_path / "kept")

    again = SimulatedCluster(nodes=())
    assert again.load(tmp_path / "kept")
    again.serve()
    try:
        kubeconfig = again.write_kubeconfig(tmp_path / "again")
        found = json.loads(kubectl(kubeconfig, "get", "deploy,pods", "-n", SPACE, "-o", "json"))["items"]
        assert {x["metadata"]["name"] for x in found if x["kind"] == "Pod"} == set(cluster.pods())
        kubectl(kubeconfig, "scale", "deployment/web", "-n", SPACE, "--replicas=1")
        eventually(lambda: len(again.objects("pods", SPACE)) == 1, "one pod")
    finally:
        again.close()


def test_nodes_can_be_cordoned(cluster: Cluster) -> None:
    cluster.k("cordon node-0")

    assert "Ready,SchedulingDisabled" in cluster.k("get nodes")
    cluster.k(f"scale deployment/web -n {SPACE} --replicas=4")
    cluster.k(f"rollout status deployment/web -n {SPACE} --timeout=20s")
    placed = [pod["spec"]["nodeName"] for pod in cluster.inner.objects("pods", SPACE)]
    assert placed.count("node-1") == 3
