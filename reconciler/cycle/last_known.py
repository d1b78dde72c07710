"""Views of workloads while a source is unseen: what it showed last, marked as such. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.planning.planning_input import PlanningInput
from reconciler.values.ids import WorkloadId
from reconciler.values.readings import CHAIN, Unseen, workloads_source
from reconciler.values.views import WorkloadView


def with_last_known(
    workloads: tuple[WorkloadView, ...], before: tuple[WorkloadView, ...], inputs: PlanningInput
) -> tuple[WorkloadView, ...]:
    """The views with the last known values of unseen sources from the cycle `before`; the same object while
    every source is seen.
    """
    is_chain_unseen = inputs.seen_market is None
    unseen = frozenset(n for n, view in inputs.adapters.items() if isinstance(view.workloads, Unseen))
    if not is_chain_unseen and not unseen:
        return workloads
    known = {view.id: view for view in before}
    return tuple(_last_known(view, known, is_chain_unseen, unseen) for view in workloads)


def _last_known(
    view: WorkloadView,
    known: Mapping[WorkloadId, WorkloadView],
    is_chain_unseen: bool,
    unseen: frozenset[str],
) -> WorkloadView:
    before, sources = known.get(view.id), []
    if is_chain_unseen:
        sources.append(CHAIN)
        if before is not None:
            view = replace(
                view,
                lease_state=before.lease_state,
                price_uve=before.price_uve,
                withdrawn_uve=before.withdrawn_uve,
                settled_uve=before.settled_uve,
                recorded_uve=before.recorded_uve,
                funding=before.funding,
            )
    if view.adapter in unseen:
        sources.append(workloads_source(view.adapter))
        if before is not None:
            view = replace(
                view, ready=before.ready, replicas_ready=before.replicas_ready, replicas=before.replicas
            )
    return replace(view, unseen=tuple(sources)) if sources else view
