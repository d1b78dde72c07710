"""The manifests in docs/service: what they grant is what the adapter uses, on a real API server too."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.adapters.kubernetes.adapter import KubernetesAdapter
from reconciler.adapters.kubernetes.client import ApiClient
from reconciler.adapters.kubernetes.cluster_observer import ClusterTarget as Cluster
from reconciler.adapters.kubernetes.kubeconfig import Kubeconfig
from reconciler.adapters.kubernetes.permissions import (
    Permission,
    denied_permissions,
    ingress_permissions,
    optional_permissions,
    required_permissions,
)
from reconciler.documents.host import read_host
from reconciler.documents.host_model import HostFile
from reconciler.values.clusters import IngressController, KubernetesSettings, LeaseIsolation
from reconciler.values.desired import Port
from reconciler.values.outcomes import Done
from reconciler.values.readings import Seen
from reconciler.values.resources import Resources
from tests.contracts.adapter_backends import service, workload

PATH = Path(__file__).parents[2] / "docs/service/kubernetes.yaml"
INGRESS_PATH = PATH.with_name("kubernetes-ingress.yaml")
NAMESPACES_PATH = PATH.with_name("kubernetes-namespaces.yaml")
ACCOUNT = "system:serviceaccount:virtengine-provider:provider-daemon"
WORKLOADS = "provider-workloads"
METRICS = Permission("list", "pods", "metrics.k8s.io")
SERVICE_RANGES = Permission("list", "servicecidrs", "networking.k8s.io", everywhere=True)
REQUIRED = required_permissions(LeaseIsolation.SHARED)


def documents(kind: str, path: Path = PATH) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(path.read_text()) if each["kind"] == kind]


def granted(path: Path) -> set[Permission]:
    return {
        Permission(verb, resource, group, kind == "ClusterRole")
        for kind in ("Role", "ClusterRole")
        for role in documents(kind, path)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_what_is_granted_is_what_is_needed_and_no_more() -> None:
    assert {METRICS, SERVICE_RANGES} < set(optional_permissions(LeaseIsolation.SHARED))
    assert granted(PATH) == {*REQUIRED, METRICS, SERVICE_RANGES}


def test_namespaces_of_leases_need_what_is_granted_further() -> None:
    apart = LeaseIsolation.NAMESPACE
    needed = {*required_permissions(apart), *optional_permissions(apart)}
    needed |= {each for controller in IngressController for each in ingress_permissions(controller, apart)}
    assert granted(NAMESPACES_PATH) == needed - granted(PATH)


def test_host_names_need_what_is_granted_further() -> None:
    shared = LeaseIsolation.SHARED
    needed = {each for controller in IngressController for each in ingress_permissions(controller, shared)}
    assert granted(INGRESS_PATH) == needed | {
        Permission("get", "ingressclasses", "networking.k8s.io", everywhere=True),
        Permission("get", "gateways", "gateway.networking.k8s.io", everywhere=True),
    }


def test_the_host_file_in_it_is_valid() -> None:
    (config,) = documents("ConfigMap")
    assert isinstance(read_host("host.yaml", config["data"]["host.yaml"].encode()), HostFile)
    assert yaml.safe_load(config["data"]["kubeconfig"])["kind"] == "Config"


def test_one_daemon_that_can_do_little() -> None:
    (made,) = documents("StatefulSet")
    pod = made["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert made["spec"]["replicas"] == 1
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.fixture(scope="module")
def applied() -> Iterator[None]:
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("make live KUBECONFIG=... names the real cluster")
    namespaces = kubectl("get", "namespaces", "-o", "name")
    was_there = {f"namespace/{WORKLOADS}", "namespace/virtengine-provider"} & set(namespaces.split())
    kubectl("apply", "-f", str(PATH))
    yield
    if not was_there:
        kubectl("delete", "--wait=false", "-f", str(PATH))


def kubectl(*arguments: str, fails: bool = False) -> str:
    done = subprocess.run(["kubectl", *arguments], capture_output=True, text=True, timeout=60)
    assert fails or done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def can(permission: Permission, namespace: str = WORKLOADS) -> bool:
    resource = f"{permission.resource.partition('/')[0]}{'.' if permission.group else ''}{permission.group}"
    _, _, subresource = permission.resource.partition("/")
    if permission == Permission("get", "namespaces"):  # can-i forgets the namespace of what lies in none
        return "not found" not in kubectl("get", "namespace", namespace, f"--as={ACCOUNT}")
    where = ["--all-namespaces"] if permission.everywhere else ["--namespace", namespace]
    sub = [f"--subresource={subresource}"] if subresource else []
    answer = kubectl("auth", "can-i", permission.verb, resource, *sub, *where, f"--as={ACCOUNT}", fails=True)
    return answer.strip().splitlines()[-1] == "yes"


@pytest.mark.live
@pytest.mark.usefixtures("applied")
def test_a_real_server_takes_it_and_grants_what_is_needed() -> None:
    told = kubectl("apply", "--dry-run=server", "-f", str(PATH))
    assert "Warning" not in told
    assert [permission.describe() for permission in REQUIRED if not can(permission)] == []
    assert can(METRICS)


@pytest.mark.live
@pytest.mark.usefixtures("applied")
def test_the_adapter_works_with_the_account_s_own_token(tmp_path: Path) -> None:
    config = yaml.safe_load(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "yaml"))
    (tmp_path / "token").write_text(
        kubectl("create", "token", "provider-daemon", "-n", "virtengine-provider", "--duration=600s")
    )
    config["users"] = [{"name": "a", "user": {"tokenFile": "token"}}]
    config["contexts"][0]["context"]["user"] = "a"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    kubeconfig = Kubeconfig(tmp_path / "kubeconfig")
    client = ApiClient(kubeconfig)
    assert denied_permissions(client, WORKLOADS, REQUIRED) == ()
    client.close()
    adapter = KubernetesAdapter(Cluster(kubeconfig, KubernetesSettings()), lambda: None)
    adapter.start()
    try:
        assert isinstance(adapter.prepare(Resources(1000, 1 << 30, 1 << 30, 0)), Done)
        wanted = workload(191, service(ports=(Port(80, public=True),)))
        assert adapter.apply(wanted, "d") == Done()
        assert isinstance(adapter.remove(wanted.id), Done)
        view = adapter.observe()
        assert isinstance(view.workloads, Seen), view
        assert isinstance(view.capacity, Seen), view
    finally:
        adapter.close()


@pytest.mark.live
@pytest.mark.usefixtures("applied")
def test_a_real_server_grants_nothing_else() -> None:
    never = [
        Permission("list", "secrets"),
        Permission("get", "secrets"),
        Permission("create", "pods"),
        Permission("create", "pods/exec"),
        Permission("delete", "namespaces"),
        Permission("patch", "namespaces"),
        Permission("create", "rolebindings", "rbac.authorization.k8s.io"),
        Permission("delete", "resourcequotas"),
        Permission("create", "namespaces", everywhere=True),
        Permission("list", "secrets", everywhere=True),
        Permission("patch", "nodes", everywhere=True),
        Permission("delete", "pods", everywhere=True),
        Permission("create", "deployments", "apps", everywhere=True),
    ]
    assert [permission.describe() for permission in never if can(permission)] == []
    elsewhere = [
        Permission("create", "deployments", "apps"),
        Permission("list", "secrets"),
        Permission("get", "pods/log"),
    ]
    assert [
        permission.describe()
        for permission in elsewhere
        for space in ("default", "virtengine-provider")
        if can(permission, space)
    ] == []
