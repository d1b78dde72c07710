"""What holds in every world; each sentence was shown to fail by a deliberate fault before it was believed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from reconciler.documents.codec import dumps
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.reports.plan_json import plan_json
from reconciler.reports.plan_text import plan_text
from reconciler.values.ids import LeaseId, workload_id
from reconciler.values.lifecycle import TRANSITIONS, Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory
from reconciler.values.messages import (
    CloseBid,
    CreateBid,
    Message,
    PayOut,
    RecordUsage,
    SettleUsage,
    WithdrawLease,
)
from reconciler.values.observed import State
from reconciler.values.plans import ApplyWorkload, Plan, Reason, RemoveWorkload, Transition
from reconciler.values.readings import Seen, Unseen
from tests.planning.mapping_order import in_opposite_order
from tests.planning.properties import bids, many_worlds, messages, seen_market, shown
from tests.planning.small_markets import BOTH, SERVING, TRADING
from tests.planning.small_worlds import under_each_ceiling
from tests.planning.world_variants import (
    PLAIN,
    all_ended,
    silent_capacity,
    silent_chain,
    silent_cluster,
    silent_repository,
    worlds,
)

LATER = frozenset({Reason.CEILING, Reason.NO_BALANCE, Reason.AWAITING_CONFIRMATION, Reason.AWAITING_HEIGHT})


@many_worlds
@given(st.one_of(worlds(), worlds(*PLAIN, all_ended, of=SERVING)))
def test_the_same_facts_give_the_same_plan_byte_for_byte_in_whatever_order_they_come(
    drawn: PlanningInput,
) -> None:
    for world in (drawn, *under_each_ceiling(drawn)):
        first, second = plan(world), plan(in_opposite_order(world))
        assert plan_json(first) == plan_json(second)
        assert dumps(Memory, first.memory) == dumps(Memory, second.memory)
        assert first == second
    assert plan_text(plan(drawn)) == plan_text(plan(in_opposite_order(drawn)))
    assert plan(drawn) == plan(drawn)


def removed(made: Plan) -> list[RemoveWorkload]:
    return [a for a in made.actions if isinstance(a, RemoveWorkload)]


def started(made: Plan) -> list[ApplyWorkload]:
    return [a for a in made.actions if isinstance(a, ApplyWorkload)]


@many_worlds
@given(st.one_of(worlds(*PLAIN), worlds(*PLAIN, all_ended, of=SERVING)))
def test_only_repairs_run_while_the_chain_is_unavailable(drawn: PlanningInput) -> None:
    made = plan(silent_chain(drawn))
    there = shown(drawn.adapters["kubernetes"])
    assert not removed(made)
    assert not messages(made)
    for action in started(made):
        assert there[action.workload.id].digest == action.digest, "what ran, as it ran"


@many_worlds
@given(st.one_of(worlds(*PLAIN), worlds(*PLAIN, all_ended, of=SERVING)))
def test_nothing_is_removed_or_started_while_the_cluster_is_unavailable(drawn: PlanningInput) -> None:
    made = plan(silent_cluster(drawn))
    assert not removed(made)
    assert not started(made)


@many_worlds
@given(worlds(*PLAIN, of=TRADING))
def test_while_the_capacity_is_unknown_nothing_is_promised(drawn: PlanningInput) -> None:
    assert not bids(plan(silent_capacity(drawn)))


@many_worlds
@given(worlds(*PLAIN))
def test_nothing_is_started_closed_or_bid_on_without_the_repository(
    drawn: PlanningInput,
) -> None:
    made = plan(silent_repository(drawn))
    assert not started(made)
    assert not bids(made)
    assert not any(isinstance(m, CloseBid) and m.lease for m in messages(made))


@many_worlds
@given(worlds(*PLAIN, of=SERVING))
def test_only_a_lease_seen_closed_at_two_rising_heights_loses_its_workload(world: PlanningInput) -> None:
    for action in plan(world).actions:
        if isinstance(action, RemoveWorkload):
            known = world.memory.workloads[action.id]
            assert seen_market(world).leases[known.lease].state is not State.ACTIVE
            assert 0 < known.closed_first < seen_market(world).height


@many_worlds
@given(worlds(of=BOTH))
def test_every_open_order_has_our_bid_or_a_reason(world: PlanningInput) -> None:
    if isinstance(world.market, Unseen):
        return
    made = plan(world)
    told = {h.subject.name for h in made.holds} | {str(b.id.order) for b in bids(made)}
    told |= {str(b.order) for b in seen_market(world).bids}
    assert {str(o) for o in seen_market(world).orders} <= told


@many_worlds
@given(worlds(of=SERVING))
def test_every_lease_runs_or_is_started_or_has_a_reason(world: PlanningInput) -> None:
    made = plan(world)
    served = {str(a.workload.id) for a in made.actions if isinstance(a, ApplyWorkload)}
    served |= {h.subject.name for h in made.holds} | set(map(str, shown(world.adapters["kubernetes"])))
    assert {workload_id(x) for x in leased(world)} <= served


def leased(world: PlanningInput) -> list[LeaseId]:
    if isinstance(world.market, Seen):
        return [x.id for x in world.market.view.leases.values() if x.state is State.ACTIVE]
    return [w.lease for w in world.memory.workloads.values() if not w.closed_first]


@many_worlds
@given(st.one_of(worlds(*PLAIN, of=SERVING), worlds(*PLAIN, of=TRADING)))
def test_an_effect_withheld_by_a_ceiling_has_its_hold(drawn: PlanningInput) -> None:
    """What the same world far from its ceilings would do is done, or held under the name of its subject."""
    far = Limits(balance_reserve=0, spend_per_hour=99, promised_per_tenant_percent=99)
    wanted = things(plan(replace(drawn, limits=far)))
    for world in under_each_ceiling(drawn):
        made = plan(world)
        later = {h.subject.name for h in made.holds if h.reason in LATER}
        assert wanted <= things(made) | later


def things(made: Plan) -> set[str]:
    """What a plan's effects are about, as holds name it."""
    found = {a.workload.id for a in made.actions if isinstance(a, ApplyWorkload)}
    found |= {a.id for a in made.actions if isinstance(a, RemoveWorkload)}
    return {str(x) for x in found} | {named(m) for m in messages(made)}


