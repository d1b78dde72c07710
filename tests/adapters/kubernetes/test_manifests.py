from __future__ import annotations

from reconciler.adapters.kubernetes.manifests import (
    deployment_manifests,
    namespace_manifest,
    parts_of,
    policy_manifests,
    quota_manifest,
    service_manifests,
)
from reconciler.values.desired import Env, Port
from reconciler.values.resources import Resources
from tests.adapters.kubernetes.makers import SPACE, Object
from tests.contracts.adapter_backends import service, workload


def only(manifests: list[Object]) -> Object:
    (manifest,) = manifests
    return manifest


def container(manifest: Object) -> Object:
    found: Object = manifest["spec"]["template"]["spec"]["containers"][0]
    return found


def test_a_container_has_the_services_resources_and_program() -> None:
    given = service(
        command=("serve",),
        args=("--all",),
        env=(Env("MODE", "a"), Env("KEY", secret="keys/token")),
        ports=(Port(80), Port(53, protocol="UDP"), Port(80, exposed_as=81)),
    )
    given = type(given)(
        **{name: getattr(given, name) for name in given.__slots__}
        | {"resources": Resources(1500, 1 << 30, 2 << 30, 1)}
    )

    found = container(only(deployment_manifests(SPACE, workload(1, given), "d", {})))

    amounts = {"cpu": "1500m", "memory": "1Gi", "ephemeral-storage": "2Gi", "nvidia.com/gpu": "1"}
    assert found["resources"] == {"requests": amounts, "limits": amounts}
    assert (found["command"], found["args"]) == (["serve"], ["--all"])
    assert found["env"] == [
        {"name": "MODE", "value": "a"},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}},
    ]
    assert found["ports"] == [
        {"containerPort": 53, "protocol": "UDP"},
        {"containerPort": 80, "protocol": "TCP"},
    ]


def test_a_tenants_pod_has_no_privileges() -> None:
    manifest = only(deployment_manifests(SPACE, workload(1), "d", {}))

    pod = manifest["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(manifest)["securityContext"]["allowPrivilegeEscalation"] is False
    assert container(manifest)["securityContext"]["privileged"] is False
    assert container(manifest)["securityContext"]["capabilities"] == {
        "drop": ["ALL"],
        "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"],
    }


def test_a_rollout_never_exceeds_the_lease() -> None:
    strategy = only(deployment_manifests(SPACE, workload(1), "d", {}))["spec"]["strategy"]

    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_a_paused_workload_has_no_replicas() -> None:
    assert only(deployment_manifests(SPACE, workload(1, service(count=3)), "d", {}))["spec"]["replicas"] == 3
    assert only(deployment_manifests(SPACE, workload(1, paused=True), "d", {}))["spec"]["replicas"] == 0


def test_services_find_each_other_by_their_manifest_names() -> None:
    wanted = workload(1, service(), service("db", ports=(Port(5432),)))

    manifests = deployment_manifests(SPACE, wanted, "d", {"db": "10.96.0.7"})

    aliases = [manifest["spec"]["template"]["spec"]["hostAliases"] for manifest in manifests]
    assert aliases == [[{"ip": "10.96.0.7", "hostnames": ["db"]}]] * 2


def test_exposed_ports_get_a_service_and_public_ones_a_node_port() -> None:
    wanted = workload(
        1,
        service(ports=(Port(80, exposed_as=8080, public=True), Port(9000), Port(53, protocol="UDP"))),
        service("db", ports=(Port(5432),)),
        service("job"),
    )

    web, public, db = service_manifests(SPACE, wanted, "d")

    types = [each["spec"]["type"] for each in (web, public, db)]
    assert types == ["ClusterIP", "NodePort", "ClusterIP"]
    assert public["metadata"]["name"] == f"web-{wanted.id}-np"
    outside = {"name": "tcp-8080", "port": 8080, "targetPort": 80, "protocol": "TCP"}
    assert public["spec"]["ports"] == [outside]
    assert [port["port"] for port in web["spec"]["ports"]] == [8080, 9000, 53]
    assert db["spec"]["selector"] == {"virtengine.com/workload": wanted.id, "virtengine.com/service": "db"}


def test_every_object_names_its_lease_digest_and_parts() -> None:
    wanted = workload(1, service(ports=(Port(80),)), service("db"))

    made = (deployment_manifests(SPACE, wanted, "d", {}), service_manifests(SPACE, wanted, "d"))
    for manifest in (*made[0], *made[1], *policy_manifests(SPACE, wanted, "d")):
        notes = manifest["metadata"]["annotations"]
        assert notes["virtengine.com/lease"] == str(wanted.lease)
        assert notes["virtengine.com/digest"] == "d"
        assert notes["virtengine.com/parts"].split(",") == list(parts_of(wanted))
    assert parts_of(wanted) == (
        f"deployment/db-{wanted.id}",
        f"deployment/web-{wanted.id}",
        f"networkpolicy/db-{wanted.id}",
        f"networkpolicy/web-{wanted.id}",
        f"service/web-{wanted.id}",
    )


def test_a_changed_digest_alone_restarts_no_pod() -> None:
    first, second = (only(deployment_manifests(SPACE, workload(1), digest, {})) for digest in "ab")

    assert first["spec"] == second["spec"]


def test_a_changed_pod_specification_changes_the_hash() -> None:
    marks = {
        only(deployment_manifests(SPACE, workload(1, service(image=image)), "d", {}))["metadata"]["labels"][
            "virtengine.com/spec"
        ]
        for image in ("a:1", "a:2")
    }

    assert len(marks) == 2


def test_the_quota_covers_all_workloads() -> None:
    quota = quota_manifest(SPACE, Resources(64_000, 256 << 30, 2 << 40, 4))

    assert quota["spec"]["hard"] == {
        "requests.cpu": "64",
        "requests.memory": "256Gi",
        "requests.ephemeral-storage": "2Ti",
        "limits.cpu": "64",
        "limits.memory": "256Gi",
        "limits.ephemeral-storage": "2Ti",
        "requests.nvidia.com/gpu": "4",
    }


def test_the_namespace_rejects_privileged_pods() -> None:
    assert namespace_manifest(SPACE)["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"
