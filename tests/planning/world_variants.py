"""Moods of a small world: a source that is silent, a brake that is on, a transaction on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import (
    CloseReason,
    Desired,
    Revision,
    Revisions,
    Workload,
)
from reconciler.values.ids import LeaseId, OrderId, workload_id
from reconciler.values.intents import Intent
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import UsageMemory, WorkloadMemory
from reconciler.values.messages import CloseBid
from reconciler.values.observed import (
    OrderSettlement,
    State,
)
from reconciler.values.readings import Reading, Seen, Unseen
from tests.makers import ALICE, HEIGHT, NOW, US, desired, running
from tests.planning.small_markets import (
    Fates,
    escrow_for,
)
from tests.planning.small_worlds import seen_worlds

SILENT = Unseen("it does not answer")
BARE = replace(desired(), config=None, pricing=None, adapters={})
"""A commit in which nothing could be read."""
UNCONFIRMED = CloseBid(LeaseId(OrderId(ALICE, 1, 1, 1), US), CloseReason.UNSPECIFIED)

Variant = Callable[[PlanningInput], PlanningInput]


def of_machines(**changes: Any) -> Variant:
    """Another reading of the cluster."""
    return lambda made: replace(
        made, adapters={"kubernetes": replace(made.adapters["kubernetes"], **changes)}
    )


def in_flight(signed_at: int) -> Variant:
    """A transaction on its way since a height."""
    intent = Intent("AB" * 32, b"tx", (UNCONFIRMED,), 2, 7, HEIGHT + 9, signed_at)
    return lambda made: replace(made, intents=(intent,))


def suspended(made: PlanningInput) -> PlanningInput:
    return configured(made, suspended="moving")


def keeping_back(made: PlanningInput, percent: int) -> PlanningInput:
    """With so much of the capacity in reserve."""
    return configured(made, capacity_reserve_percent=percent)


def configured(made: PlanningInput, **changes: Any) -> PlanningInput:
    assert isinstance(made.desired, Seen)
    asked = made.desired.view.newest.desired
    assert asked.config is not None
    return replace(made, desired=of_commit(replace(asked, config=replace(asked.config, **changes))))


def all_closing(made: PlanningInput) -> PlanningInput:
    """Every lease is asked to close at once."""
    assert isinstance(made.desired, Seen)
    asked = made.desired.view.newest.desired
    files = {k: replace(w, close=CloseReason.UNSTABLE) for k, w in asked.workloads.items()}
    return replace(
        made, desired=of_commit(replace(asked, workloads=files)), limits=Limits(closings_per_hour=9)
    )


def just_settled(made: PlanningInput) -> PlanningInput:
    """Somebody settled every account in this very block."""
    assert isinstance(made.market, Seen)
    view = made.market.view
    accounts = {k: replace(a, settled_at=view.height) for k, a in view.accounts.items()}
    return replace(made, market=Seen(replace(view, accounts=accounts)))


def all_drained(made: PlanningInput) -> PlanningInput:
    """Nothing is left in any account, and what was left has been drawn."""
    assert isinstance(made.market, Seen)
    view = made.market.view
    accounts = {k: replace(a, settled_at=view.height - 1, funds=Decimal(0)) for k, a in view.accounts.items()}
    return replace(made, market=Seen(replace(view, accounts=accounts)))


def all_metered(made: PlanningInput) -> PlanningInput:
    """Every lease is billed by usage, ran, and has an escrow that soon expires."""
    assert isinstance(made.market, Seen)
    view = made.market.view
    leases = {k: replace(x, usage_billed=True) for k, x in view.leases.items()}
    sides = {k.order: OrderSettlement(escrow_for(k, 400, 40)) for k in leases}
    there = {workload_id(k): running(Workload(workload_id(k), k, ())) for k in leases}
    usage = {k: UsageMemory(NOW - 60, Decimal(60), 60, view.height - 1, NOW - 1) for k in leases}
    return replace(
        of_machines(workloads=Seen(there))(made),
        market=Seen(replace(view, leases=leases, settlements=sides)),
        memory=replace(made.memory, usage=usage),
    )


def all_ended(made: PlanningInput) -> PlanningInput:
    """Every lease was seen closed twice, and what ran for it still runs."""
    assert isinstance(made.market, Seen)
    view = made.market.view
    leases = {k: replace(x, state=State.CLOSED) for k, x in view.leases.items()}
    known = {
        workload_id(x): WorkloadMemory(x, "kubernetes", Phase.RUNNING, HEIGHT - 2, HEIGHT - 1) for x in leases
    }
    there = {name: running(Workload(name, w.lease, ())) for name, w in known.items()}
    return replace(
        of_machines(workloads=Seen(there))(made),
        market=Seen(replace(view, leases=leases)),
        memory=replace(made.memory, workloads=known),
    )


def of_commit(asked: Desired) -> Reading[Revisions]:
    return Seen(Revisions(Revision(asked)))


PLAIN: tuple[Variant, ...] = (lambda made: made,)


def silent_chain(made: PlanningInput) -> PlanningInput:
    return replace(made, market=SILENT)


def silent_repository(made: PlanningInput) -> PlanningInput:
    return replace(made, desired=SILENT)


silent_cluster = of_machines(workloads=SILENT)
silent_capacity = of_machines(capacity=SILENT)
SILENCES: tuple[Variant, ...] = (silent_chain, silent_repository, silent_cluster, silent_capacity)
BRAKES: tuple[Variant, ...] = (
    suspended,
    lambda made: replace(made, limits=replace(made.limits, draining=True)),
    lambda made: replace(made, limits=replace(made.limits, observe_only=True)),
    lambda made: replace(made, limits=replace(made.limits, stop_spending=True)),
)
PAUSES: tuple[Variant, ...] = (
    in_flight(HEIGHT),
    in_flight(HEIGHT - 3),
    lambda made: replace(made, memory=replace(made.memory, sequence=None)),
    lambda made: replace(made, memory=replace(made.memory, hold_until_height=HEIGHT + 3)),
    lambda made: replace(made, desired=of_commit(BARE)),
)


@st.composite
def worlds(draw: st.DrawFn, *variants: Variant, of: Fates = ()) -> PlanningInput:
    """A world of orders of these fates in one of these variants; without any, of all, half of them plain."""
    mixed = (*PLAIN * 12, *SILENCES, *BRAKES, *PAUSES)
    variant: Variant = draw(st.sampled_from(variants or mixed))
    return variant(draw(seen_worlds(of)))
