"""Small worlds lived through: they come to rest, and break no rule of the chain on the way."""

from __future__ import annotations

import os
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.planning.situation import Situation
from tests.planning.colliding import quiet_configs, seen_worlds
from tests.planning.modelled import live

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
alive = settings(max_examples=EXAMPLES or 50, derandomize=not EXAMPLES, deadline=None)


@alive
@given(seen_worlds(quiet_configs()), st.integers(0, 1))
def test_a_world_left_alone_comes_to_rest(world: Situation, delay: int) -> None:
    """At once, and with a block between sending and landing; the model refuses what the chain refuses."""
    steps = live(world, 90, delay=delay)
    assert [step.plan.actions for step in steps[-5:]] == [()] * 5
    memories = [replace(step.plan.memory, usage={}) for step in steps[-5:]]
    assert memories == [memories[0]] * 5, "rest writes nothing but what usage-billed workloads ran"


@alive
@given(seen_worlds(), st.integers(0, 1))
def test_a_world_in_which_things_fall_due_breaks_no_rule_of_the_chain(world: Situation, delay: int) -> None:
    """Withdrawals and usage every second: the model's own checks are the assertions."""
    live(world, 40, delay=delay)
