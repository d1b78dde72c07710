"""The leases of each tenant, from the last cycle's snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.runtime.snapshot_store import SnapshotStore
from reconciler.values.addresses import ServiceAddress
from reconciler.values.ids import LeaseId, OrderId, WorkloadId, workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.observed import State
from reconciler.values.snapshot import Snapshot
from reconciler.values.views import ServiceView, WorkloadView

ENDED = frozenset({Phase.STOPPED.value.lower(), Phase.TERMINATED.value.lower()})


def may_be_active(workload: WorkloadView) -> bool:
    """Whether its lease is active, or was when the chain was last seen."""
    if workload.lease_state is State.INVALID:
        return workload.state not in ENDED
    return workload.lease_state is State.ACTIVE


@dataclass(frozen=True, slots=True)
class _Index:
    workloads: tuple[WorkloadView, ...] = ()
    by_id: Mapping[WorkloadId, WorkloadView] = field(default_factory=dict)
    by_owner: Mapping[str, list[WorkloadView]] = field(default_factory=dict)


class LeaseDirectory:
    """Finds the active leases of an account at this provider; thread-safe."""

    def __init__(self, snapshots: SnapshotStore, provider: str) -> None:
        self._snapshots = snapshots
        self._index = _Index()
        self.provider = provider
        """The provider's address."""

    @property
    def snapshot(self) -> Snapshot:
        """The last cycle's."""
        return self._snapshots.snapshot

    def lease_id(self, owner: str, numbers: tuple[int, int, int]) -> LeaseId:
        """The id of a lease here, by its dseq, gseq and oseq, whether it exists or not."""
        return LeaseId(OrderId(owner, *numbers), self.provider)

    def find(self, lease: LeaseId) -> WorkloadView | None:
        """The workload of an active lease."""
        return self._current().by_id.get(workload_id(lease))

    def of(self, owner: str) -> Iterable[WorkloadView]:
        """The workloads of an account's active leases."""
        return self._current().by_owner.get(owner, ())

    def is_tenant(self, owner: str) -> bool:
        """Whether the account has an active lease here."""
        return owner in self._current().by_owner

    def services(self, workload: WorkloadView) -> tuple[ServiceView, ...]:
        """The services of a workload; none while they are not known."""
        return self.snapshot.services.get(workload.id, ())

    def addresses(self, workload: WorkloadView) -> tuple[ServiceAddress, ...]:
        """Where its services are reached."""
        return workload.addresses

    def _current(self) -> _Index:
        """Built again after a cycle in which a workload changed."""
        index, workloads = self._index, self.snapshot.workloads
        if index.workloads is not workloads:
            active = [each for each in workloads if may_be_active(each)]
            by_owner: dict[str, list[WorkloadView]] = {}
            for each in active:
                by_owner.setdefault(each.lease.partition("/")[0], []).append(each)
            index = self._index = _Index(workloads, {each.id: each for each in active}, by_owner)
        return index
