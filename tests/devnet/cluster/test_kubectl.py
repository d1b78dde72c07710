"""Real kubectl against the simulated cluster: each command of the operator's sheet, and the demo's needs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.devnet.cluster.cluster import SimulatedCluster
from tests.contracts.adapter_worlds import KUBECTL, eventually, kubectl

SPACE = "provider-workloads"
MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: provider-workloads}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: provider-capacity, namespace: provider-workloads}
spec: {hard: {requests.cpu: "8", limits.cpu: "8", requests.memory: 8Gi, limits.memory: 8Gi, pods: "20"}}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: provider-workloads}
stringData: {user: admin}
data: {token: czNjcjN0}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: provider-workloads, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:1
        resources: {limits: {cpu: 500m, memory: 256Mi}}
        ports: [{containerPort: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: provider-workloads}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


class Cluster:
    """A simulated cluster with kubectl at hand."""

    def __init__(self, scratch: Path) -> None:
        self.inner = SimulatedCluster()
        self.inner.serve()
        self.kubeconfig = self.inner.write_kubeconfig(scratch / "kubeconfig")
        self.file = scratch / "manifest.yaml"
        self.file.write_text(MANIFEST)

    def k(self, line: str, *words: str, fails: bool = False, stdin: str = "") -> str:
        return kubectl(self.kubeconfig, *line.split(), *words, fails=fails, stdin=stdin)

    def pods(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.inner.objects("pods", SPACE)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    try:
        made.k(f"apply -f {made.file}")
        made.k(f"rollout status deployment/web -n {SPACE} --timeout=20s")
        yield made
    finally:
        made.inner.close()


def test_it_says_that_it_is_a_simulator(cluster: Cluster) -> None:
    assert "simulated" in cluster.k("version")
    assert "SIMULATED" in cluster.kubeconfig.read_text()


def test_the_sheet_lists_pods_wide(cluster: Cluster) -> None:
    head, *rows = cluster.k(f"get pods -n {SPACE} -o wide").splitlines()

    assert head.split()[:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert [row.split()[1:4] for row in rows] == [["1/1", "Running", "0"]] * 2
    assert {row.split()[6] for row in rows} == {"node-0", "node-1"}


def test_the_sheet_describes_the_quota(cluster: Cluster) -> None:
    rows = [line.split() for line in cluster.k(f"describe resourcequota -n {SPACE}").splitlines()]

    assert ["requests.cpu", "1", "8"] in rows
    assert ["limits.memory", "512Mi", "8Gi"] in rows
    assert ["pods", "2", "20"] in rows


def test_the_sheet_lists_events_by_time(cluster: Cluster) -> None:
    printed = cluster.k(f"get events -n {SPACE} --sort-by=.lastTimestamp")

    assert printed.splitlines()[0].split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert "ScalingReplicaSet" in printed
    assert "Successfully assigned" in printed


def test_the_sheet_deletes_a_pod_that_comes_back(cluster: Cluster) -> None:
    doomed = cluster.pods()[0]

    assert "deleted" in cluster.k(f"delete pod {doomed} -n {SPACE}")

    eventually(lambda: doomed not in cluster.pods() and len(cluster.pods()) == 2, "another pod")


def test_the_sheet_verifies_the_connection(cluster: Cluster) -> None:
    assert cluster.inner.url in cluster.k("cluster-info")


def test_the_sheet_gets_all(cluster: Cluster) -> None:
    printed = cluster.k(f"get all -n {SPACE}")

    for word in ("pod/web-", "service/web", "deployment.apps/web", "replicaset.apps/web-"):
        assert word in printed


def test_the_sheet_reads_logs(cluster: Cluster) -> None:
    assert cluster.k(f"logs {cluster.pods()[0]} -n {SPACE}") == "web started from nginx:1\n"
    stamped = cluster.k(f"logs {cluster.pods()[0]} -n {SPACE} --tail=1 --timestamps")
    assert stamped.endswith("Z web started from nginx:1\n")


def test_following_a_log_ends_with_its_pod(cluster: Cluster) -> None:
    name = cluster.pods()[0]
    argv = [KUBECTL, "--kubeconfig", str(cluster.kubeconfig), "logs", "-f", name, "-n", SPACE]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        assert following.stdout.readline() == "web started from nginx:1\n"
        cluster.k(f"delete pod {name} -n {SPACE}")
        assert following.wait(20) == 0


def test_it_names_its_kinds(cluster: Cluster) -> None:
    printed = cluster.k("api-resources")

    for row in (
        "pods po v1 true Pod",
        "deployments deploy apps/v1 true Deployment",
        "nodes no v1 false Node",
    ):
        assert row.split() in [line.split() for line in printed.splitlines()]


@pytest.mark.parametrize("kind", ["ns", "no", "po", "svc", "deploy", "rs", "quota", "ev", "secret", "cm"])
def test_every_kind_prints_as_table_yaml_and_description(cluster: Cluster, kind: str) -> None:
    where = "" if kind in ("ns", "no") else f"-n {SPACE}"

    cluster.k(f"get {kind} {where}")
    assert "items:" in cluster.k(f"get {kind} {where} -o yaml")
    cluster.k(f"describe {kind} {where}")


def test_labels_and_fields_select(cluster: Cluster) -> None:
    names = "-o name -n " + SPACE

    assert cluster.k(f"get deploy -l app=web {names}") == "deployment.apps/web\n"
    assert cluster.k(f"get deploy -l app!=web {names}") == ""
    assert cluster.k(f"get deploy {names}", "-l", "app in (web, db)") == "deployment.apps/web\n"
    assert len(cluster.k(f"get pods --field-selector=spec.nodeName=node-0 {names}").splitlines()) == 1


def test_lists_come_in_pages(cluster: Cluster) -> None:
    before = cluster.inner.asked["list", "pods"]

    assert len(cluster.k(f"get pods -n {SPACE} -o name --chunk-size=1").splitlines()) == 2

    assert cluster.inner.asked["list", "pods"] - before == 2


def test_client_side_apply_changes_and_keeps(cluster: Cluster) -> None:
    assert "deployment.apps/web unchanged" in cluster.k(f"apply -f {cluster.file}")

    changed = MANIFEST.replace("nginx:1", "nginx:2").replace("replicas: 2", "replicas: 3")
    assert "deployment.apps/web configured" in cluster.k("apply -f -", stdin=changed)

    cluster.k(f"rollout status deployment/web -n {SPACE} --timeout=20s")
    images = {pod["spec"]["containers"][0]["image"] for pod in cluster.inner.objects("pods", SPACE)}
    assert images == {"nginx:2"}
    assert len(cluster.pods()) == 3


def test_server_side_apply_names_the_manager_in_the_way(cluster: Cluster) -> None:
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


def test_a_stuck_rollout_is_seen_and_undone(cluster: Cluster) -> None:
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


def test_a_namespace_goes_with_everything_in_it(cluster: Cluster) -> None:
    cluster.k(f"delete -f {cluster.file}")

    assert "No resources found" in cluster.k(f"get all -n {SPACE}")
    assert cluster.inner.get("namespaces", "", SPACE) is None


def test_what_it_does_not_know_is_said(cluster: Cluster) -> None:
    assert "the server doesn't have a resource type" in cluster.k("get ingresses", fails=True)
    assert 'pods "nobody" not found' in cluster.k(f"get pod nobody -n {SPACE}", fails=True)


def test_a_kept_world_goes_on(cluster: Cluster, tmp_path: Path) -> None:
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
