"""What a real API server admits: each rendered object, strictly; no pod below the namespace's standard."""

from __future__ import annotations

import json
from itertools import product

import pytest

from reconciler.adapters.kubernetes.manifests import (
    controller_manifests,
    frame_manifests,
    policy_manifests,
    service_manifests,
)
from reconciler.adapters.kubernetes.namespaces import namespace_manifest
from reconciler.adapters.kubernetes.pods import Rendering
from reconciler.values.clusters import GlobalPorts, KubernetesSettings, LeaseIsolation, PodSecurity
from reconciler.values.desired import Port
from tests.contracts.adapter_backends import ClusterBackend, service, workload

WANTED = workload(190, service(ports=(Port(80, public=True), Port(5432))))
PRIVILEGED = {"hostNetwork": True, "containers": [{"name": "a", "image": "registry.example/a:1"}]}


@pytest.mark.live
@pytest.mark.parametrize("cluster", ["real"], indirect=True)
@pytest.mark.parametrize(("level", "isolation"), [*product(PodSecurity, LeaseIsolation)])
def test_rendered_objects_pass_and_weaker_pods_do_not(
    cluster: ClusterBackend, level: PodSecurity, isolation: LeaseIsolation
) -> None:
    settings = KubernetesSettings(
        isolation=isolation, pod_security=level, global_ports=GlobalPorts.LOAD_BALANCER
    )
    space = f"{cluster.namespace}-{level}-{isolation}"
    rendering = Rendering(space, WANTED, "d", settings, user_namespaces=frozenset({""}))
    frame = [each for each in frame_manifests(rendering, ()) if each["kind"] != "Namespace"]
    objects = [*frame, *policy_manifests(rendering), *service_manifests(rendering)]
    objects += controller_manifests(rendering, {"web": "10.0.0.1"})
    template = objects[-1]["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": template["spec"]}
    strict = ("apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", "-")
    cluster.kubectl(*strict, stdin=json.dumps(namespace_manifest(space, level, {})))
    try:
        everything = json.dumps({"apiVersion": "v1", "kind": "List", "items": [*objects, pod]})
        told = cluster.kubectl(*strict, "--dry-run=server", stdin=everything, space=space)
        assert "Warning" not in told
        weak = json.dumps(pod | {"metadata": {"name": "weak"}, "spec": PRIVILEGED})
        refusal = cluster.kubectl("create", "-f", "-", stdin=weak, fails=True, space=space)
        assert f'violates PodSecurity "{level}' in refusal
    finally:
        cluster.kubectl("delete", "namespace", space, "--wait=false")
