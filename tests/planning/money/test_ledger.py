"""The ledger after a height that the chain never had: what was computed from it does not last."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.planning.planner import plan
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import WorkloadMemory
from reconciler.values.observed import State
from reconciler.values.plans import Rebroadcast
from tests import makers
from tests.cycle.worlds import intent

ABSURD = 10**15


@pytest.mark.parametrize("remembered", [ABSURD, makers.HEIGHT + 200, makers.HEIGHT - 200])
def test_the_height_remembered_follows_the_height_seen_in_both_directions(remembered: int) -> None:
    inputs = makers.planning_input(memory=makers.remembered(height=remembered))
    memory = plan(inputs).memory
    assert (memory.height, memory.height_time) == (makers.HEIGHT, makers.NOW)


def test_a_quiet_world_writes_no_height() -> None:
    inputs = makers.planning_input(memory=makers.remembered(height=makers.HEIGHT - 1))
    assert plan(inputs).memory.height == makers.HEIGHT - 1


def test_spending_is_not_held_until_a_height_that_was_false() -> None:
    inputs = makers.planning_input(memory=makers.remembered(hold_until_height=ABSURD))
    most = makers.HEIGHT + inputs.limits.timeout_blocks
    assert plan(inputs).memory.hold_until_height == most


def test_a_closing_seen_at_a_false_height_is_seen_anew() -> None:
    lease = replace(makers.lease(), state=State.CLOSED)
    memory = WorkloadMemory(lease.id, "kubernetes", Phase.RUNNING, closed_first=ABSURD)
    subject = workload_id(lease.id)
    for height, again in ((makers.HEIGHT, 0), (makers.HEIGHT + 1, makers.HEIGHT + 1)):
        market = makers.market(leases=[lease], height=height)
        inputs = makers.planning_input(market, memory=makers.remembered(workloads={subject: memory}))
        memory = plan(inputs).memory.workloads[subject]
        assert (memory.closed_first, memory.closed_again) == (makers.HEIGHT, again)


def test_a_transaction_signed_at_a_false_height_is_sent_again_until_it_lands() -> None:
    signed = replace(intent(), signed_at_height=ABSURD, timeout_height=ABSURD + 20)
    made = plan(makers.planning_input(intents=(signed,)))
    assert Rebroadcast(signed.hash) in made.actions
