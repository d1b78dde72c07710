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
"""A hash of the pods' own specification: tells the pods of the newest from older ones."""

LEASE = "virtengine.com/lease"
DIGEST = "virtengine.com/digest"
PARTS = "virtengine.com/parts"
APPLIED = "virtengine.com/applied"

QUOTA_NAME = "provider-capacity"
GPU = "nvidia.com/gpu"
NAME_MAX = 63

OURS = f"{MANAGED_BY}={MANAGER},{WORKLOAD}"
"""Selects every object of every workload of ours."""

STRANGERS = f"!{WORKLOAD}"
"""Selects what is not a workload of ours."""


def ours(workload: WorkloadId) -> str:
    """Selects the objects of one workload."""
    return f"{MANAGED_BY}={MANAGER},{WORKLOAD}={workload}"


def object_name(workload: WorkloadId, service: str) -> str:
    """The name of a service's Deployment and Service: unique among all tenants, a DNS label that starts with
    a letter; a long service name is cut and told apart by a hash.
    """
    stem = service if service[:1].isalpha() else f"s{service}"
    room = NAME_MAX - len(workload) - 1
    if len(stem) > room:
        mark = hashlib.sha256(service.encode()).hexdigest()[:5]
        stem = f"{stem[: max(room - 6, 0)].rstrip('-')}-{mark}".lstrip("-")
    return f"{stem}-{workload}"


def labels(workload: WorkloadId, service: str) -> dict[str, str]:
    """What every object of a service carries."""
    return {MANAGED_BY: MANAGER, WORKLOAD: workload, SERVICE: service}
