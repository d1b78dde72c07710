"""What is metered: blocks, each with the replicas that ran in it, at the price in force then."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.money.usage_metering import LONGEST_GAP_BLOCKS
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Pricing, Service, Workload
from reconciler.values.memory import UsageMemory
from reconciler.values.observed import Market, State, UsageRecord
from reconciler.values.pricing import price
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import MB, Demand, Resources
from tests.makers import (
    HEIGHT,
    NOW,
    PRICING,
    adapter,
    desired,
    lease_id,
    remembered,
    running,
    workload,
)
from tests.planning.money.usage_cases import FILE, RATE, escrow, metered, side_of, usage_case

DEARER = replace(PRICING, profit_margin=Decimal(2))
WEB = Service("web", "web", Resources(500, 256 * MB, 512 * MB), count=50)
MANY = workload(services=(WEB, Service("db", "db", Resources(100, 0, 0))))
DAY = 86_400


def usage_after(case: PlanningInput) -> UsageMemory:
    return plan(case).memory.usage[lease_id()]


def replicas(file: Workload, **ready: int) -> Any:
    """The cluster with so many ready replicas of each service."""
    counts = tuple(sorted(ready.items()))
    total = sum(s.count for s in file.services)
    return adapter(running(file, ready=sum(ready.values()) == total, ready_by_service=counts))


def cost(*sizes: Resources, pricing: Pricing = PRICING) -> Decimal:
    """The price of a block in which these ran, less the uve that the lease paid for it."""
    return price(Demand(sum(sizes, Resources())), pricing) - 1


@pytest.mark.parametrize(
    ("seconds", "block_seconds"),
    [(1, "1"), (6, "6"), (3_600, "42"), (12 * 3_600, "433"), (DAY, "900"), (0, "0.2")],
    ids=["a block", "slow", "a halt of an hour", "of twelve", "of a day", "fast"],
)
def test_a_block_is_billed_as_one_however_long_it_took(seconds: int, block_seconds: str) -> None:
    case = usage_case(usage=metered(seen_at=NOW - seconds), block_seconds=Decimal(block_seconds))
    found = usage_after(case)
    assert (int(found.metered), found.blocks) == (100_000 + RATE, 41)


@given(st.lists(st.tuples(st.integers(1, LONGEST_GAP_BLOCKS), st.integers(0, DAY)), min_size=1, max_size=12))
def test_the_bill_depends_on_blocks_alone(steps: list[tuple[int, int]]) -> None:
    """However fast blocks came, and wherever the chain halted."""
    case = usage_case()
    for blocks, seconds in steps:
        case = later(case, blocks, seconds)
    assert usage_after(case).metered == 100_000 + RATE * (1 + sum(blocks for blocks, _ in steps))


def later(case: PlanningInput, blocks: int, seconds: int, **changes: Any) -> PlanningInput:
    """The next observation; `changes` are those of the input."""
    market = market_of(case)
    then = replace(market, height=market.height + blocks, time=market.time + seconds)
    side = side_of(escrow(expires_at=then.time + 400_000))
    then = replace(then, settlements={lease_id().order: side})
    made = replace(case, market=Seen(then), memory=plan(case).memory, now=then.time)
    return replace(made, **changes)


def market_of(case: PlanningInput) -> Market:
    assert isinstance(case.market, Seen)
    return case.market.view


def test_blocks_between_distant_observations_are_not_billed() -> None:
    before = metered(seen_height=HEIGHT - 11, seen_at=NOW - 61)
    assert usage_after(usage_case(usage=before)).metered == 100_000
    near = metered(seen_height=HEIGHT - 60, seen_at=NOW - 60)
    assert usage_after(usage_case(usage=near)).metered == 100_000 + 60 * RATE


def test_blocks_in_which_it_did_not_run_at_both_ends_are_not_billed() -> None:
    down = adapter(replace(running(FILE), ready=False, ready_by_service=()))
    stopped = usage_case(adapters=down)
    assert usage_after(stopped).metered == 100_000
    again = later(stopped, 1, 1, adapters=adapter(running(FILE)))
    assert usage_after(again).metered == 100_000
    assert usage_after(later(again, 1, 1)).metered == 100_000 + RATE


def test_an_adapter_that_is_unseen_for_a_block_costs_nothing() -> None:
    silent = adapter()
    silent = {"kubernetes": replace(silent["kubernetes"], workloads=Unseen("it does not answer"))}
    unseen = usage_case(adapters=silent)
    assert usage_after(unseen) == metered()
    assert usage_after(later(unseen, 1, 1, adapters=adapter(running(FILE)))).metered == 100_000 + 2 * RATE


def test_two_cycles_at_one_height_bill_its_blocks_once() -> None:
    assert usage_after(later(usage_case(), 0, 0)).metered == 100_000 + RATE


@pytest.mark.parametrize(("web", "db"), [(50, 1), (49, 1), (1, 0), (0, 1), (0, 0)])
def test_each_replica_is_billed_that_ran(web: int, db: int) -> None:
    """49 of 50 are not nothing, and a part is billed at its own size, not at the lease's."""
    case = usage_case(usage=metered(file=MANY), wanted=desired(MANY), adapters=replicas(MANY, web=web, db=db))
    due = cost(*[WEB.resources] * web, *[Resources(100, 0, 0)] * db)
    assert usage_after(case).metered == 100_000 + max(due, Decimal(0))


