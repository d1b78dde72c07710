"""Names of our containers and networks on hosts, derived from the lease."""

from __future__ import annotations

import hashlib

from reconciler.values.ids import WorkloadId

NAME_MAX = 63


def container_name(workload: WorkloadId, service: str, index: int) -> str:
    """Unique on a host among all tenants; a long service name is cut and told apart by a hash."""
    room = NAME_MAX - len(workload) - len(str(index)) - 2
    stem = service
    if len(stem) > room:
        mark = hashlib.sha256(service.encode()).hexdigest()[:5]
        stem = f"{stem[: max(room - 6, 0)].rstrip('-')}-{mark}".lstrip("-")
    return f"{stem}-{workload}-{index}"


def network_name(workload: WorkloadId) -> str:
    """The lease's own network."""
    return f"lease-{workload}"
