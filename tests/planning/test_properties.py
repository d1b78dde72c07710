"""What holds in every world; each sentence was shown to fail by a deliberate fault before it was believed.

`EXAMPLES=5000 pytest tests/planning/test_properties.py` looks further, and elsewhere each time.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings

from reconciler.journal.codec import dumps
from reconciler.planning.planner import plan
from reconciler.planning.situation import Situation
from reconciler.reports.plan_json import plan_json
from reconciler.reports.plan_text import plan_text
from reconciler.values.ids import DeploymentId, LeaseId, WorkloadId, workload_id
from reconciler.values.lifecycle import TRANSITIONS, Phase
from reconciler.values.memory import Memory
from reconciler.values.messages import CloseBid, CreateBid, Message, WithdrawLease
from reconciler.values.observed import AdapterView, Market, Running, State
from reconciler.values.plans import ApplyWorkload, Plan, RemoveWorkload, SendTransaction
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import total
from tests.planning.colliding import worlds
from tests.planning.turned import in_opposite_order

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
everywhere = settings(max_examples=EXAMPLES or 100, derandomize=not EXAMPLES, deadline=None)


def messages(made: Plan) -> list[Message]:
    return [m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages]


def bids(made: Plan) -> list[CreateBid]:
    return [m for m in messages(made) if isinstance(m, CreateBid)]


def seen_market(world: Situation) -> Market:
    return world.market.view if isinstance(world.market, Seen) else pytest.fail("the market is unseen")


@everywhere
@given(worlds())
def test_the_same_facts_give_the_same_plan_byte_for_byte_in_whatever_order_they_come(
    world: Situation,
) -> None:
    first, second = plan(world), plan(in_opposite_order(world))
    assert plan_json(first) == plan_json(second)
    assert plan_text(first) == plan_text(second)
    assert dumps(Memory, first.memory) == dumps(Memory, second.memory)
    assert first == second == plan(world)


@everywhere
@given(worlds())
def test_nothing_is_removed_closed_or_started_on_silence(world: Situation) -> None:
    made = plan(world)
    view = world.adapters["kubernetes"]
    removed = [a for a in made.actions if isinstance(a, RemoveWorkload)]
    applied = [a for a in made.actions if isinstance(a, ApplyWorkload)]
    if isinstance(world.market, Unseen):
        assert not removed
        assert not messages(made)
        assert all(a.workload.id in shown(view) for a in applied)
        assert all(a.digest == shown(view)[a.workload.id].digest for a in applied), "a repair, nothing else"
    if isinstance(view.workloads, Unseen):
        assert not removed
        assert not applied
    if isinstance(view.capacity, Unseen):
        assert not bids(made)
    if isinstance(world.desired, Unseen):
        assert not applied
        assert not any(isinstance(m, CloseBid) and m.lease for m in messages(made))
        assert not bids(made)


def shown(view: AdapterView) -> Mapping[WorkloadId, Running]:
    return view.workloads.view if isinstance(view.workloads, Seen) else {}


@everywhere
@given(worlds())
def test_only_a_lease_seen_closed_at_two_rising_heights_loses_its_workload(world: Situation) -> None:
    for action in plan(world).actions:
        if isinstance(action, RemoveWorkload):
            known = world.memory.workloads[action.id]
            assert seen_market(world).leases[known.lease].state is not State.ACTIVE
            assert 0 < known.closed_first < seen_market(world).height


@everywhere
@given(worlds())
def test_never_more_is_promised_than_is_offered(world: Situation) -> None:
    made = plan(world)
    if not bids(made):
        return
    market, capacity = seen_market(world), world.adapters["kubernetes"].capacity
    assert isinstance(capacity, Seen)
    leased = [u.all for x in market.leases.values() if x.state is State.ACTIVE for u in x.units]
    standing = [u.all for b in market.bids.values() if b.order for u in b.order.units]
    fresh = total([u.all for b in bids(made) for u in b.units])
    room = capacity.view.total - total(leased) - total(standing)
    assert room.lacks(fresh) == ()


@everywhere
@given(worlds())
def test_one_transaction_at_most_and_none_while_one_is_unconfirmed(world: Situation) -> None:
    sent = [a for a in plan(world).actions if isinstance(a, SendTransaction)]
    assert len(sent) <= (0 if world.intents else 1)


@everywhere
@given(worlds())
def test_no_two_messages_of_a_transaction_touch_one_deployments_escrow(world: Situation) -> None:
    assert all(n == 1 for n in Counter(touched(world, messages(plan(world)))).values())


def touched(world: Situation, sent: list[Message]) -> Iterator[DeploymentId]:
    """What settles an account by the chain's facts, whatever the message says of itself."""
    for message in sent:
        if isinstance(message, WithdrawLease):
            yield message.id.deployment
        elif isinstance(message, CloseBid):
            lease = seen_market(world).leases.get(message.id)
            if lease is not None and lease.state is State.ACTIVE:
                yield message.id.deployment


@everywhere
@given(worlds())
def test_no_account_is_touched_in_the_block_that_settled_it(world: Situation) -> None:
    for deployment in touched(world, messages(plan(world))):
        assert seen_market(world).accounts[deployment].settled_at < seen_market(world).height


