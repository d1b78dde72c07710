"""Hosts, orders and answers for tests of the Ansible adapter."""

from __future__ import annotations

from typing import Any

from reconciler.adapters.ansible.answers import ContainerAnswer, HostAmounts, HostWorkloadAnswer, LookAnswer
from reconciler.adapters.ansible.host_spec import Order, SpecSettings, host_spec_of
from reconciler.adapters.ansible.naming import container_name
from reconciler.values.desired import Workload
from reconciler.values.hosts import HERE, AnsibleGroup, AnsibleHost, AnsibleSettings, Timeouts
from reconciler.values.resources import Resources
from tests.contracts.adapter_worlds import service, workload

ROOM = Resources(8_000, 16 << 30, 100 << 30)
WANTED = workload(1, service())


def hosts(*names: str, **changes: Any) -> AnsibleSettings:
    """Settings with these hosts, each on this very machine."""
    listed = tuple(AnsibleHost(name, HERE, capacity=ROOM) for name in names or ("one",))
    made: dict[str, Any] = {"groups": (AnsibleGroup("rack", listed),), "look_every": 0.02} | changes
    return AnsibleSettings(enabled=True, patience=made.pop("patience", Timeouts(stop=1)), **made)


def order(wanted: Workload = WANTED, digest: str = "d", **changes: Any) -> Order:
    return host_spec_of(wanted, digest, SpecSettings(hosts())) | changes


def answer(wanted: Workload = WANTED, status: str = "running", **changes: Any) -> HostWorkloadAnswer:
    """A workload as its host shows it."""
    names = [container_name(wanted.id, s.name, n) for s in wanted.services for n in range(s.count)]
    made: dict[str, Any] = {
        "containers": [ContainerAnswer(name, name.split("-")[0], "x", status) for name in names],
        "lease": str(wanted.lease),
        "digest": "d",
        "resources": HostAmounts(wanted.resources.cpu_milli, wanted.resources.memory_bytes),
        "wanted": names,
    }
    return HostWorkloadAnswer(**(made | changes))


def look(*answers: tuple[Workload, HostWorkloadAnswer]) -> LookAnswer:
    return LookAnswer({wanted.id: each for wanted, each in answers})
