"""A preview is what the loop would do: the same actions, kind by kind and subject by subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cycle.planned_cycle import PlannedCycle
from reconciler.cycle.snapshot_publisher import planning_snapshot_of
from reconciler.documents.planning_snapshot import FILE, planning_snapshot_files, read_planning_snapshot
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.revisions.preview import RevisionChange, preview
from reconciler.values.desired import Bidding, CloseReason, Config, Desired, Pricing, Revision, Revisions
from reconciler.values.gpus import GpuModel
from reconciler.values.limits import Limits
from reconciler.values.messages import subject_of
from reconciler.values.observed import Market
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.plans import Action, Plan, Reason, SendTransaction, subjects_of
from reconciler.values.preview import Preview
from reconciler.values.rates import ExchangeRate, RateSource
from reconciler.values.readings import Seen
from reconciler.values.subjects import Subject
from tests import makers
from tests.planning.properties import many_worlds
from tests.planning.small_markets import BOTH
from tests.planning.world_variants import PLAIN, silent_capacity, silent_cluster, worlds

BASE, HEAD = "b" * 40, "d" * 40


def told(actions: Sequence[Action]) -> list[tuple[str, tuple[Subject, ...]]]:
    """Kind and subjects of each action, and of each message in one."""
    found = [(type(a).__name__, subjects_of(a)) for a in actions]
    for action in actions:
        if isinstance(action, SendTransaction):
            found += [(type(m).__name__, (subject_of(m),)) for m in action.messages]
    return found


def revision(desired: Desired, commit: str) -> Revision:
    return Revision(replace(desired, commit=commit))


@many_worlds
@given(
    worlds(*PLAIN, silent_capacity, silent_cluster, of=BOTH),
    worlds(*PLAIN, of=BOTH),
    st.sampled_from([Limits(), Limits(price_change_percent=10), Limits(actions_per_cycle=2)]),
    st.sampled_from([makers.PRICING, replace(makers.PRICING, cpu_millicores=Decimal(2))]),
)
def test_on_one_snapshot_it_is_what_the_loop_does(
    world: PlanningInput, other: PlanningInput, limits: Limits, pricing: Pricing
) -> None:
    assert isinstance(world.desired, Seen)
    assert isinstance(other.desired, Seen)
    base = revision(world.desired.view.newest.desired, BASE)
    head = revision(replace(other.desired.view.newest.desired, pricing=pricing), HEAD)
    before = replace(
        world, desired=Seen(Revisions(base)), limits=limits, intents=(), confirmations=(), results=()
    )
    found = PlannedCycle(before, plan(before))
    outlook = planning_snapshot_of("p", found)
    assert outlook is not None

    merged = replace(before, desired=Seen(Revisions(head, base)), memory=found.plan.memory)
    done = plan(merged)

    seen = preview(
        read_planning_snapshot(planning_snapshot_files(outlook)[FILE]), RevisionChange(base, head)
    ).after
    assert told(seen.actions) == told(done.actions)
    assert seen.holds == done.holds


def seen(market: Market, base: Desired, head: Desired, limits: Limits | None = None) -> Preview:
    """The preview of a change on a market that has settled on its base."""
    base, head = replace(base, commit=BASE), replace(head, commit=HEAD)
    inputs = replace(makers.planning_input(market, base), limits=limits or Limits())
    memory = plan(inputs).memory
    outlook = PlanningSnapshot("p", makers.NOW, market, inputs.adapters, memory, limits or Limits())
    return preview(outlook, RevisionChange(Revision(base), Revision(head)))


def dearer(factor: str) -> Desired:
    price = makers.PRICING.cpu_millicores * Decimal(factor)
    return makers.desired(pricing=replace(makers.PRICING, cpu_millicores=price))


def test_a_price_changes_the_reference_orders_and_the_bids_to_come() -> None:
    orders = [makers.order(1), makers.order(2, makers.unit(price=2500))]
    market = makers.market(orders=orders, bids=[makers.bid(9)])
    made = seen(market, makers.desired(), dearer("1.1"), Limits(promised_per_tenant_percent=100))
    small = made.prices[0]
    assert small.old is not None
    assert small.new is not None
    assert (small.name, small.old.rate, small.new.rate) == ("small", Decimal(1282), Decimal(1340))
    first, second = made.orders
    assert (first.old.bid, first.new.bid) == (Decimal(2446), Decimal(2561))
    assert (second.old.bid, second.new.reason) == (Decimal(2446), Reason.PRICE_TOO_LOW)
    assert (made.orders_open, made.bids_open) == (2, 1)
    assert made.warnings == ("1 open order is no longer bid on, worth 2,446uve a block together",)


def test_every_order_and_lease_whose_price_moves_is_listed() -> None:
    """By a table that concerns only some of them; the others are not."""
    gpu = makers.unit(price=1, gpu=1, gpu_attributes=(("vendor/nvidia/model/a100", "true"),))
    leases = [
        makers.lease(3, units=(gpu,), usage_billed=True, attributes=(("billing", "usage"),)),
        makers.lease(4, units=(gpu,)),
    ]
    market = makers.market(orders=[makers.order(1, gpu), makers.order(2)], leases=leases)
    table = replace(makers.PRICING, gpu_models=((GpuModel("nvidia", "a100"), Decimal(2000)),))
    found = seen(market, makers.desired(), makers.desired(pricing=table))
    assert [(move.subject, move.id, move.old, move.new) for move in found.moves] == [
        ("order", str(makers.order_id(1)), Decimal(3596), Decimal(4746)),
        ("lease", str(makers.lease_id(3)), Decimal(3596), Decimal(4746)),
    ]


def test_prices_in_a_currency_are_shown_in_uve() -> None:
    rate = RateSource("usd", 60, Seen(ExchangeRate(Decimal(40), makers.NOW)))
    in_usd = replace(makers.PRICING, gpu=Decimal("2.5"), currency="usd")
    found = seen(makers.market(), makers.desired(), makers.desired(pricing=in_usd), Limits(rate=rate))
    [note] = found.notes
    assert note.startswith("Prices are converted at 40uve for 1usd, the rate of 2027-01-15T08:00:00Z: ")
    assert "gpu 100uve" in note


def test_a_quote_is_net_of_take_and_fees() -> None:
    made = seen(makers.market(), makers.desired(), dearer("2"))
    quote = made.prices[0].new
    assert quote is not None
    blocks = 30 * 86_400
    assert quote.month == quote.rate * blocks
    assert quote.net == int(quote.month * 98 / 100) - made.costs.month_fees
    assert made.costs.month_fees == 8_642 + 29 * 3_241


def test_a_jump_over_the_hosts_bound_is_a_ceiling_and_the_old_prices_go_on() -> None:
    market = makers.market(orders=[makers.order(1)])
    made = seen(market, makers.desired(), dearer("2"), Limits(price_change_percent=50))
    assert [h.reason for h in made.ceilings] == [Reason.PRICE_JUMP]
    assert made.orders == ()
    assert made.after.revision == BASE


def test_stopped_spending_is_reported() -> None:
    market = makers.market(leases=[makers.lease(1), makers.lease(2)])
    base = makers.desired(makers.workload(1), makers.workload(2))
    head = makers.desired(
        makers.workload(1, paused=True),
        makers.workload(2, close=CloseReason.DECOMMISSION, close_words="decommission"),
        config=Config(Bidding(enabled=False), suspended="moving house"),
    )
    warnings = seen(market, base, head).warnings
    assert any("all transactions stop (moving house)" in w for w in warnings)
    assert any("bidding stops" in w for w in warnings)
    assert any("is paused" in w and "2,446uve" in w for w in warnings)
    assert any("is closed (decommission), which pays about 6,340,032,000uve" in w for w in warnings)


def test_prices_that_lose_money_are_warned_of() -> None:
    cheap = makers.desired(
        pricing=replace(
            makers.PRICING,
            cpu_millicores=Decimal(0),
            memory_mb=Decimal("0.00001"),
            storage_mb=Decimal(0),
            gpu=Decimal(0),
        )
    )
    slow = makers.market(block_seconds=Decimal(60))
    warnings = seen(slow, makers.desired(), cheap).warnings
    assert any("small order loses" in w for w in warnings)
    assert any("earns back its fees only after" in w for w in warnings)
    free = makers.desired(
        pricing=replace(
            makers.PRICING, cpu_millicores=Decimal(0), memory_mb=Decimal(0), storage_mb=Decimal(0)
        )
    )
    assert any("small order becomes free" in w for w in seen(slow, makers.desired(), free).warnings)


@pytest.mark.parametrize(
    ("memory_mb", "warning"),
    [
        ("1000", "pricing.memory_mb rises 1,000-fold, from 1 to 1,000uve: compare the unit"),
        ("0.001", "pricing.memory_mb falls 1,000-fold, from 1 to 0.001uve: compare the unit"),
        ("99", None),
    ],
)
def test_a_price_in_another_unit_is_warned_of(memory_mb: str, warning: str | None) -> None:
    head = makers.desired(pricing=replace(makers.PRICING, memory_mb=Decimal(memory_mb)))
    found = [w for w in seen(makers.market(), makers.desired(), head).warnings if "-fold" in w]
    assert found == ([warning] if warning else [])


def test_free_capacity_is_shown_before_and_after_bids() -> None:
    market = makers.market(orders=[makers.order(1, makers.unit(price=2000))])
    made = seen(market, makers.desired(), dearer("0.5"))
    before, after = made.rooms
    assert before is not None
    assert after is not None
    assert before.free.cpu_milli - after.free.cpu_milli == 1000
    assert before.usable == after.usable


def test_the_same_on_both_sides_is_no_change_at_all() -> None:
    market = makers.market(orders=[makers.order(1)], leases=[makers.lease(2)])
    made = seen(market, makers.desired(makers.workload(2)), makers.desired(makers.workload(2)))
    assert (made.prices, made.orders, made.ceilings, made.warnings) == ((), (), (), ())
    assert told(made.before.actions) == told(made.after.actions)


def test_what_becomes_of_each_workload_is_one_word() -> None:
    base = makers.desired(*(makers.workload(n) for n in (1, 2, 3, 4)), makers.workload(5, paused=True))
    head = makers.desired(
        makers.workload(1),
        makers.workload(2, image="web:2"),
        makers.workload(3, paused=True),
        makers.workload(4, close=CloseReason.UNSTABLE, paused=True),
        makers.workload(5),
        makers.workload(6),
    )
    made = seen(makers.market(), base, makers.desired(*head.workloads.values()))
    words = {change.id.split("-")[0]: change.verb for change in made.workloads}
    assert words == {"2": "changed", "3": "paused", "4": "closed", "5": "resumed", "6": "created"}
    (gone,) = seen(makers.market(), makers.desired(makers.workload(1)), makers.desired()).workloads
    assert gone.verb == "left without a file"


def kept(made: Plan) -> set[str]:
    return {hold.subject.name for hold in made.holds}


def test_a_file_deleted_under_an_active_lease_is_withheld() -> None:
    market = makers.market(leases=[makers.lease(1)])
    made = seen(market, makers.desired(makers.workload(1)), makers.desired())
    assert makers.workload(1).id in kept(made.after)
    assert makers.workload(1).id not in kept(made.before)
