"""The pods of a workload's services, confined as the adapter's file says; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.gpus import NodeGpu, node_affinity, pod_vendor
from reconciler.adapters.kubernetes.quantities import bytes_quantity, count_quantity, cpu_quantity
from reconciler.values.clusters import KubernetesSettings, OptOut, PodSecurity
from reconciler.values.desired import Env, Service, Workload
from reconciler.values.images import CAPABILITIES
from reconciler.values.resources import SHARED_MEMORY_CLASS, Resources
from reconciler.values.specification import ContainerProbe, ServiceVolume

Manifest = dict[str, Any]
EPHEMERAL_MIN_BYTES = 5 << 20
"""The smallest volume of an order. A kubelet ignores a limit of 0, and a quota rejects a pod without one."""

RESTRICTED_CAPABILITIES = ("NET_BIND_SERVICE",)
"""The only one of `CAPABILITIES` that the Pod Security Standard `restricted` admits."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A workload, and what its objects depend on beside its file; `digest` is stored with them.
    `user_namespaces` are the runtime handlers ("": the default one) that have them on every node that may get
    its pods; `gpus` are those of the nodes. `overheads` are what each RuntimeClass takes for a pod.
    `claimed_classes` are the cluster's classes of volumes that exist, by service and volume; they cannot
    change.
    """

    namespace: str
    workload: Workload
    digest: str
    settings: KubernetesSettings
    user_namespaces: frozenset[str] = frozenset()
    gpus: tuple[NodeGpu, ...] = ()
    overheads: tuple[tuple[str, Resources], ...] = ()
    claimed_classes: Mapping[tuple[str, str], str] = field(default_factory=dict)


def pod_spec(rendering: Rendering, service: Service, aliases: Sequence[Manifest]) -> Manifest:
    """Without access to the cluster's API and without names of other tenants' Services; `aliases` are host
    names with their addresses.
    """
    settings = rendering.settings
    security: Manifest = {}
    if OptOut.SECCOMP not in settings.opt_outs:
        security["seccompProfile"] = {"type": "RuntimeDefault"}
    if settings.pod_security is PodSecurity.RESTRICTED:
        security["runAsNonRoot"] = True
    spec: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": service.grace_seconds,
        "securityContext": security,
        "containers": [_container(rendering, service)],
    }
    runtime_class = runtime_class_of(settings, service)
    if runtime_class in rendering.user_namespaces and OptOut.USER_NAMESPACES not in settings.opt_outs:
        spec["hostUsers"] = False
    optional: Manifest = {
        "affinity": node_affinity(service, rendering.gpus, settings.gpu_labels),
        "runtimeClassName": runtime_class,
        "imagePullSecrets": _pull_secrets(rendering, service),
        "hostAliases": list(aliases),
        "volumes": [_empty_dir(volume) for volume in service.volumes if not volume.is_persistent],
    }
    return spec | {name: value for name, value in optional.items() if value}


def _pull_secrets(rendering: Rendering, service: Service) -> list[Manifest]:
    if service.credentials is None:
        return []
    return [{"name": naming.pull_secret_name(rendering.workload.id, service.name)}]


def runtime_class_of(settings: KubernetesSettings, service: Service) -> str:
    """The RuntimeClass of a service's pods; "" for the cluster's default."""
    return (settings.gpu_runtime_class if service.resources.gpu else "") or settings.runtime_class


def pod_amounts(service: Service, gpus: Sequence[NodeGpu] = ()) -> dict[str, str]:
    """The requests and limits of a service's container. Shared memory counts against its memory, volumes
    without a class against its ephemeral storage.
    """
    resources = service.resources
    amounts = {
        "cpu": cpu_quantity(resources.cpu_milli),
        "memory": bytes_quantity(resources.memory_bytes),
        "ephemeral-storage": bytes_quantity(max(service.ephemeral_bytes, EPHEMERAL_MIN_BYTES)),
    }
    if resources.gpu:
        amounts[naming.GPUS[pod_vendor(service, gpus)]] = count_quantity(resources.gpu)
    return amounts


def _container(rendering: Rendering, service: Service) -> Manifest:
    settings, amounts = rendering.settings, pod_amounts(service, rendering.gpus)
    restricted = settings.pod_security is PodSecurity.RESTRICTED
    container: Manifest = {
        "name": service.name,
        "image": service.image,
        "imagePullPolicy": _pull_policy(settings),
        "resources": {"requests": amounts, "limits": amounts},
        "securityContext": {
            "allowPrivilegeEscalation": OptOut.PRIVILEGE_ESCALATION in settings.opt_outs,
            "privileged": False,
            "capabilities": {
                "drop": ["ALL"],
                "add": list(RESTRICTED_CAPABILITIES if restricted else CAPABILITIES),
            },
        },
    }
    optional: Manifest = {
        "command": list(service.command),
        "args": list(service.args),
        "env": [_env(env) for env in service.env],
        "ports": [{"containerPort": p, "protocol": protocol} for p, protocol in _container_ports(service)],
        "volumeMounts": [_mount(volume) for volume in service.volumes],
        "livenessProbe": _probe(service.liveness),
        "readinessProbe": _probe(service.readiness),
    }
    return container | {name: value for name, value in optional.items() if value}


def _empty_dir(volume: ServiceVolume) -> Manifest:
    """A volume that ends with its pod: of the node's memory or its disk. The kubelet evicts a pod that writes
    more than its size to the disk.
    """
    medium = {"medium": "Memory"} if volume.storage_class == SHARED_MEMORY_CLASS else {}
    return {"name": volume.name, "emptyDir": medium | {"sizeLimit": bytes_quantity(volume.size_bytes)}}


def _mount(volume: ServiceVolume) -> Manifest:
    mount: Manifest = {"name": volume.name, "mountPath": volume.mount}
    return mount | ({"readOnly": True} if volume.read_only else {})


def _probe(probe: ContainerProbe | None) -> Manifest:
    if probe is None:
        return {}
    timing: Manifest = {
        "periodSeconds": probe.period_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "failureThreshold": probe.failures,
    }
    if probe.initial_delay_seconds:
        timing["initialDelaySeconds"] = probe.initial_delay_seconds
    if probe.path:
        return timing | {"httpGet": {"path": probe.path, "port": probe.port}}
    if probe.port:
        return timing | {"tcpSocket": {"port": probe.port}}
    return timing | {"exec": {"command": list(probe.command)}}


def _pull_policy(settings: KubernetesSettings) -> str:
    """A node's cache may hold another tenant's private image, so that its registry is asked each time."""
    return "IfNotPresent" if OptOut.IMAGE_PULL in settings.opt_outs else "Always"


def _container_ports(service: Service) -> list[tuple[int, str]]:
    return sorted({(port.port, port.protocol) for port in service.ports})


def _env(env: Env) -> Manifest:
    """A secret is a reference (`name/key`); its value never passes through here."""
    if env.secret is None:
        return {"name": env.name, "value": env.value or ""}
    name, _, key = env.secret.partition("/")
    return {"name": env.name, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}
