from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.limits import Limits
from reconciler.values.plans import Reason, SendTransaction
from tests.makers import desired, lease, market, order, order_id, planning_input, workload


def crowded(most: int) -> PlanningInput:
    """A bid and a workload to start, and room for so many effects."""
    seen = market(orders=[order(5)], leases=[lease()])
    return planning_input(seen, desired(workload()), limits=Limits(actions_per_cycle=most))


def test_what_is_over_the_ceiling_of_effects_is_held_by_its_name() -> None:
    made = plan(crowded(1))
    assert [type(a) for a in made.actions] == [SendTransaction]
    assert [h.subject.name for h in made.holds if h.reason is Reason.CEILING] == [workload().id]


def test_a_transaction_over_the_ceiling_is_held_by_its_messages() -> None:
    made = plan(crowded(0))
    assert made.actions == ()
    held = {h.subject.name for h in made.holds if h.reason is Reason.CEILING}
    assert held == {str(order_id(5)), workload().id}


def test_nothing_is_held_below_it() -> None:
    made = plan(crowded(2))
    assert len(made.actions) == 2
    assert not [h for h in made.holds if h.reason is Reason.CEILING]
