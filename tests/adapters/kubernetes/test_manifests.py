from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.manifests import (
    controller_manifests,
    frame_manifests,
    parts_of,
    policy_manifests,
    service_manifests,
)
from reconciler.adapters.kubernetes.namespaces import limits_manifest, namespace_manifest, quota_manifest
from reconciler.values.clusters import GlobalPorts, LeaseIsolation, OptOut, PodSecurity, VolumeClass
from reconciler.values.desired import Env, Port
from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.resources import Resources
from reconciler.values.specification import ContainerProbe, Rollout, RolloutStrategy, ServiceVolume
from tests.adapters.kubernetes.makers import SPACE, Object, rendering
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

    found = container(only(controller_manifests(rendering(workload(1, given)), {})))

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
    manifest = only(controller_manifests(rendering(workload(1)), {}))

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
    strategy = only(controller_manifests(rendering(workload(1)), {}))["spec"]["strategy"]

    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_a_paused_workload_has_no_replicas() -> None:
    assert only(controller_manifests(rendering(workload(1, service(count=3))), {}))["spec"]["replicas"] == 3
    assert only(controller_manifests(rendering(workload(1, paused=True)), {}))["spec"]["replicas"] == 0


def test_services_find_each_other_by_their_manifest_names() -> None:
    wanted = workload(1, service(), service("db", ports=(Port(5432),)))

    manifests = controller_manifests(rendering(wanted), {"db": "10.96.0.7"})

    aliases = [manifest["spec"]["template"]["spec"]["hostAliases"] for manifest in manifests]
    assert aliases == [[{"ip": "10.96.0.7", "hostnames": ["db"]}]] * 2


def test_exposed_ports_get_a_service_and_public_ones_a_node_port() -> None:
    wanted = workload(
        1,
        service(ports=(Port(80, exposed_as=8080, public=True), Port(9000), Port(53, protocol="UDP"))),
        service("db", ports=(Port(5432),)),
        service("job"),
    )

    web, public, db = service_manifests(rendering(wanted))

    types = [each["spec"]["type"] for each in (web, public, db)]
    assert types == ["ClusterIP", "NodePort", "ClusterIP"]
    assert public["metadata"]["name"] == f"web-{wanted.id}-np"
    outside = {"name": "tcp-8080", "port": 8080, "targetPort": 80, "protocol": "TCP"}
    assert public["spec"]["ports"] == [outside]
    assert [port["port"] for port in web["spec"]["ports"]] == [8080, 9000, 53]
    assert db["spec"]["selector"] == {"virtengine.com/workload": wanted.id, "virtengine.com/service": "db"}


def test_every_object_names_its_lease_digest_and_parts() -> None:
    wanted = workload(1, service(ports=(Port(80),)), service("db"))

    made = (controller_manifests(rendering(wanted), {}), service_manifests(rendering(wanted)))
    for manifest in (*made[0], *made[1], *policy_manifests(rendering(wanted))):
        notes = manifest["metadata"]["annotations"]
        assert notes["virtengine.com/lease"] == str(wanted.lease)
        assert notes["virtengine.com/digest"] == "d"
        assert notes["virtengine.com/parts"].split(",") == list(parts_of(rendering(wanted)))
    assert parts_of(rendering(wanted)) == (
        f"deployment/db-{wanted.id}",
        f"deployment/web-{wanted.id}",
        f"networkpolicy/db-{wanted.id}",
        f"networkpolicy/web-{wanted.id}",
        f"service/web-{wanted.id}",
    )


def test_a_changed_digest_alone_restarts_no_pod() -> None:
    first, second = (only(controller_manifests(rendering(workload(1), digest), {})) for digest in "ab")

    assert first["spec"] == second["spec"]


