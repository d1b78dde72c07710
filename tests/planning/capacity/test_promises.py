"""What is bid can be placed: on one adapter, on its machines together, after everything promised there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Bidding, Config
from reconciler.values.ids import workload_id
from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.limits import Limits
from reconciler.values.machines import Capacity, Machine, Promise
from reconciler.values.messages import CloseBid, CreateBid
from reconciler.values.observed import AdapterView, Market, State
from reconciler.values.plans import ApplyWorkload, Hold, Plan, Reason, SendTransaction
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import Resources
from tests.makers import (
    HEIGHT,
    ROOM,
    bid,
    capacity_of,
    desired,
    lease,
    lease_id,
    market,
    order,
    order_id,
    planning_input,
    remembered,
    running,
    unit,
    workload,
)

ALL = Limits(promised_per_tenant_percent=100)


def cpu(milli: int) -> Resources:
    return replace(ROOM, cpu_milli=milli)


def seen(capacity: Capacity) -> AdapterView:
    return AdapterView(Seen({}), Seen(capacity))


def cluster(*nodes: Resources) -> AdapterView:
    return seen(capacity_of(*nodes))


def hosts(*free: Resources) -> AdapterView:
    machines = tuple(Machine(f"h{number}", each) for number, each in enumerate(free))
    return seen(capacity_of(*free, machines=machines, workloads_are_whole=True))


def given(shown: Market, adapters: Mapping[str, AdapterView], **changes: Any) -> PlanningInput:
    made = planning_input(shown, adapters=adapters, limits=ALL)
    return replace(made, **changes)


def bids(made: Plan) -> list[CreateBid]:
    sent = [m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages]
    return [m for m in sent if isinstance(m, CreateBid)]


def closed(made: Plan) -> list[CloseBid]:
    sent = [m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages]
    return [m for m in sent if isinstance(m, CloseBid)]


def held(made: Plan, name: str) -> Hold:
    [found] = [h for h in made.holds if h.subject.name == name]
    return found


TWICE = order(1, unit(price=9000, cpu=2000, count=2))
NOWHERE = {
    "2000m on a cluster and 2000m on a host": {"kubernetes": cluster(cpu(2000)), "ansible": hosts(cpu(2000))},
    "nodes with 3000m and 1000m": {"kubernetes": cluster(cpu(3000), cpu(1000))},
    "hosts with 2000m each": {"ansible": hosts(cpu(2000), cpu(2000))},
    "two clusters with 2000m each": {"east": cluster(cpu(2000)), "west": cluster(cpu(2000))},
}


@pytest.mark.parametrize("adapters", NOWHERE.values(), ids=NOWHERE.keys())
def test_no_bid_on_what_no_single_adapter_can_hold(adapters: Mapping[str, AdapterView]) -> None:
    made = plan(given(market(orders=[TWICE]), adapters))
    assert bids(made) == []
    hold = held(made, str(order_id()))
    assert hold.reason is Reason.NO_CAPACITY
    assert all(name in hold.message for name in adapters)


def test_a_bid_names_the_adapter_and_the_machines_that_can_hold_it() -> None:
    both = {"kubernetes": cluster(cpu(3000), cpu(1000)), "ansible": hosts(cpu(1000), cpu(4000))}
    [made] = bids(plan(given(market(orders=[TWICE]), both)))
    assert made.promise == Promise("ansible", ("h1",))
    spread = {"kubernetes": cluster(cpu(2500), cpu(2500))}
    [made] = bids(plan(given(market(orders=[TWICE]), spread)))
    assert made.promise == Promise("kubernetes", ("m0", "m1"))


def test_a_bid_counts_from_its_transaction_to_the_end_of_its_lease() -> None:
    """Its promise is remembered once its transaction is in a block; two of 2000m fill a host of 4000m."""
    one, two = order(1, unit(price=9000, cpu=3000)), order(2, unit(price=9000, cpu=3000))
    at = {"ansible": hosts(cpu(4000))}
    [sent] = bids(plan(given(market(orders=[one]), at)))
    intent = Intent("h", b"", (sent,), 1, 7, HEIGHT + 20, HEIGHT)
    waiting = given(market(orders=[one, two]), at, intents=(intent,))
    assert held(plan(waiting), str(order_id(2))).reason is Reason.NO_CAPACITY

    confirmed = (Confirmation(intent, IntentOutcome.LANDED, HEIGHT, 1),)
    known = given(market(orders=[one, two], bids=[bid(1, one)]), at, confirmations=confirmed)
    made = plan(known)
    assert made.memory.promises == {order_id(1): Promise("ansible", ("h0",))}
    assert held(made, str(order_id(2))).reason is Reason.NO_CAPACITY

    active = lease(1, units=one.units)
    leased = market(orders=[two], leases=[active])
    ended = replace(active, state=State.CLOSED)
    doubted = market(orders=[two], leases=[ended], unconfirmed={active.id: "active"})
    for shown in (leased, doubted):
        made = plan(given(shown, at, memory=made.memory))
        assert made.memory.promises == {order_id(1): Promise("ansible", ("h0",))}
        assert held(made, str(order_id(2))).reason is Reason.NO_CAPACITY

    over = plan(given(market(orders=[two]), at, memory=remembered(promises=made.memory.promises)))
    assert over.memory.promises == {}
    assert len(bids(over)) == 1, over.holds


def promised(adapter: str, *machines: str) -> Any:
    return remembered(promises={order_id(1): Promise(adapter, machines)})


def test_a_workload_goes_where_its_bid_was_promised() -> None:
    both = {"kubernetes": cluster(cpu(8000)), "ansible": hosts(cpu(8000), cpu(8000))}
    asked = desired(workload(adapter=""))
    known = given(market(leases=[lease()]), both, desired=planning_input(wanted=asked).desired)
    [action] = [a for a in plan(known).actions if isinstance(a, ApplyWorkload)]
    assert action.workload.adapter == "kubernetes"
    [action] = [
        a
        for a in plan(replace(known, memory=promised("ansible", "h1"))).actions
        if isinstance(a, ApplyWorkload)
    ]
    assert (action.workload.adapter, action.workload.machine) == ("ansible", "h1")
    named = planning_input(wanted=desired(workload(adapter="kubernetes"))).desired
    moved = replace(known, memory=promised("ansible", "h1"), desired=named)
    [action] = [a for a in plan(moved).actions if isinstance(a, ApplyWorkload)]
    assert (action.workload.adapter, action.workload.machine) == ("kubernetes", "")


def test_what_a_workload_holds_is_not_counted_twice() -> None:
    """Of 4000m, a lease of 3000m runs with 2000m: 1000m more are reserved for it, 1000m are free."""
    subject = workload_id(lease_id(1))
    node = Machine("m0", cpu(4000), {subject: (replace(Resources(), cpu_milli=2000),)})
    running_there = Seen({subject: running(workload())})
    at = {"kubernetes": AdapterView(running_there, Seen(capacity_of(cpu(4000), machines=(node,))))}
    leased = [lease(1, units=(unit(cpu=3000),))]
    fits = order(2, unit(price=9000, cpu=1000))
    assert len(bids(plan(given(market(leases=leased, orders=[fits]), at)))) == 1
    large = order(2, unit(price=9000, cpu=1001))
    assert bids(plan(given(market(leases=leased, orders=[large]), at))) == []


def test_a_machine_that_vanishes_with_promises_on_it() -> None:
    """The promise moves to where it fits; if that is nowhere, the bid has a hold."""
    asked = order(1, unit(price=9000, cpu=2000))
    with_bid = market(orders=[asked], bids=[bid(1, asked, price=Decimal(3_596))])
    gone = promised("kubernetes", "m7")
    made = plan(given(with_bid, {"kubernetes": cluster(cpu(1000), cpu(2500))}, memory=gone))
    assert made.memory.promises[order_id(1)] == Promise("kubernetes", ("m1",))
    other = {"kubernetes": cluster(cpu(1000)), "ansible": hosts(cpu(2000))}
    made = plan(given(with_bid, other, memory=gone))
    assert made.memory.promises[order_id(1)] == Promise("ansible", ("h0",))
    made = plan(given(with_bid, {"kubernetes": cluster(cpu(1000))}, memory=gone))
    assert made.memory.promises == gone.promises, "the machine may come back"
    hold = held(made, str(lease_id(1)))
    assert (hold.reason, hold.ours) == (Reason.NO_CAPACITY, True)
    assert closed(made) == []


def test_an_unseen_adapter_keeps_its_promises() -> None:
    asked = order(1, unit(price=9000, cpu=2000))
    silent = AdapterView(Unseen("down"), Unseen("down"))
    both = {"kubernetes": silent, "ansible": hosts(cpu(2000))}
    known = promised("kubernetes", "m0")
    made = plan(given(market(orders=[asked], bids=[bid(1, asked)]), both, memory=known))
    assert made.memory.promises == known.promises
    assert not [h for h in made.holds if h.subject.name == str(lease_id(1))]
    bob = order(2, unit(price=9000, cpu=2000), id=order_id(2, "ve1bob"))
    second = market(orders=[asked, bob], bids=[bid(1, asked)])
    [other] = bids(plan(given(second, both, memory=known)))
    assert other.promise == Promise("ansible", ("h0",))


def test_promises_of_a_lost_journal_are_found_again_oldest_bid_first() -> None:
    one, two = order(1, unit(price=9000, cpu=3000)), order(2, unit(price=9000, cpu=3000))
    shown = market(orders=[one, two], bids=[bid(2, two, created_at=HEIGHT - 9), bid(1, one)])
    made = plan(given(shown, {"ansible": hosts(cpu(4000), cpu(3500))}, memory=remembered()))
    assert made.memory.promises == {
        order_id(2): Promise("ansible", ("h0",)),
        order_id(1): Promise("ansible", ("h1",)),
    }


def test_a_tenant_claims_a_share_with_open_bids_one_always_and_leases_do_not_count() -> None:
    limits = replace(ALL, promised_per_tenant_percent=25)
    at = {"kubernetes": cluster(*[cpu(2000)] * 4)}
    three = [order(n, unit(price=9000, cpu=1000)) for n in (1, 2, 3)]
    made = plan(given(market(orders=three), at, limits=limits))
    assert len(bids(made)) == 2
    hold = held(made, str(order_id(3)))
    assert hold.reason is Reason.CEILING
    assert "promised_per_tenant_percent" in hold.message
    other = order(4, unit(price=9000, cpu=1000), id=order_id(4, "ve1bob"))
    assert len(bids(plan(given(market(orders=[*three, other]), at, limits=limits)))) == 3
    large = order(1, unit(price=90_000, cpu=2000, count=4))
    assert len(bids(plan(given(market(orders=[large]), at, limits=limits)))) == 1, "one is always allowed"
    followed = market(orders=three[2:], leases=[lease(n) for n in (1, 2)])
    assert len(bids(plan(given(followed, at, limits=limits)))) == 1
    standing = market(orders=three, bids=[bid(n, three[n - 1]) for n in (1, 2)])
    assert bids(plan(given(standing, at, limits=limits))) == []


def test_a_bid_that_nobody_accepts_is_closed_after_its_lifetime_and_not_made_again() -> None:
    asked = order(1, unit(price=9000))
    at = {"kubernetes": cluster(ROOM)}
    for age, over in ((1799, False), (1800, True)):
        shown = market(orders=[asked], bids=[bid(1, asked, created_at=HEIGHT - age)])
        assert bool(closed(plan(given(shown, at)))) is over
    short = planning_input(wanted=desired(config=Config(bidding=Bidding(bid_lifetime_seconds=2)))).desired
    shown = market(orders=[asked], bids=[bid(1, asked)])
    [closing] = closed(plan(given(shown, at, desired=short)))
    intent = Intent("h", b"", (closing,), 1, 7, HEIGHT + 20, HEIGHT)
    landed = (Confirmation(intent, IntentOutcome.LANDED, HEIGHT, 1),)
    made = plan(given(market(orders=[asked]), at, confirmations=landed))
    assert bids(made) == []
    assert held(made, str(order_id(1))).reason is Reason.REFUSED_BEFORE
    again = plan(given(market(orders=[asked]), at, memory=made.memory))
    assert bids(again) == [], "the chain accepts one bid per order, for ever"
    assert plan(given(market(), at, memory=again.memory)).memory.retries == {}


def test_a_false_count_of_units_costs_no_memory() -> None:
    huge = order(1, unit(price=9000, cpu=1, count=2**40))
    at = {"kubernetes": cluster(ROOM)}
    assert bids(plan(given(market(orders=[huge]), at))) == []
    priced = market(bids=[bid(1, huge, price=Decimal(10) ** 30)])
    assert held(plan(given(priced, at)), str(lease_id(1))).reason is Reason.NO_CAPACITY
