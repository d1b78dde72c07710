"""Chooses each workload's adapter: by its file, where it runs, by its attributes, or where it fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.planning.capacity import host_for
from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.desired import Desired, Workload
from reconciler.values.ids import LeaseId
from reconciler.values.lifecycle import Phase
from reconciler.values.observed import AdapterView
from reconciler.values.readings import Seen
from reconciler.values.resources import Attribute, total

PREFERRED = ("kubernetes", "ansible")
"""Preference among equally suitable adapters, first one first."""
ADAPTER = "adapter"
"""Order attribute that names an adapter."""


def place_workloads(basis: PlanningBasis) -> Desired:
    """The desired state with an adapter and the order's attributes for each workload; the same object if
    nothing changes.
    """
    desired = basis.desired
    leases = basis.market.leases if basis.market else {}
    attributes = {key: lease.attributes for key, lease in leases.items()}
    found = {name: _placed(basis, each, attributes) for name, each in desired.workloads.items()}
    changed = any(found[name] is not each for name, each in desired.workloads.items())
    return replace(desired, workloads=found) if changed else desired


def _placed(
    basis: PlanningBasis, workload: Workload, attributes: Mapping[LeaseId, tuple[Attribute, ...]]
) -> Workload:
    known = attributes.get(workload.lease)
    ordered = replace(workload, attributes=known) if known else workload
    return ordered if ordered.adapter else replace(ordered, adapter=_choice(basis, ordered))


def _choice(basis: PlanningBasis, workload: Workload) -> str:
    """The adapter that runs or ran it; a new workload is not placed elsewhere while an unseen adapter may run
    it.
    """
    names = [name for name in PREFERRED if name in basis.adapters]
    known = basis.memory.workloads.get(workload.id)
    there = [name for name in names if _holds(basis.adapters[name], workload)]
    if there:
        return known.adapter if known and known.adapter in there else there[0]
    if known is not None and known.adapter in names:
        blind = any(not isinstance(view.workloads, Seen) for view in basis.adapters.values())
        if blind or known.phase is not Phase.PENDING:
            return known.adapter
    named = [name for name in names if (ADAPTER, name) in workload.attributes]
    ranked = sorted(names, key=lambda name: -_matches(basis.adapters[name], workload.attributes))
    fitting = [name for name in ranked if _fits(basis.adapters[name], workload)]
    return next(iter((*named, *fitting, *names)), PREFERRED[0])


def _holds(view: AdapterView, workload: Workload) -> bool:
    return isinstance(view.workloads, Seen) and workload.id in view.workloads.view


def _matches(view: AdapterView, attributes: Iterable[Attribute]) -> int:
    """How many of the attributes a machine of the adapter has."""
    hosts = view.capacity.view.hosts if isinstance(view.capacity, Seen) else ()
    return max((len(set(attributes) & set(host.attributes)) for host in hosts), default=0)


def _fits(view: AdapterView, workload: Workload) -> bool:
    if not isinstance(view.capacity, Seen):
        return False
    capacity = view.capacity.view
    if host_for(workload.resources, capacity, workload.attributes):
        return True
    pieces = [service.resources for service in workload.services]
    return (
        bool(capacity.nodes)
        and not total(list(capacity.nodes)).lacks(workload.resources)
        and all(any(not node.lacks(piece) for node in capacity.nodes) for piece in pieces)
    )
