"""Places each workload on an adapter and machine: by its file, where it runs, or as its bid was promised."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planning.capacity.headroom import Reservation
from reconciler.planning.decision_cache import readings_of
from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.desired import AdapterSettings, Desired, Workload
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.machines import Promise
from reconciler.values.observed import AdapterView
from reconciler.values.readings import Seen


def place_workloads(basis: PlanningBasis, reservation: Reservation) -> Desired:
    """The desired state with an adapter, a machine and the order's attributes for each workload; the same
    object if nothing changes.
    """
    leases = basis.market.leases if basis.market else None
    inputs = (basis.desired, reservation, basis.memory.workloads, leases, *readings_of(basis.adapters))
    return basis.decisions.reuse("place", inputs, lambda: _place(basis, reservation))


def _place(basis: PlanningBasis, reservation: Reservation) -> Desired:
    desired = basis.desired
    found = {name: _placed(basis, each, reservation) for name, each in desired.workloads.items()}
    changed = any(found[name] is not each for name, each in desired.workloads.items())
    return replace(desired, workloads=found) if changed else desired


def _placed(basis: PlanningBasis, workload: Workload, reservation: Reservation) -> Workload:
    lease = basis.market.leases.get(workload.lease) if basis.market else None
    attributes = lease.attributes if lease else workload.attributes
    promise = reservation.promises.get(workload.lease.order)
    adapter = workload.adapter or tied_adapter(basis, workload.lease)
    if not adapter and promise and promise.adapter in basis.adapters:
        adapter = promise.adapter
    if not adapter:
        preferred = (*reservation.headroom.by_preference(attributes), *sorted(basis.adapters))
        adapter = next(iter(preferred), "")
    machine = _machine(basis, promise) if promise and promise.adapter == adapter else ""
    rendered = rendered_for(workload, basis.desired.adapters.get(adapter))
    if (adapter, machine, attributes) == (rendered.adapter, rendered.machine, rendered.attributes):
        return rendered
    return replace(rendered, adapter=adapter, machine=machine, attributes=attributes)


def rendered_for(workload: Workload, settings: AdapterSettings | None) -> Workload:
    """The workload with the settings of its adapter that its containers depend on."""
    rendering = settings.rendering if settings else ""
    return workload if workload.rendering == rendering else replace(workload, rendering=rendering)


def _machine(basis: PlanningBasis, promise: Promise) -> str:
    """The machine, where workloads are whole."""
    view = basis.adapters.get(promise.adapter)
    is_whole = view and isinstance(view.capacity, Seen) and view.capacity.view.workloads_are_whole
    return promise.machines[0] if is_whole and promise.machines else ""


def tied_adapter(basis: PlanningBasis, lease: LeaseId) -> str:
    """The adapter that the workload's file names, or that runs or ran it, even if that has no file any more;
    "" if nothing ties it to any. A workload is not moved while an unseen adapter may run it.
    """
    subject = workload_id(lease)
    file = basis.desired.workloads.get(subject)
    if file is not None and file.adapter:
        return file.adapter
    known = basis.memory.workloads.get(subject)
    there = [name for name, view in sorted(basis.adapters.items()) if _holds(view, subject)]
    if there:
        return known.adapter if known and known.adapter in there else there[0]
    if known is not None and known.adapter:
        blind = any(not isinstance(view.workloads, Seen) for view in basis.adapters.values())
        if known.phase is not Phase.PENDING or (blind and known.adapter in basis.adapters):
            return known.adapter
    return ""


def _holds(view: AdapterView, subject: str) -> bool:
    return isinstance(view.workloads, Seen) and subject in view.workloads.view
