from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.desired import Config, Usage
from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.memory import UsageMemory
from reconciler.values.messages import Message, RecordUsage, SettleUsage
from reconciler.values.observed import OrderSettlement, State, UsageRecord
from reconciler.values.plans import Reason, SendTransaction
from tests.makers import HEIGHT, NOW, desired, lease_id, order_id
from tests.planning.money.usage_cases import (
    FILE,
    RATE,
    billed,
    escrow,
    metered,
    side_of,
    usage_case,
)

RULES = Config(usage=Usage(every_seconds=40, min_gain=1))


def record(number: int = 1, cost: int = 100_000, **changes: Any) -> UsageRecord:
    made = UsageRecord(
        f"usage-{NOW}-{number}", str(lease_id()), "fixed", NOW - 80, NOW - 40, cost, b"s", False, False
    )
    return replace(made, **changes)


def given(
    side: OrderSettlement | None = None, usage: UsageMemory | None = None, **changes: Any
) -> PlanningInput:
    return usage_case(side, usage, wanted=desired(FILE, config=RULES), **changes)


def messages_of(case: PlanningInput) -> tuple[Message, ...]:
    return tuple(m for a in plan(case).actions if isinstance(a, SendTransaction) for m in a.messages)


def test_what_was_metered_is_recorded_once_the_period_is_over() -> None:
    """The last block counts, too."""
    [message] = messages_of(given())
    exact = Decimal(100_000 + RATE)
    assert message == RecordUsage(lease_id(), 100_000 + RATE, NOW - 40, NOW, exact, 41)


def test_the_fraction_of_a_uve_is_not_billed() -> None:
    [message] = messages_of(given(usage=metered(uve="99999.999")))
    assert isinstance(message, RecordUsage)
    assert message.amount == 99_999 + RATE


def test_never_more_than_the_escrow_still_holds() -> None:
    """A capped settle forfeits the rest (semantics 5.5)."""
    [message] = [m for m in messages_of(given(side_of(escrow(balance=90_000)))) if isinstance(m, RecordUsage)]
    assert message.amount == 90_000


def test_unsettled_records_are_settled_once_by_their_distinct_ids() -> None:
    twice = side_of(escrow(), record(1), record(1), record(2, settled=True))
    [message] = messages_of(given(twice, metered(billed_until=NOW - 10)))
    assert message == SettleUsage(order_id(), (f"usage-{NOW}-1",), 200_000)


@pytest.mark.parametrize(
    ("side", "reason"),
    [
        (OrderSettlement(None), Reason.NO_SETTLEMENT_ESCROW),
        (side_of(escrow(recipient="ve1stranger")), Reason.ESCROW_NOT_OURS),
        (side_of(escrow(depositor="ve1stranger")), Reason.ESCROW_NOT_OURS),
        (side_of(escrow(lease="x/1/1/1/y")), Reason.ESCROW_NOT_OURS),
        (side_of(escrow(state=State.PENDING)), Reason.ESCROW_NOT_OURS),
        (side_of(escrow(state=State.REFUNDED, lease="")), Reason.ESCROW_NOT_OURS),
        (side_of(escrow(state=State.DISPUTED)), Reason.ESCROW_EXHAUSTED),
        (side_of(escrow(balance=0, other_denoms=("uact",))), Reason.FOREIGN_DENOMINATION),
    ],
)
def test_an_escrow_that_does_not_pay_gets_no_record(side: OrderSettlement, reason: Reason) -> None:
    case = given(side)
    assert not any(isinstance(m, RecordUsage | SettleUsage) for m in messages_of(case))
    assert reason in {h.reason for h in plan(case).holds}


def test_another_coin_beside_uve_spoils_nothing() -> None:
    assert messages_of(given(side_of(escrow(other_denoms=("uact",))))) == messages_of(given())


def test_nothing_is_recorded_that_costs_more_than_it_brings() -> None:
    case = given(usage=metered(uve="300"))
    assert messages_of(case) == ()
    assert Reason.NOT_WORTH_ITS_FEE in {h.reason for h in plan(case).holds}


