"""The books beside a height that was false: what was reckoned from it does not last."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.planning.ledger import keep_books
from reconciler.planning.phases import plan_phases
from reconciler.planning.planner import plan
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import WorkloadMemory
from reconciler.values.observed import State
from reconciler.values.plans import BroadcastAgain
from tests import makers
from tests.cycle.worlds import intent

ABSURD = 10**15


@pytest.mark.parametrize("remembered", [ABSURD, makers.HEIGHT + 200, makers.HEIGHT - 200])
def test_the_height_remembered_follows_the_height_seen_in_both_directions(remembered: int) -> None:
    situation = makers.situation(memory=makers.remembered(height=remembered))
    kept = keep_books(situation, situation.memory, makers.market())
    assert (kept.height, kept.height_time) == (makers.HEIGHT, makers.NOW)


def test_a_quiet_world_writes_no_height() -> None:
    situation = makers.situation(memory=makers.remembered(height=makers.HEIGHT - 1))
    assert keep_books(situation, situation.memory, makers.market()) is situation.memory


def test_spending_is_not_held_until_a_height_that_was_false() -> None:
    memory = makers.remembered(hold_until_height=ABSURD)
    situation = makers.situation(memory=memory)
    most = makers.HEIGHT + situation.limits.timeout_blocks
    assert keep_books(situation, memory, makers.market()).hold_until_height == most


def test_a_closing_seen_at_a_false_height_is_seen_anew() -> None:
    lease = replace(makers.lease(), state=State.CLOSED)
    memory = WorkloadMemory(lease.id, "kubernetes", Phase.RUNNING, closed_first=ABSURD)
    subject = workload_id(lease.id)
    for height, again in ((makers.HEIGHT, 0), (makers.HEIGHT + 1, makers.HEIGHT + 1)):
        market = makers.market(leases=[lease], height=height)
        situation = makers.situation(market, memory=makers.remembered(workloads={subject: memory}))
        memory = plan_phases(situation, makers.desired(), market).workloads[subject]
        assert (memory.closed_first, memory.closed_again) == (makers.HEIGHT, again)


def test_a_transaction_signed_at_a_false_height_is_sent_again_until_it_lands() -> None:
    signed = replace(intent(), signed_at_height=ABSURD, timeout_height=ABSURD + 20)
    made = plan(makers.situation(intents=(signed,)))
    assert BroadcastAgain(signed.hash) in made.actions
