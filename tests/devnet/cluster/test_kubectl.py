"""Real kubectl against the simulated cluster: the cheat sheet's commands, and reads."""

from __future__ import annotations

import subprocess

import pytest

from tests.contracts.adapter_backends import KUBECTL, eventually
from tests.devnet.cluster.kubectls import SPACE, Cluster


def test_the_version_names_the_simulator(cluster: Cluster) -> None:
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


def test_discovery_lists_the_kinds(cluster: Cluster) -> None:
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
    before = cluster.inner.request_counts["list", "pods"]

    assert len(cluster.k(f"get pods -n {SPACE} -o name --chunk-size=1").splitlines()) == 2

    assert cluster.inner.request_counts["list", "pods"] - before == 2
