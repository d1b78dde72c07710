"""Names, labels and annotations of our objects, all derived from the lease."""

from __future__ import annotations

import hashlib

from reconciler.values.ids import WorkloadId

MANAGER = "provider-daemon"
"""Our field manager, and the value of the managed-by label."""

MANAGED_BY = "app.kubernetes.io/managed-by"
WORKLOAD = "virtengine.com/workload"
SERVICE = "virtengine.com/service"
SPEC = "virtengine.com/spec"
"""The hash of the pod specification; distinguishes current pods from older ones."""

LEASE = "virtengine.com/lease"
DIGEST = "virtengine.com/digest"
PARTS = "virtengine.com/parts"
APPLIED = "virtengine.com/applied"

QUOTA_NAME = "provider-capacity"
POLICY_NAME = "provider-workloads"
PUBLIC = "-np"
"""The suffix of NodePort Services; the longest workload id leaves no room for a longer one."""

GPU = "nvidia.com/gpu"
NAME_MAX = 63

MANAGED = f"{MANAGED_BY}={MANAGER}"
"""Selects every object that the adapter manages."""

OURS = f"{MANAGED_BY}={MANAGER},{WORKLOAD}"
"""Selects the objects of all workloads of this provider."""

FOREIGN_PODS = f"!{WORKLOAD}"
"""Selects pods of no workload, in the namespace of workloads."""


def workload_selector(workload: WorkloadId) -> str:
    """Selects the objects of one workload."""
    return f"{MANAGED_BY}={MANAGER},{WORKLOAD}={workload}"


def object_name(workload: WorkloadId, service: str) -> str:
    """The name of a service's Deployment, Service and NetworkPolicy: a DNS label that starts with a letter,
    unique among all tenants; a long service name is cut and made unique by a hash.
    """
    return _named(service, f"-{workload}")


def public_name(workload: WorkloadId, service: str) -> str:
    """The name of the Service for public ports; no other object has this suffix."""
    return _named(service, f"-{workload}{PUBLIC}")


def selector(workload: WorkloadId, service: str) -> dict[str, str]:
    """The labels of a service's pods, which no other pods have."""
    return {WORKLOAD: workload, SERVICE: service}


def _named(service: str, end: str) -> str:
    stem = service if service[:1].isalpha() else f"s{service}"
    room = NAME_MAX - len(end)
    if len(stem) > room:
        suffix = hashlib.sha256(service.encode()).hexdigest()[:5]
        stem = f"{stem[: max(room - 6, 1)].rstrip('-')}-{suffix}"[:room]
    return f"{stem}{end}"


def labels(workload: WorkloadId, service: str) -> dict[str, str]:
    """The ownership labels of every object of a service."""
    return {MANAGED_BY: MANAGER} | selector(workload, service)