def test_replicas_of_one_service_do_not_stand_in_for_those_of_another() -> None:
    first = usage_case(usage=metered(file=MANY), wanted=desired(MANY), adapters=replicas(MANY, web=50, db=0))
    second = later(first, 1, 1, adapters=replicas(MANY, web=0, db=1))
    assert usage_after(second).metered == usage_after(first).metered


def test_a_price_holds_from_its_commit_on() -> None:
    """The block before the observation at which it came into force has the old price."""
    dearer = usage_case(wanted=desired(FILE, pricing=DEARER))
    assert usage_after(dearer).metered == 100_000 + RATE
    assert plan(dearer).memory.pricing == DEARER
    due = RATE + cost(FILE.resources, pricing=DEARER)
    assert usage_after(later(dearer, 1, 1)).metered == 100_000 + due


def test_a_price_file_that_is_missing_for_a_while_leaves_the_last_price() -> None:
    without = usage_case(wanted=desired(FILE, pricing=None))
    assert plan(without).memory.pricing == PRICING
    assert usage_after(later(without, 1, 1)).metered == 100_000 + 2 * RATE


def test_a_file_that_is_not_applied_leaves_the_size_of_what_runs() -> None:
    """A larger workload than the lease grants is not applied; the old one goes on."""
    large = workload(cpu=900_000)
    case = usage_case(wanted=desired(large))
    assert usage_after(case).metered == 100_000 + RATE
    assert usage_after(later(case, 1, 1)).metered == 100_000 + 2 * RATE


def test_a_replica_counts_in_its_new_size_from_the_second_look_on() -> None:
    larger = workload(cpu=600)
    case = usage_case(wanted=desired(larger), adapters=adapter(running(larger)))
    assert usage_after(case).metered == 100_000
    assert usage_after(later(case, 1, 1)).metered == 100_000 + cost(larger.resources)


def test_a_paused_workload_is_not_billed() -> None:
    paused = adapter(replace(running(FILE), paused=True))
    assert usage_after(usage_case(adapters=paused)).metered == 100_000


def test_a_new_journal_bills_only_from_now_on() -> None:
    fresh = replace(usage_case(), memory=remembered())
    found = usage_after(fresh)
    assert (found.billed_until, int(found.metered), found.seen_height) == (NOW, 0, HEIGHT)


def test_usage_before_the_escrow_is_not_billed() -> None:
    """Between the observations, the escrow was activated; the period begins after that."""
    case = usage_case(usage=UsageMemory(unfunded_since=NOW - 60))
    first = usage_after(case)
    assert (first.billed_until, int(first.metered), first.unfunded_since) == (NOW, 0, 0)
    assert usage_after(later(case, 1, 1)).metered == RATE


def test_a_period_never_begins_before_its_escrow() -> None:
    late = side_of(escrow(activated_at=NOW - 5))
    found = usage_after(usage_case(late))
    assert (found.billed_until, int(found.metered)) == (NOW - 5, 0)


@pytest.mark.parametrize("state", [State.ACTIVE, State.CLOSED])
@pytest.mark.parametrize("is_settled", [True, False])
def test_records_ahead_of_the_journal_end_its_period(state: State, is_settled: bool) -> None:
    """A restored backup; the lease runs, or has ended meanwhile."""
    worth = 90_000
    ahead = UsageRecord(
        "usage-1", str(lease_id()), "fixed", NOW - 40, NOW - 5, worth, b"s", is_settled, False
    )
    old = usage_case().market
    assert isinstance(old, Seen)
    one = replace(old.view.leases[lease_id()], state=state)
    usage = plan(usage_case(side_of(escrow(), ahead), lease=one)).memory.usage
    assert all((u.billed_until, int(u.metered)) == (NOW - 5, 0) for u in usage.values())
    assert bool(usage) is (state is State.ACTIVE or not is_settled)


def test_without_prices_nothing_is_billed() -> None:
    case = replace(usage_case(wanted=desired(FILE, pricing=None)), memory=remembered())
    assert usage_after(later(case, 1, 1)).metered == 0