def test_what_ran_while_a_record_was_on_its_way_is_billed_by_the_next() -> None:
    case = given()
    [sent] = messages_of(case)
    assert isinstance(sent, RecordUsage)
    meanwhile = metered(billed_until=sent.period_start, uve=f"{sent.metered + 2 * RATE}", blocks=43)
    on_chain = record(period_start=sent.period_start, period_end=sent.period_end, cost=sent.amount)
    then = usage_case(side_of(escrow(), on_chain), meanwhile, time=NOW + 2, height=HEIGHT + 2)
    intent = Intent("AB" * 32, b"tx", (sent,), 1, 7, HEIGHT + 20, HEIGHT)
    landed = Confirmation(intent, IntentOutcome.LANDED, HEIGHT + 1, NOW + 1)
    found = plan(replace(then, confirmations=(landed,), now=NOW + 2)).memory.usage[lease_id()]
    assert (found.billed_until, int(found.metered), found.blocks) == (NOW, 5 * RATE, 5)


def test_an_ended_lease_is_billed_until_it_was_last_seen() -> None:
    ended = metered(seen_at=NOW - 30, billed_until=NOW - 35)
    [message] = messages_of(given(usage=ended, lease=billed(state=State.CLOSED)))
    assert message == RecordUsage(lease_id(), 100_000, NOW - 35, NOW - 30, Decimal(100_000), 40)


def test_a_record_of_another_journal_bills_an_ended_lease_for_the_same_time() -> None:
    """The journal is a backup; since then its period was recorded, and the lease ended."""
    ahead = side_of(escrow(), record(period_end=NOW - 5, settled=True))
    case = given(ahead, lease=billed(state=State.CLOSED))
    assert messages_of(case) == ()
    assert plan(case).memory.usage == {}


def test_an_ended_lease_is_remembered_until_it_is_settled() -> None:
    ended = billed(state=State.CLOSED)
    nothing = metered(uve="0")
    assert plan(given(usage=nothing, lease=ended)).memory.usage == {}
    kept = plan(given(side_of(escrow(), record(1)), nothing, lease=ended)).memory.usage
    assert kept == {lease_id(): nothing}


def test_an_ended_lease_whose_rest_is_not_worth_its_fees_is_forgotten() -> None:
    """It was looked at in every cycle until its escrow expired, a year later."""
    ended = billed(state=State.CLOSED)
    small = side_of(escrow(), record(1, cost=2_000))
    assert plan(given(small, metered(uve="0"), lease=ended)).memory.usage == {}
    assert plan(given(small, metered(uve="300"), lease=ended)).memory.usage == {}
    assert plan(given(small, metered(uve="90000"), lease=ended)).memory.usage


def test_usage_of_an_ended_lease_survives_a_time_of_high_fees() -> None:
    ended, usage = billed(state=State.CLOSED), metered(uve="20000")
    case = given(side_of(escrow()), usage, lease=ended)
    dear = replace(case, memory=replace(case.memory, gas_short={"SettleUsage": 20_000}))
    for each in (case, dear):
        assert messages_of(each) == ()
        assert plan(each).memory.usage == {lease_id(): usage}


def expiring(left: int, since: int) -> PlanningInput:
    """What ran since the last record brings far more than its fees, and the escrow expires."""
    rare = Config(usage=Usage(every_seconds=86_400, expiry_margin_seconds=3_600))
    kept = metered(billed_until=NOW - since)
    return usage_case(side_of(escrow(expires_at=NOW + left)), kept, wanted=desired(FILE, config=rare))


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
    found = [m for m in messages_of(expiring(left, since)) if isinstance(m, RecordUsage)]
    assert len(found) == recorded


def test_nothing_is_settled_too_late() -> None:
    late = side_of(escrow(expires_at=NOW + 2), record(1))
    case = given(late, metered(billed_until=NOW - 10))
    assert not any(isinstance(m, SettleUsage) for m in messages_of(case))