def test_a_changed_pod_specification_changes_the_hash() -> None:
    marks = {
        only(controller_manifests(rendering(workload(1, service(image=image))), {}))["metadata"]["labels"][
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
    assert (
        namespace_manifest(SPACE, PodSecurity.BASELINE, {})["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        == "baseline"
    )


def pod_of(**settings: Any) -> Object:
    manifest = only(controller_manifests(rendering(workload(1), **settings), {}))
    found: Object = manifest["spec"]["template"]["spec"]
    return found


def test_a_container_without_storage_has_a_limit_that_a_kubelet_heeds() -> None:
    given = replace(service(), resources=Resources(100, 1 << 20, 0))
    limits = container(only(controller_manifests(rendering(workload(1, given)), {})))["resources"]["limits"]
    assert limits["ephemeral-storage"] == "5Mi"


def test_pods_are_in_user_namespaces_where_all_nodes_have_them() -> None:
    assert "hostUsers" not in pod_of()
    assert pod_of(nodes=True)["hostUsers"] is False
    assert "hostUsers" not in pod_of(nodes=True, opt_outs=(OptOut.USER_NAMESPACES,))


def test_each_opt_out_changes_one_thing() -> None:
    strict = pod_of()
    assert strict["containers"][0]["imagePullPolicy"] == "Always"
    cached = pod_of(opt_outs=(OptOut.IMAGE_PULL,))["containers"][0]
    assert cached == strict["containers"][0] | {"imagePullPolicy": "IfNotPresent"}
    assert pod_of(opt_outs=(OptOut.SECCOMP,)) == strict | {"securityContext": {}}
    gaining = pod_of(opt_outs=(OptOut.PRIVILEGE_ESCALATION,))["containers"][0]["securityContext"]
    assert gaining == strict["containers"][0]["securityContext"] | {"allowPrivilegeEscalation": True}


def test_restricted_pods_run_without_root_and_a_runtime_class_is_named() -> None:
    pod = pod_of(pod_security=PodSecurity.RESTRICTED, runtime_class="gvisor")
    assert pod["runtimeClassName"] == "gvisor"
    assert pod["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}, "runAsNonRoot": True}
    assert pod["containers"][0]["securityContext"]["capabilities"]["add"] == ["NET_BIND_SERVICE"]


def test_a_load_balancer_has_the_global_ports_only() -> None:
    wanted = workload(1, service(ports=(Port(80, public=True), Port(5432))))
    inner, outer = service_manifests(rendering(wanted, global_ports=GlobalPorts.LOAD_BALANCER))
    assert (inner["spec"]["type"], outer["spec"]["type"]) == ("ClusterIP", "LoadBalancer")
    assert [port["port"] for port in outer["spec"]["ports"]] == [80]


def test_a_lease_with_its_own_namespace_has_all_objects_there() -> None:
    wanted = workload(1, service(ports=(Port(80),), count=2))
    made = rendering(wanted, isolation=LeaseIsolation.NAMESPACE)
    frame = frame_manifests(made, ())
    objects = [*frame, *policy_manifests(made), *service_manifests(made), *controller_manifests(made, {})]
    assert {each["metadata"].get("namespace", "") for each in objects} == {"", wanted.id}
    assert {f"{each['kind'].lower()}/{each['metadata']['name']}" for each in objects} == set(parts_of(made))
    assert all(each["metadata"]["labels"]["virtengine.com/workload"] == wanted.id for each in objects)
    space, _, _, quota = frame
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"
    assert quota["spec"]["hard"]["limits.cpu"] == "400m", "twice 2 x 100m: a pod that ends still counts"
    assert quota["spec"]["hard"]["pods"] == "4"


def test_the_quota_of_a_lease_has_the_overhead_of_its_runtime_class() -> None:
    """Of each pod by its own class; a class that is not known has none."""
    web = service(count=2)
    gpu = replace(service("gpu"), resources=replace(service().resources, gpu=1))
    made = rendering(
        workload(1, web, gpu),
        isolation=LeaseIsolation.NAMESPACE,
        runtime_class="kata",
        gpu_runtime_class="nvidia",
    )

    def limit(*overheads: tuple[str, Resources]) -> str:
        hard = frame_manifests(replace(made, overheads=overheads), ())[-1]["spec"]["hard"]
        return f"{hard['requests.cpu']} {hard['limits.cpu']}"

    assert limit() == "600m 600m"
    assert limit(("kata", Resources(250))) == "1600m 1600m"
    assert limit(("kata", Resources(250)), ("nvidia", Resources(50))) == "1700m 1700m"


def test_default_limits_let_a_quota_admit_pods_of_others() -> None:
    (limits,) = limits_manifest(SPACE, {})["spec"]["limits"]
    assert limits["default"] == limits["defaultRequest"]
    assert set(limits["default"]) == {"cpu", "memory", "ephemeral-storage"}


def test_volumes_probes_and_grace_are_those_of_the_service() -> None:
    given = service(
        volumes=(ServiceVolume("shm", 64 << 20, "/dev/shm", "ram"), ServiceVolume("tmp", 96 << 20, "/tmp")),
        liveness=ContainerProbe(80, "/live", initial_delay_seconds=5, failures=2),
        readiness=ContainerProbe(80),
        grace_seconds=90,
    )

    pod = only(controller_manifests(rendering(workload(1, given)), {}))["spec"]["template"]["spec"]

    (found,) = pod["containers"]
    assert pod["volumes"] == [
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "96Mi"}},
    ]
    assert found["volumeMounts"] == [
        {"name": "shm", "mountPath": "/dev/shm"},
        {"name": "tmp", "mountPath": "/tmp"},
    ]
    assert found["resources"]["limits"] == {"cpu": "100m", "memory": "64Mi", "ephemeral-storage": "64Mi"}
    timing = {"periodSeconds": 10, "timeoutSeconds": 1}
    assert found["livenessProbe"] == timing | {
        "initialDelaySeconds": 5,
        "failureThreshold": 2,
        "httpGet": {"path": "/live", "port": 80},
    }
    assert found["readinessProbe"] == timing | {"failureThreshold": 3, "tcpSocket": {"port": 80}}
    assert pod["terminationGracePeriodSeconds"] == 90


@pytest.mark.parametrize(
    ("rollout", "strategy"),
    [
        (Rollout(RolloutStrategy.RECREATE), {"type": "Recreate"}),
        (
            Rollout(max_unavailable=3),
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 3}},
        ),
    ],
)
def test_a_rollout_follows_the_service(rollout: Rollout, strategy: Object) -> None:
    made = only(controller_manifests(rendering(workload(1, service(rollout=rollout))), {}))
    assert made["spec"]["strategy"] == strategy


