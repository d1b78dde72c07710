"""Places each workload on an adapter and machine: by its file, where it runs, or as its bid was promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.planning.capacity.headroom import Reservation
from reconciler.planning.lease_index import (
    leases_by_workload,
    leases_of_files,
    observed_inputs,
    promises_by_workload,
    served_leases,
    unseen_adapters,
)
from reconciler.planning.planning_input import PlanningBasis
from reconciler.values.desired import AdapterSettings, Desired, Workload
from reconciler.values.ids import LeaseId, WorkloadId, workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.machines import Promise
from reconciler.values.observed import AdapterView
from reconciler.values.readings import Seen
from reconciler.values.result_cache import KeyedInput, KeyedInputs
from reconciler.values.same import has_same


def place_workloads(basis: PlanningBasis, reservation: Reservation) -> Desired:
    """The desired state with an adapter, a machine and the order's attributes for each workload; the same
    object if nothing changes.
    """
    desired, results = basis.desired, basis.decisions
    files, ties, named = desired.workloads, tied_adapters(basis), leases_of_files(basis)
    promises = results.reuse(
        "promises of files",
        (named, reservation.promises),
        lambda: promises_by_workload(named, reservation.promises),
    )
    unassigned = results.reuse(
        "unassigned workloads", (ties,), lambda: [name for name, tie in ties.items() if not tie]
    )
    by_key = (
        *(KeyedInput(files), KeyedInput(ties), KeyedInput(leases_by_workload(basis)), KeyedInput(promises)),
        KeyedInput(dict.fromkeys(unassigned, reservation.headroom)),
    )
    kinds = (part for name in sorted(basis.adapters) for part in (name, _is_whole(basis, name)))
    inputs = KeyedInputs(files, by_key, (desired.adapters, *kinds))
    placed = results.reuse_each("placement", inputs, lambda name: _placed(basis, files[name], reservation))
    if has_same(files, placed):
        return desired
    return results.reuse("placed", (desired, placed), lambda: replace(desired, workloads=placed))


def tied_adapters(basis: PlanningBasis) -> Mapping[WorkloadId, str]:
    """The adapter that each workload with a file or a served lease is tied to; "" if to none."""
    named, served = leases_of_files(basis), served_leases(basis)
    leases = basis.decisions.reuse(
        "leases to tie",
        (named, served),
        lambda: {**named, **{name: lease.id for name, lease in served.items()}},
    )
    files, known = KeyedInput(basis.desired.workloads), KeyedInput(basis.memory.workloads)
    by_key = (KeyedInput(leases), files, known, *observed_inputs(basis))
    inputs = KeyedInputs(leases, by_key, tuple(unseen_adapters(basis)))
    return basis.decisions.reuse_each("ties", inputs, lambda name: tied_adapter(basis, leases[name]))


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
    return promise.machines[0] if _is_whole(basis, promise.adapter) and promise.machines else ""


def _is_whole(basis: PlanningBasis, adapter: str) -> bool:
    """Whether each workload is on one machine of this adapter."""
    view = basis.adapters.get(adapter)
    return bool(view and isinstance(view.capacity, Seen) and view.capacity.view.workloads_are_whole)


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
