"""What decisions about one workload look up: its lease, where it is tied to, and what concerns its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id
from reconciler.values.machines import Promise
from reconciler.values.observed import Lease, ObservedWorkload, State
from reconciler.values.readings import Seen
from reconciler.values.result_cache import KeyedInput

NO_LEASES: Mapping[WorkloadId, Lease] = {}
NOT_SEEN: Mapping[WorkloadId, ObservedWorkload] = {}


def leases_by_workload(basis: PlanningBasis) -> Mapping[WorkloadId, Lease]:
    """All leases of the market, ended ones included, by their workload; none while the chain is unseen."""
    if basis.market is None:
        return NO_LEASES
    leases = basis.market.leases
    return basis.decisions.reuse(
        "leases by workload", (leases,), lambda: {workload_id(each): lease for each, lease in leases.items()}
    )


def active_leases(basis: PlanningBasis) -> Mapping[WorkloadId, Lease]:
    """The active leases of the market, by their workload; none while the chain is unseen."""
    leases = leases_by_workload(basis)
    return basis.decisions.reuse(
        "active leases",
        (leases,),
        lambda: {name: lease for name, lease in leases.items() if lease.state is State.ACTIVE},
    )


def served_leases(basis: PlanningBasis) -> Mapping[WorkloadId, Lease]:
    """The active leases, and those that ended on one node only, which keep their machines."""
    active = active_leases(basis)
    if basis.market is None or not basis.market.unconfirmed:
        return active
    leases, doubtful = leases_by_workload(basis), sorted(basis.market.unconfirmed)
    return basis.decisions.reuse(
        "served leases",
        (leases, *doubtful),
        lambda: {**active, **{name: leases[name] for name in map(workload_id, doubtful)}},
    )


def ended_leases(basis: PlanningBasis) -> Sequence[WorkloadId]:
    """The workloads whose lease has ended."""
    leases = leases_by_workload(basis)
    return basis.decisions.reuse(
        "ended leases",
        (leases,),
        lambda: [name for name, lease in leases.items() if lease.state is not State.ACTIVE],
    )


def observed_inputs(basis: PlanningBasis) -> Iterator[KeyedInput]:
    """The workloads that each adapter shows, in the order of their names."""
    for _, view in sorted(basis.adapters.items()):
        yield KeyedInput(view.workloads.view if isinstance(view.workloads, Seen) else NOT_SEEN)


def unseen_adapters(basis: PlanningBasis) -> Iterator[object]:
    """The name of each adapter, and why its workloads are unseen (None: they are seen)."""
    for name, view in sorted(basis.adapters.items()):
        yield name
        yield None if isinstance(view.workloads, Seen) else view.workloads


def leases_of_files(basis: PlanningBasis) -> Mapping[WorkloadId, LeaseId]:
    """The lease that each workload file names; the same mapping after other changes of files."""
    files = basis.desired.workloads
    return basis.decisions.reuse_values("leases of files", files, lambda file: file.lease)


def promises_by_workload(
    leases: Mapping[WorkloadId, LeaseId], promises: Mapping[OrderId, Promise]
) -> Mapping[WorkloadId, Promise]:
    """The promise of the order of each lease that has one."""
    found = ((name, promises.get(lease.order)) for name, lease in leases.items())
    return {name: promise for name, promise in found if promise is not None}
