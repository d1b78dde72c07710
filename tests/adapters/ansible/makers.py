"""Settings, specifications and observations for tests of the Ansible adapter."""

from __future__ import annotations

from typing import Any

from reconciler.adapters.ansible.host_spec import HostSpec, container_name, host_spec_of
from reconciler.adapters.ansible.responses import (
    HostResources,
    ObservedContainer,
    ObservedHost,
    ReportedWorkload,
)
from reconciler.values.desired import Workload
from reconciler.values.hosts import LOCALHOST, AnsibleGroup, AnsibleHost, AnsibleSettings, Timeouts
from reconciler.values.resources import Resources
from tests.contracts.adapter_backends import service, workload

ROOM = Resources(8_000, 16 << 30, 100 << 30)
WANTED = workload(1, service())


def hosts(*names: str, **changes: Any) -> AnsibleSettings:
    """Settings with these hosts, each on this machine."""
    listed = tuple(AnsibleHost(name, LOCALHOST, capacity=ROOM) for name in names or ("one",))
    fields: dict[str, Any] = {
        "groups": (AnsibleGroup("rack", listed),),
        "observe_every_seconds": 0.02,
        "timeouts": Timeouts(stop=1),
    }
    return AnsibleSettings(enabled=True, **(fields | changes))


def host_spec(wanted: Workload = WANTED, digest: str = "d") -> HostSpec:
    return host_spec_of(wanted, digest, hosts())


def observed_workload(wanted: Workload = WANTED, status: str = "running", **changes: Any) -> ReportedWorkload:
    """A workload as its host reports it."""
    names = [container_name(wanted.id, s.name, n) for s in wanted.services for n in range(s.count)]
    fields: dict[str, Any] = {
        "containers": [ObservedContainer(name, name.split("-")[0], status) for name in names],
        "lease": str(wanted.lease),
        "digest": "d",
        "resources": HostResources(wanted.resources.cpu_milli, wanted.resources.memory_bytes),
        "wanted": names,
    }
    return ReportedWorkload(**(fields | changes))


def observed_host(*workloads: tuple[Workload, ReportedWorkload]) -> ObservedHost:
    return ObservedHost({wanted.id: each for wanted, each in workloads})
