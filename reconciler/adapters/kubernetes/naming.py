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
STORAGE_CLASS = "virtengine.com/storage-class"
"""The market's class of a claim; the StorageClass in the cluster has another name."""

RELEASED = "virtengine.com/released"
"""When the workload of a claim was removed, in unix seconds."""

LEASED_IP = "virtengine.com/leased-ip"
"""The name of the leased IP that a Service is reached under."""

QUOTA_NAME = "provider-capacity"
POLICY_NAME = "provider-workloads"
LIMITS_NAME = "provider-defaults"
LEASE_QUOTA_NAME = "provider-lease"
PUBLIC = "-np"
"""The suffix of Services for global ports; the longest workload id leaves no room for a longer one."""

LEASED = "-ip"
"""The suffix of Services for leased IP addresses, as long as the other."""

GPU = "nvidia.com/gpu"
NVIDIA, AMD = "nvidia", "amd"
GPUS = {NVIDIA: GPU, AMD: "amd.com/gpu"}
"""The resource that counts the GPUs of each vendor."""

NAME_MAX = 63
STATEFUL_NAME_MAX = 52
"""The longest name of a StatefulSet: its pods have a label of it and the hash of a revision."""

MANAGED = f"{MANAGED_BY}={MANAGER}"
"""Selects every object that the adapter manages."""

OURS = f"{MANAGED_BY}={MANAGER},{WORKLOAD}"
"""Selects the objects of all workloads of this provider."""

FOREIGN_PODS = f"!{WORKLOAD}"
"""Selects pods of no workload, in the namespace of workloads."""


LOOKALIKE_PODS = f"{WORKLOAD},{MANAGED_BY}!={MANAGER}"
"""Selects pods with the label of a workload that are not ours."""

API_PATHS = {
    "deployments": "/apis/apps/v1",
    "statefulsets": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "ingresses": "/apis/networking.k8s.io/v1",
    "httproutes": "/apis/gateway.networking.k8s.io/v1",
    "pods": "/api/v1",
    "services": "/api/v1",
    "limitranges": "/api/v1",
    "resourcequotas": "/api/v1",
    "namespaces": "/api/v1",
    "secrets": "/api/v1",
    "persistentvolumeclaims": "/api/v1",
    "storageclasses": "/apis/storage.k8s.io/v1",
}
"""The API group of each kind of object that we use."""

PLURALS = {
    "deployment": "deployments",
    "statefulset": "statefulsets",
    "service": "services",
    "networkpolicy": "networkpolicies",
    "ingress": "ingresses",
    "httproute": "httproutes",
    "limitrange": "limitranges",
    "resourcequota": "resourcequotas",
    "namespace": "namespaces",
    "secret": "secrets",
    "persistentvolumeclaim": "persistentvolumeclaims",
}
"""The plural of each kind that we apply."""


def object_path(plural: str, namespace: str, name: str) -> str:
    """An object, or ("") the collection in a namespace."""
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"{API_PATHS[plural]}{inside}/{plural}" + (f"/{name}" if name else "")


def workload_selector(workload: WorkloadId) -> str:
    """Selects the objects of one workload."""
    return f"{MANAGED_BY}={MANAGER},{WORKLOAD}={workload}"


def object_name(workload: WorkloadId, service: str) -> str:
    """The name of a service's Deployment, Service and NetworkPolicy: a DNS label that starts with a letter,
    unique among all tenants; a long service name is cut and made unique by a hash.
    """
    return _named(service, f"-{workload}")


def stateful_name(workload: WorkloadId, service: str) -> str:
    """The name of a service's StatefulSet: that of its other objects where it is short enough."""
    name = object_name(workload, service)
    if len(name) <= STATEFUL_NAME_MAX:
        return name
    suffix = hashlib.sha256(f"{service}/{workload}".encode()).hexdigest()[:20]
    return f"{name[: STATEFUL_NAME_MAX - len(suffix) - 1].rstrip('-')}-{suffix}"


def pull_secret_name(workload: WorkloadId, service: str) -> str:
    """The name of the Secret with which a service's image is pulled; no other object has this suffix."""
    return f"{object_name(workload, service)}-pull"


def public_name(workload: WorkloadId, service: str) -> str:
    """The name of the Service for public ports; no other object has this suffix."""
    return _named(service, f"-{workload}{PUBLIC}")


def leased_ip_name(workload: WorkloadId, service: str, ip: str) -> str:
    """The name of the Service for the ports of a service on one leased address."""
    suffix = hashlib.sha256(ip.encode()).hexdigest()[:8]
    return _named(f"{service}-{suffix}", f"-{workload}{LEASED}")


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


def workload_labels(workload: WorkloadId) -> dict[str, str]:
    """The ownership labels of an object of a workload that belongs to no service."""
    return {MANAGED_BY: MANAGER, WORKLOAD: workload}


def labels(workload: WorkloadId, service: str) -> dict[str, str]:
    """The ownership labels of every object of a service."""
    return {MANAGED_BY: MANAGER} | selector(workload, service)