def named(message: Message) -> str:
    match message:
        case CreateBid(id=bid):
            return str(bid.order)
        case CloseBid(id=bid, lease=False):
            return str(bid)
        case CloseBid(id=lease) | WithdrawLease(id=lease):
            return workload_id(lease)
        case RecordUsage(lease=lease):
            return workload_id(lease)
        case SettleUsage(order=order):
            return str(order)
        case PayOut():
            return ""


@many_worlds
@given(worlds(of=SERVING))
def test_memory_holds_facts_and_never_that_an_effect_took_place(world: PlanningInput) -> None:
    """A cycle that died before its first effect plans the same again; only whose turn it is has passed on."""
    first = plan(world)
    kept = replace(first.memory, last_batch=world.memory.last_batch)
    again = plan(replace(world, memory=kept))
    assert again.actions == first.actions
    assert again.holds == first.holds
    assert [step for step in again.transitions if not is_farewell(step)] == []
    assert enduring(again.memory) == enduring(first.memory)


def is_farewell(step: Transition) -> bool:
    """What is told as terminated is forgotten in the cycle after, where its file is gone."""
    return step.from_phase is step.to_phase is Phase.TERMINATED


def enduring(memory: Memory) -> Memory:
    """Without whose turn it is, and without what is told once as terminated and forgotten then."""
    kept = {k: w for k, w in memory.workloads.items() if w.phase is not Phase.TERMINATED}
    return replace(memory, workloads=kept, last_batch="")


@many_worlds
@given(worlds())
def test_every_published_step_is_of_the_lifecycle_and_follows_the_previous(world: PlanningInput) -> None:
    here = {name: w.phase for name, w in world.memory.workloads.items()}
    for step in plan(world).transitions:
        assert here.get(step.workload, step.from_phase) is step.from_phase
        assert step.to_phase in TRANSITIONS[step.from_phase] or step.from_phase is step.to_phase
        here[step.workload] = step.to_phase


def test_the_worlds_are_not_empty() -> None:
    """A property that is never met proves nothing: every kind of effect occurs in what is drawn."""
    missing = {"CreateBid", "CloseBid", "WithdrawLease", "RecordUsage", "SettleUsage"}
    missing |= {"Rebroadcast", "PrepareAdapter", "ApplyWorkload", "RemoveWorkload", "NotifyTenant"}
    missing |= {"NoCapacity", "NoBalance", "Ceiling", "AwaitingHeight", "AsksTooMuch", "TryLater"}

    def look(world: PlanningInput) -> None:
        made = plan(world)
        missing.difference_update(type(a).__name__ for a in made.actions)
        missing.difference_update(type(m).__name__ for m in messages(made))
        missing.difference_update(h.reason.value for h in made.holds)

    few = settings(max_examples=25, derandomize=False, deadline=None, database=None)
    for number in range(20):
        if missing:
            seed(number)(few(given(worlds())(look)))()
    assert not missing
