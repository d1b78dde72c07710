"""One cycle's input and plan, and whether two cycles have the same objects. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.planning.planning_input import PlanningInput
from reconciler.values.observed import AdapterView
from reconciler.values.plans import Plan
from reconciler.values.readings import Seen


@dataclass(frozen=True, slots=True)
class PlannedCycle:
    """A plan with its input."""

    inputs: PlanningInput
    plan: Plan


def same_objects(before: PlannedCycle | None, now: PlannedCycle) -> bool:
    """Whether no workload, bid or hold differs from an earlier cycle.

    Compares by identity: sources and planner keep objects that did not change.
    """
    if before is None:
        return False
    old, new = before.inputs.seen_market, now.inputs.seen_market
    if old is None or new is None:
        return False
    pairs: list[tuple[object, object]] = [
        (old.leases, new.leases),
        (old.bids, new.bids),
        (old.settlements, new.settlements),
        (before.plan.memory.workloads, now.plan.memory.workloads),
        (before.plan.memory.retries, now.plan.memory.retries),
    ]
    shown = before.inputs.adapters.items()
    for name, view in now.inputs.adapters.items():
        earlier = before.inputs.adapters.get(name)
        pairs += [(earlier and _workloads_of(earlier), _workloads_of(view))]
    return (
        len(shown) == len(now.inputs.adapters)
        and all(a is b for a, b in pairs)
        and before.plan.revision == now.plan.revision
        and before.plan.holds == now.plan.holds
    )


def _workloads_of(view: AdapterView) -> object:
    """The adapter's workloads, or why they are unseen."""
    return view.workloads.view if isinstance(view.workloads, Seen) else view.workloads
