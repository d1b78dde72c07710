"""The namespaces of workloads, and the objects in them that no service needs; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.pods import EPHEMERAL_MIN_BYTES, Rendering, runtime_class_of
from reconciler.adapters.kubernetes.quantities import bytes_quantity, count_quantity, cpu_quantity
from reconciler.values.clusters import KubernetesSettings, LeaseIsolation, PodSecurity
from reconciler.values.desired import Workload
from reconciler.values.ids import WorkloadId
from reconciler.values.resources import Resources, total

Manifest = dict[str, Any]
ENFORCE = "pod-security.kubernetes.io/enforce"
DEFAULT_LIMITS = Resources(100, 128 << 20, EPHEMERAL_MIN_BYTES)
"""Of a container without limits that somebody else starts in a namespace of workloads."""

KEPT_IN_NAMESPACE = frozenset({f"networkpolicy/{naming.POLICY_NAME}"})
"""What stays in a workload's own namespace while its volumes are kept there."""

ENDING_PODS_FACTOR = 2
"""A pod that ends counts against a quota until it is gone, beside its successor."""


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Where the objects of workloads are: in one namespace, or in one of each workload's id."""

    shared: str
    is_per_lease: bool = False

    @classmethod
    def of_settings(cls, settings: KubernetesSettings) -> Namespaces:
        """As the adapter's file says."""
        return cls(settings.namespace, settings.isolation is LeaseIsolation.NAMESPACE)

    def home(self, workload: WorkloadId) -> str:
        """The namespace of a workload."""
        return workload if self.is_per_lease else self.shared

    def may_hold(self, namespace: str, workload: WorkloadId) -> bool:
        """Whether an object there may be ours: before a change of isolation all were in the shared one."""
        return namespace in (self.shared, self.home(workload))

    def path(self, group: str, plural: str) -> str:
        """The collection that holds the objects of all workloads."""
        return f"{group}/{plural}" if self.is_per_lease else f"{group}/namespaces/{self.shared}/{plural}"


def namespace_manifest(namespace: str, level: PodSecurity, labels: dict[str, str]) -> Manifest:
    """A namespace that rejects pods below this Pod Security Standard."""
    meta = {"name": namespace, "labels": {naming.MANAGED_BY: naming.MANAGER, ENFORCE: level.value} | labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def enforced_level(labels: dict[str, str]) -> str:
    """The Pod Security Standard that a namespace with these labels enforces; "" for none."""
    return labels.get(ENFORCE, "")


def quota_manifest(namespace: str, quota: Resources) -> Manifest:
    """The quota for all workloads together; requests equal limits."""
    meta = {"name": naming.QUOTA_NAME, "namespace": namespace, "labels": {naming.MANAGED_BY: naming.MANAGER}}
    spec = {"hard": _hard(quota)}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": spec}


def limits_manifest(namespace: str, labels: dict[str, str]) -> Manifest:
    """Default limits, without which the quota rejects a pod that somebody else starts."""
    amounts = _amounts(DEFAULT_LIMITS)
    spec = {"limits": [{"type": "Container", "default": amounts, "defaultRequest": amounts}]}
    meta = {
        "name": naming.LIMITS_NAME,
        "namespace": namespace,
        "labels": {naming.MANAGED_BY: naming.MANAGER} | labels,
        "annotations": {naming.APPLIED: json.dumps(spec, sort_keys=True)},
    }
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta, "spec": spec}


def lease_quota_manifest(rendering: Rendering) -> Manifest:
    """The quota of one workload's namespace, with the overhead of its pods' RuntimeClass."""
    workload = rendering.workload
    pods = sum(service.count for service in workload.services)
    floors = Resources(0, 0, EPHEMERAL_MIN_BYTES * pods)
    overheads, settings = dict(rendering.overheads), rendering.settings
    extra = [
        overheads.get(runtime_class_of(settings, service), Resources()).times(service.count)
        for service in workload.services
    ]
    whole = total([workload.resources.on_machine, floors, *extra]).times(ENDING_PODS_FACTOR)
    meta = {
        "name": naming.LEASE_QUOTA_NAME,
        "namespace": rendering.namespace,
        "labels": naming.workload_labels(workload.id),
    }
    spec = {"hard": _hard(whole) | {"pods": count_quantity(pods * ENDING_PODS_FACTOR)}}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": spec}


def frame_parts(workload: Workload) -> tuple[str, ...]:
    """The objects of a workload's own namespace that no service needs, and the namespace itself."""
    return (
        f"limitrange/{naming.LIMITS_NAME}",
        f"namespace/{workload.id}",
        f"networkpolicy/{naming.POLICY_NAME}",
        f"resourcequota/{naming.LEASE_QUOTA_NAME}",
    )


def _hard(quota: Resources) -> dict[str, str]:
    amounts = _amounts(quota).items()
    hard = {f"{side}.{name}": amount for side in ("requests", "limits") for name, amount in amounts}
    return hard | {f"requests.{naming.GPU}": count_quantity(quota.gpu)}


def _amounts(resources: Resources) -> dict[str, str]:
    return {
        "cpu": cpu_quantity(resources.cpu_milli),
        "memory": bytes_quantity(resources.memory_bytes),
        "ephemeral-storage": bytes_quantity(resources.storage_bytes),
    }