@everywhere
@given(worlds())
def test_withdrawals_share_no_transaction_with_anything_else(world: Situation) -> None:
    assert len({isinstance(m, WithdrawLease) for m in messages(plan(world))}) <= 1


@everywhere
@given(worlds())
def test_no_ceiling_is_passed(world: Situation) -> None:
    made, limits = plan(world), world.limits
    sent = messages(made)
    closings = sum(1 for m in sent if isinstance(m, CloseBid) and m.lease)
    recent = sum(1 for t in world.memory.closings if t > world.now - 3600)
    assert len(made.actions) <= limits.actions_per_cycle
    assert len(sent) <= limits.messages_per_transaction
    assert sum(1 for a in made.actions if isinstance(a, RemoveWorkload)) <= limits.removals_per_cycle
    assert closings == 0 or closings + recent <= limits.closings_per_hour
    assert len(bids(made)) <= limits.bids_per_cycle
    assert not (limits.observe_only and sent)
    if bids(made):
        ledger, wallet = world.memory.ledger, seen_market(world).wallet
        assert ledger is not None
        spent = sum(amount for t, amount in ledger.spent if t > world.now - 3600)
        cost = sum(b.deposit + 2 for b in bids(made))
        assert spent + cost <= limits.spend_per_hour
        assert wallet.balance - cost >= limits.balance_reserve


@everywhere
@given(worlds())
def test_every_open_order_has_our_bid_or_a_reason(world: Situation) -> None:
    if isinstance(world.market, Unseen):
        return
    made = plan(world)
    told = {h.subject for h in made.holds} | {str(b.id.order) for b in bids(made)}
    told |= {str(b.order) for b in seen_market(world).bids}
    assert {str(o) for o in seen_market(world).orders} <= told


@everywhere
@given(worlds())
def test_every_lease_runs_or_is_started_or_has_a_reason(world: Situation) -> None:
    made = plan(world)
    served = {str(a.workload.id) for a in made.actions if isinstance(a, ApplyWorkload)}
    served |= {h.subject for h in made.holds} | set(map(str, shown(world.adapters["kubernetes"])))
    assert {workload_id(x) for x in leased(world)} <= served


def leased(world: Situation) -> list[LeaseId]:
    if isinstance(world.market, Seen):
        return [x.id for x in world.market.view.leases.values() if x.state is State.ACTIVE]
    return [w.lease for w in world.memory.workloads.values() if not w.closed_first]


@everywhere
@given(worlds())
def test_an_effect_withheld_by_a_ceiling_has_its_hold(world: Situation) -> None:
    """Whatever unbounded limits would do is done, or held under the name of its subject."""
    free = replace(
        world.limits,
        messages_per_transaction=99,
        removals_per_cycle=99,
        closings_per_hour=99,
        actions_per_cycle=99,
    )
    wanted, made = plan(replace(world, limits=free)), plan(world)
    assert things(wanted) <= things(made) | {h.subject for h in made.holds}


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
        case _:
            return (
                workload_id(LeaseId.parse(str(message.lease)))
                if hasattr(message, "lease")
                else str(message.order)
            )


@everywhere
@given(worlds())
def test_memory_holds_facts_and_never_that_an_effect_took_place(world: Situation) -> None:
    """A cycle that died before its first effect plans the same again; only whose turn it is has passed on."""
    first = plan(world)
    kept = replace(first.memory, last_lane=world.memory.last_lane)
    again = plan(replace(world, memory=kept))
    assert again.actions == first.actions
    assert again.holds == first.holds
    assert again.transitions == ()
    assert enduring(again.memory) == enduring(first.memory)


def enduring(memory: Memory) -> Memory:
    """Without whose turn it is, and without what is told once as terminated and forgotten then."""
    kept = {k: w for k, w in memory.workloads.items() if w.phase is not Phase.TERMINATED}
    return replace(memory, workloads=kept, last_lane="")


@everywhere
@given(worlds())
def test_every_step_told_is_one_of_the_lifecycle_and_follows_the_one_before(world: Situation) -> None:
    here = {name: w.phase for name, w in world.memory.workloads.items()}
    for step in plan(world).transitions:
        assert here.get(step.workload, step.start) is step.start
        assert step.end in TRANSITIONS[step.start] or step.start is step.end
        here[step.workload] = step.end


def test_the_worlds_are_not_empty() -> None:
    """A property that is never met proves nothing: every kind of effect occurs in what is drawn."""
    met: Counter[str] = Counter()

    @settings(max_examples=250, derandomize=True, deadline=None, database=None)
    @given(worlds())
    def look(world: Situation) -> None:
        made = plan(world)
        met.update(type(a).__name__ for a in made.actions)
        met.update(type(m).__name__ for m in messages(made))
        met.update(h.reason.value for h in made.holds)

    look()
    effects = {"CreateBid", "CloseBid", "WithdrawLease", "RecordUsage", "SettleUsage"}
    effects |= {"BroadcastAgain", "PrepareAdapter", "ApplyWorkload", "RemoveWorkload"}
    assert effects <= met.keys()
    assert {"NoCapacity", "NoBalance", "Ceiling", "AwaitingHeight", "AsksTooMuch", "TryLater"} <= met.keys()
