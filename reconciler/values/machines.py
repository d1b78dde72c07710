"""The machines of an adapter, and what they offer to leases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.values.gpus import GpuModel
from reconciler.values.ids import WorkloadId
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.resources import Attribute, Parts, Resources, total

GPU = "gpu"
"""The attribute of machines that names the model of their GPUs."""

MACHINE_MAX = Resources(cpu_milli=10_000_000, memory_bytes=1 << 50, storage_bytes=1 << 60, gpu=4_096)
"""More than any single machine has: 10,000 cores, 1 PiB of memory, 1 EiB of storage, 4,096 GPUs."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A node or host: `offered` is its capacity for leases, less the usage of foreign pods; `held` is what
    our workloads use of it, per piece (a pod, or a host's whole workload); `attributes` distinguish it.
    """

    name: str
    offered: Resources
    held: Mapping[WorkloadId, tuple[Resources, ...]] = field(default_factory=dict)
    attributes: tuple[Attribute, ...] = ()

    @property
    def gpu_model(self) -> GpuModel | None:
        """The model of its GPUs; None if it is not known."""
        return gpu_model_of(self.attributes)

    @property
    def free(self) -> Resources:
        """What is left of it; negative if it is overcommitted."""
        return self.offered - total([piece for pieces in self.held.values() for piece in pieces])

    @property
    def held_by_workload(self) -> Mapping[WorkloadId, Resources]:
        """What each workload uses of it, over its pieces."""
        return {workload: total(list(pieces)) for workload, pieces in self.held.items()}


def gpu_model_of(attributes: Iterable[Attribute]) -> GpuModel | None:
    """The model that the attribute `gpu` names, such as nvidia/a100/80Gi/sxm; None if it names none."""
    named = dict(attributes).get(GPU, "")
    return GpuModel.parse(named) if named and named.count("/") < len(GpuModel().fields) else None


@dataclass(frozen=True, slots=True)
class Capacity:
    """An adapter's machines by name, and the quota in force. `workloads_are_whole`: each workload runs on one
    machine; otherwise each of its containers may run on another. `volumes` are the bytes of persistent
    volumes that it offers to leases, of each class that it has.
    """

    machines: tuple[Machine, ...]
    quota: Resources | None = None
    workloads_are_whole: bool = False
    volumes: Parts[str] = ()

    @property
    def total(self) -> Resources:
        """What all machines offer together: a bound, never a proof that something fits."""
        return total([machine.offered for machine in self.machines])


def capacity_reading(capacity: Capacity, reported: Mapping[str, Resources]) -> Reading[Capacity]:
    """The capacity, or Unseen if a machine reports figures that none can have; `reported` are the machines'
    own figures, before other usage is deducted.
    """
    for name, figures in sorted(reported.items()):
        if wrong := implausible(figures):
            return Unseen(
                f"machine {name} reports {wrong}, which no machine has; nothing is bid on here until it "
                "reports its true capacity or is taken out of service"
            )
    return Seen(capacity)


def implausible(reported: Resources) -> str:
    """The first figure that is negative or above every machine's; "" if there is none."""
    for name, amount, most in zip(Resources.KINDS, reported.amounts, MACHINE_MAX.amounts, strict=True):
        if not 0 <= amount <= most:
            return f"{amount} {name}"
    return ""


@dataclass(frozen=True, slots=True)
class Promise:
    """Where a bid's group is to run: the adapter, and the machine of each unit in order (one machine, where
    workloads are whole).
    """

    adapter: str
    machines: tuple[str, ...]