def test_a_service_with_a_persistent_volume_is_a_stateful_set() -> None:
    volume = ServiceVolume("data", 64 << 20, "/data", "beta2", read_only=True)
    wanted = workload(1, service(volumes=(volume,)), service("plain"))
    made = rendering(wanted, storage_classes=(VolumeClass("beta2", "fast", 1 << 40),))

    stateful, plain = controller_manifests(made, {})

    assert (stateful["kind"], plain["kind"]) == ("StatefulSet", "Deployment")
    (claim,) = stateful["spec"]["volumeClaimTemplates"]
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "64Mi"}},
    }
    assert claim["metadata"]["annotations"]["virtengine.com/storage-class"] == "beta2"
    mounts = container(stateful)["volumeMounts"]
    assert mounts == [{"name": "data", "mountPath": "/data", "readOnly": True}]
    assert "volumes" not in stateful["spec"]["template"]["spec"]
    assert container(stateful)["resources"]["limits"]["ephemeral-storage"] == "64Mi"
    assert f"statefulset/{stateful['metadata']['name']}" in parts_of(made)
    assert "volumeClaimTemplates" not in json.loads(
        stateful["metadata"]["annotations"]["virtengine.com/applied"]
    )
    existing = replace(made, claimed_classes={("web", "data"): "slow"})
    (again, _) = controller_manifests(existing, {})
    assert again["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "slow"


def test_a_stateful_sets_name_leaves_room_for_its_revisions() -> None:
    longest = workload_id(LeaseId(OrderId("ve1a", 2**64 - 1, 2**32 - 1, 2**32 - 1), "ve1p"))
    names = {naming.stateful_name(longest, name) for name in ("web", "w" * 63, "v" * 63)}
    assert len(names) == 3
    assert all(len(name) <= 52 for name in names)
    short = workload(1).id
    assert naming.stateful_name(short, "web") == naming.object_name(short, "web")


def test_the_order_of_volumes_in_a_file_changes_no_claim() -> None:
    """Claim templates cannot be changed."""
    volumes = tuple(ServiceVolume(name, 64 << 20, f"/{name}", "beta2") for name in ("b", "a"))
    given = (rendering(workload(1, service(volumes=each))) for each in (volumes, volumes[::-1]))
    first, second = (only(controller_manifests(each, {})) for each in given)
    assert first["spec"]["volumeClaimTemplates"] == second["spec"]["volumeClaimTemplates"]
