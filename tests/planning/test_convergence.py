"""Small worlds lived through: they come to rest, and break no rule of the chain on the way."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.planning_input import PlanningInput
from reconciler.values.funding import Funding
from reconciler.values.ids import LeaseId
from reconciler.values.plans import NotifyTenant, Reason, effect_key
from reconciler.values.subjects import EffectKey, Subject
from tests.planning.chain_model import Step, live
from tests.planning.properties import few_worlds
from tests.planning.small_markets import SERVING
from tests.planning.small_worlds import quiet_configs, seen_worlds
from tests.planning.world_variants import PLAIN, Variant, all_drained, all_metered


@few_worlds
@given(seen_worlds(config=quiet_configs()), st.integers(0, 1), st.sampled_from((*PLAIN, all_drained)))
def test_a_world_left_alone_comes_to_rest(drawn: PlanningInput, delay: int, variant: Variant) -> None:
    """At once, and with a block between sending and landing; the model refuses what the chain refuses."""
    steps = live(variant(drawn), 90, delay=delay)
    assert [step.plan.actions for step in steps[-5:]] == [()] * 5
    told = [effect_key(a) for step in steps for a in step.plan.actions if isinstance(a, NotifyTenant)]
    assert len(told) == len(set(told)), "a tenant is told once of each state"
    assert all(paid_for(steps[-1], lease) for lease in steps[-1].plan.funding), "nobody is served for nothing"
    memories = [replace(step.plan.memory, usage={}) for step in steps[-5:]]
    assert memories == [memories[0]] * 5, "rest writes nothing but what usage-billed workloads ran"


def paid_for(step: Step, lease: LeaseId) -> bool:
    """Funds are left, or the withdrawal (for usage, the closing) that ends it was refused or is held."""
    kind = "CloseBid" if step.plan.funding[lease].is_unpaid else "WithdrawLease"
    refused = EffectKey(kind, Subject.of_lease(lease)) in step.plan.memory.retries
    at_ceiling = (Subject.of_workload(lease), Reason.CEILING) in {
        (h.subject, h.reason) for h in step.plan.holds
    }
    return refused or at_ceiling or step.plan.funding[lease].state is not Funding.EXHAUSTED


@few_worlds
@given(seen_worlds(SERVING), st.integers(0, 1), st.sampled_from((*PLAIN, all_metered)))
def test_a_world_in_which_things_fall_due_breaks_no_rule_of_the_chain(
    drawn: PlanningInput, delay: int, variant: Variant
) -> None:
    """Withdrawals and usage every second: the model's own checks are the assertions."""
    live(variant(drawn), 50, delay=delay)
