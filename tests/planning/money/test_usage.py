from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Config, Usage
from reconciler.values.memory import UsageMemory
from reconciler.values.messages import Message, RecordUsage, SettleUsage
from reconciler.values.observed import Lease, OrderSettlement, SettlementEscrow, State, UsageRecord
from reconciler.values.plans import Reason, SendTransaction
from reconciler.values.readings import Seen
from tests.makers import (
    ALICE,
    HEIGHT,
    NOW,
    US,
    account,
    adapter,
    desired,
    lease,
    lease_id,
    market,
    order_id,
    planning_input,
    remembered,
    running,
    workload,
)

RULES = Config(usage=Usage(every_seconds=40, min_gain=1))
FILE = workload()


def escrow(**changes: Any) -> SettlementEscrow:
    made = SettlementEscrow(
        "escrow-1",
        str(order_id()),
        str(lease_id()),
        ALICE,
        US,
        State.ACTIVE,
        1_000_000,
        NOW + 80_000,
        NOW - 90,
    )
    return replace(made, **changes)


def billed(**changes: Any) -> Lease:
    return lease(rate=1, usage_billed=True, **changes)


def record(number: int = 1, cost: int = 100_000, **changes: Any) -> UsageRecord:
    made = UsageRecord(
        f"usage-{NOW}-{number}", str(lease_id()), "fixed", NOW - 80, NOW - 40, cost, b"s", False, False
    )
    return replace(made, **changes)


def given(
    side: OrderSettlement | None = None, memory: UsageMemory | None = None, **changes: Any
) -> PlanningInput:
    one = billed()
    seen = market(
        leases=[one],
        accounts=[account(one, settled_at=HEIGHT - 100)],
        settlements={order_id(): side or OrderSettlement(escrow())},
    )
    kept = remembered(usage={lease_id(): memory or UsageMemory(NOW - 40, 38, NOW - 2, 60)})
    made = planning_input(seen, desired(FILE, config=RULES), adapters=adapter(running(FILE)), memory=kept)
    return replace(made, **changes)


def messages_of(case: PlanningInput) -> tuple[Message, ...]:
    return tuple(m for a in plan(case).actions if isinstance(a, SendTransaction) for m in a.messages)


def test_what_ran_at_our_prices_less_what_the_lease_paid() -> None:
    """40 seconds of 2,446 a block, less the 40 uve that the lease paid since its 60."""
    [message] = messages_of(given())
    assert message == RecordUsage(lease_id(), 40 * 2446 - 40, NOW - 40, NOW, 40, 100)


def test_time_between_distant_looks_is_not_proven_and_not_billed() -> None:
    made = plan(given(memory=UsageMemory(NOW - 4000, 0, NOW - 3600, 0)))
    assert made.memory.usage[lease_id()].ran_seconds == 0


def test_time_while_it_did_not_run_is_not_billed() -> None:
    down = adapter(replace(running(FILE), ready=False))
    assert plan(given(adapters=down)).memory.usage[lease_id()] == UsageMemory(NOW - 40, 38, 0, 60)


def test_never_more_than_the_escrow_still_holds() -> None:
    """A capped settle forfeits the rest (semantics 5.5)."""
    [message] = messages_of(given(OrderSettlement(escrow(balance=60_000))))
    assert isinstance(message, RecordUsage)
    assert message.amount == 60_000


def test_unsettled_records_are_settled_once_by_their_distinct_ids() -> None:
    twice = OrderSettlement(escrow(), (record(1), record(1), record(2, settled=True)))
    case = given(twice, UsageMemory(NOW - 10, 10, NOW - 1, 90))
    [message] = messages_of(case)
    assert message == SettleUsage(order_id(), (f"usage-{NOW}-1",), 200_000)


def test_a_new_journal_bills_only_from_now_on() -> None:
    case = given(OrderSettlement(escrow(), (record(settled=True),)))
    fresh = replace(case, memory=remembered())
    assert plan(fresh).memory.usage[lease_id()] == UsageMemory(NOW, 0, NOW, 100)


def test_records_ahead_of_the_journal_are_used() -> None:
    ahead = OrderSettlement(escrow(), (record(period_end=NOW - 5, settled=True),))
    assert plan(given(ahead)).memory.usage[lease_id()] == UsageMemory(NOW - 5, 0, NOW, 100)


@pytest.mark.parametrize(
    ("side", "reason"),
    [
        (OrderSettlement(None), Reason.NO_SETTLEMENT_ESCROW),
        (OrderSettlement(escrow(recipient="ve1stranger")), Reason.ESCROW_NOT_OURS),
        (OrderSettlement(escrow(depositor="ve1stranger")), Reason.ESCROW_NOT_OURS),
        (OrderSettlement(escrow(lease="x/1/1/1/y")), Reason.ESCROW_NOT_OURS),
        (OrderSettlement(escrow(state=State.PENDING)), Reason.ESCROW_NOT_OURS),
    ],
)
def test_an_escrow_that_is_not_ours_gets_no_record(side: OrderSettlement, reason: Reason) -> None:
    case = given(side)
    assert messages_of(case) == ()
    assert reason in {h.reason for h in plan(case).holds}


def test_nothing_is_recorded_that_costs_more_than_it_brings() -> None:
    case = given(memory=UsageMemory(NOW - 40, 3, 0, 60))
    assert messages_of(case) == ()
    assert Reason.NOT_WORTH_ITS_FEE in {h.reason for h in plan(case).holds}


def expiring(left: int, since: int) -> PlanningInput:
    """What ran since the last record brings far more than its fees, and the escrow expires."""
    kept = UsageMemory(NOW - since, since, NOW - 2, 60)
    rare = Config(usage=Usage(every_seconds=86_400, expiry_margin_seconds=3_600))
    made = given(OrderSettlement(escrow(expires_at=NOW + left)), kept)
    return replace(made, desired=planning_input(wanted=desired(FILE, config=rare)).desired)


@pytest.mark.parametrize(
    ("left", "since", "recorded"),
    [
        (4_000, 4_000, False),
        (3_600, 4_000, True),
        (1_000, 40, False),
        (1_000, 1_000, True),
        (40, 40, True),
        (4, 40, False),
    ],
)
def test_near_its_expiry_records_halve_the_time_left_and_none_comes_too_late(
    left: int, since: int, recorded: bool
) -> None:
    """A record each few blocks would eat in fees what it bills; one that cannot be settled eats it all."""
    assert [type(m) for m in messages_of(expiring(left, since))] == ([RecordUsage] if recorded else [])


def test_nothing_is_settled_too_late() -> None:
    late = OrderSettlement(escrow(expires_at=NOW + 2), (record(1),))
    assert messages_of(given(late, UsageMemory(NOW - 10, 10, NOW - 1, 90))) == ()


def test_slow_blocks_bill_fewer_blocks() -> None:
    case = given()
    assert isinstance(case.market, Seen)
    slow = replace(case.market.view, block_seconds=Decimal(5))
    made = plan(replace(case, market=Seen(slow)))
    assert [m for a in made.actions if isinstance(a, SendTransaction) for m in a.messages] == []
