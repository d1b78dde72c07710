"""What holds of money in every world; each sentence was shown to fail by a deliberate fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.ids import DeploymentId
from reconciler.values.limits import Limits
from reconciler.values.messages import CloseBid, Message, WithdrawLease
from reconciler.values.observed import State
from reconciler.values.plans import ApplyWorkload, RemoveWorkload, SendTransaction
from reconciler.values.readings import Seen
from reconciler.values.resources import Resources, total
from tests.planning.properties import bids, many_worlds, messages, seen_market
from tests.planning.small_markets import BOTH, MIXED, SERVING, TRADING
from tests.planning.small_worlds import under_each_ceiling
from tests.planning.world_variants import (
    BRAKES,
    PAUSES,
    PLAIN,
    all_closing,
    all_ended,
    just_settled,
    keeping_back,
    worlds,
)


@many_worlds
@given(worlds(*PLAIN, of=MIXED + TRADING))
def test_never_more_is_promised_than_is_offered(drawn: PlanningInput) -> None:
    for percent in (0, 50):
        world = keeping_back(drawn, percent)
        made, market = plan(world), seen_market(world)
        capacity = world.adapters["kubernetes"].capacity
        assert isinstance(capacity, Seen)
        leased = [u.all for x in market.leases.values() if x.state is State.ACTIVE for u in x.units]
        standing = [u.all for b in market.bids.values() if b.order and b.may_win for u in b.order.units]
        fresh = total([u.all for b in bids(made) for u in b.units])
        offered = capacity.view.total
        ours = Resources(
            offered.cpu_milli * (100 - percent) // 100, offered.memory_bytes * (100 - percent) // 100
        )
        assert not bids(made) or (ours - total(leased) - total(standing)).lacks(fresh) == ()


@many_worlds
@given(worlds(*PAUSES))
def test_one_transaction_at_most_and_none_while_one_is_unconfirmed(world: PlanningInput) -> None:
    sent = [a for a in plan(world).actions if isinstance(a, SendTransaction)]
    assert len(sent) <= (0 if world.intents else 1)


@many_worlds
@given(worlds(*PLAIN, all_closing, of=SERVING))
def test_no_two_messages_of_a_transaction_touch_one_deployments_escrow(world: PlanningInput) -> None:
    assert all(n == 1 for n in Counter(touched(world, messages(plan(world)))).values())


def touched(world: PlanningInput, sent: list[Message]) -> Iterator[DeploymentId]:
    """What settles an account by the chain's facts, whatever the message says of itself."""
    for message in sent:
        if isinstance(message, WithdrawLease):
            yield message.id.deployment
        elif isinstance(message, CloseBid):
            lease = seen_market(world).leases.get(message.id)
            if lease is not None and lease.state is State.ACTIVE:
                yield message.id.deployment


@many_worlds
@given(worlds(*PLAIN, of=SERVING))
def test_no_account_is_touched_in_the_block_that_settled_it(drawn: PlanningInput) -> None:
    for world in (drawn, just_settled(drawn), just_settled(all_closing(drawn))):
        for deployment in touched(world, messages(plan(world))):
            assert seen_market(world).accounts[deployment].settled_at < seen_market(world).height


@many_worlds
@given(worlds())
def test_withdrawals_share_no_transaction_with_anything_else(world: PlanningInput) -> None:
    assert len({isinstance(m, WithdrawLease) for m in messages(plan(world))}) <= 1


@many_worlds
@given(worlds(*PLAIN, all_ended, all_closing, of=SERVING))
def test_no_ceiling_of_effects_is_passed(drawn: PlanningInput) -> None:
    for world in under_each_ceiling(drawn):
        made, limits = plan(world), world.limits
        sent = messages(made)
        closings = sum(1 for m in sent if isinstance(m, CloseBid) and m.lease)
        recent = sum(1 for t in world.memory.closings if t > world.now - 3600)
        assert len(made.actions) <= limits.actions_per_cycle
        assert len(sent) <= limits.messages_per_transaction
        assert sum(1 for a in made.actions if isinstance(a, RemoveWorkload)) <= limits.removals_per_cycle
        assert closings == 0 or closings + recent <= limits.closings_per_hour


@many_worlds
@given(worlds(*PLAIN, of=TRADING))
def test_no_more_is_bid_and_spent_than_is_allowed(drawn: PlanningInput) -> None:
    ledger, wallet = drawn.memory.ledger, seen_market(drawn).wallet
    assert ledger is not None
    spent = sum(amount for t, amount in ledger.spent if t > drawn.now - 3600)
    for world in under_each_ceiling(drawn):
        made, limits = plan(world), world.limits
        cost = sum(b.deposit + 2 for b in bids(made))
        assert len(bids(made)) <= limits.bids_per_cycle
        assert cost == 0 or spent + cost <= limits.spend_per_hour
        assert cost == 0 or wallet.balance - cost >= limits.balance_reserve


@many_worlds
@given(worlds(*BRAKES, of=BOTH))
def test_the_brakes_hold(world: PlanningInput) -> None:
    """Draining, nothing is bid on; with any other, nothing is sent; workloads are started all the same."""
    made = plan(world)
    assert not bids(made)
    assert world.limits.draining or not messages(made)
    if len(made.actions) < world.limits.actions_per_cycle:
        assert started(replace(world, limits=Limits())) <= started(world)


def started(world: PlanningInput) -> set[str]:
    return {a.workload.id for a in plan(world).actions if isinstance(a, ApplyWorkload)}
