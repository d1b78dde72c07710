"""A year of history changes no cycle: what is remembered and decided does not grow with what has ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.journal.rows import changes
from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.intents import Confirmation, Intent, IntentOutcome
from reconciler.values.memory import Memory
from reconciler.values.messages import WithdrawLease
from reconciler.values.observed import Market, State, Transfer
from reconciler.values.outcomes import Failed
from reconciler.values.plans import Plan, SendTransaction
from reconciler.values.readings import Seen
from reconciler.values.records import message_result
from reconciler.values.result_cache import ResultCache
from tests import makers

DAY = 86_400


def landed(inputs: PlanningInput, made: Plan, outcome: IntentOutcome) -> tuple[Confirmation, ...]:
    market = inputs.seen_market
    assert market is not None
    sequence, height = market.wallet.sequence, market.height
    return tuple(
        Confirmation(
            Intent(f"{height:064X}", b"", a.messages, 1, sequence, height + 20, height, 100_000),
            outcome,
            height,
            market.time,
            0 if outcome is IntentOutcome.LANDED else 10,
            "",
            "" if outcome is IntentOutcome.LANDED else "message index: 0: lease not active",
            101_000,
        )
        for a in made.actions
        if isinstance(a, SendTransaction)
    )


def day(inputs: PlanningInput, number: int, decisions: ResultCache) -> PlanningInput:
    """A day of one tenant: an order and our bid, a lease of it, its withdrawal, a failure, and its end."""
    seen_before, outcome = inputs.seen_market, IntentOutcome.LANDED
    assert seen_before is not None
    market = replace(seen_before, orders={}, bids={}, leases={}, accounts={})
    order, lease = makers.order(number), makers.lease(number)
    dry = makers.account(lease, funds=2446 * 50, settled_at=market.height)
    ended = replace(market, leases={lease.id: replace(lease, state=State.CLOSED)})
    stages: list[Market] = [
        replace(market, orders={order.id: order}),
        replace(market, bids={lease.id: makers.bid(number, of=order)}),
        replace(market, leases={lease.id: lease}, accounts={dry.deployment: dry}),
        *(ended for _ in range(4)),
        market,
    ]
    for count, stage in enumerate(stages, start=1):
        sequence = inputs.memory.sequence or 0
        for confirmation in inputs.confirmations:
            sequence = max(sequence, confirmation.intent.sequence + 1)
        now = inputs.now + DAY // len(stages)
        height = market.height + 100 * count
        income = Transfer(height, "", makers.ALICE, makers.US, 1)
        seen = replace(
            stage,
            height=height,
            time=now,
            wallet=replace(market.wallet, sequence=sequence, balance=market.wallet.balance + count),
            transfers=(income,),
        )
        failed = message_result(WithdrawLease(lease.id), Failed("ChainRefused", "later"), now)
        inputs = replace(inputs, now=now, market=Seen(seen), results=(failed,) if count < 4 else ())
        made = plan(inputs, decisions)
        outcome = IntentOutcome.REFUSED if outcome is IntentOutcome.LANDED else IntentOutcome.LANDED
        inputs = replace(inputs, memory=made.memory, confirmations=landed(inputs, made, outcome))
    return inputs


@pytest.mark.parametrize("days", [60])
def test_what_is_remembered_does_not_grow_with_the_days(days: int) -> None:
    inputs, decisions = makers.planning_input(), ResultCache()
    rows, results, holds = [], [], []
    for number in range(1, days + 1):
        inputs = day(inputs, number, decisions)
        rows.append(len(changes(Memory(), inputs.memory)))
        results.append(len(decisions.results))
        holds.append(len(plan(inputs).holds))
    assert max(rows[30:]) <= max(rows[5:30])
    assert max(results[30:]) <= max(results[5:30])
    assert max(holds[30:]) <= max(holds[5:30])
