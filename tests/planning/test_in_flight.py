"""What is in flight is not asked for again; what changed since supersedes it."""

from __future__ import annotations

from dataclasses import replace

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.workloads import digest_of
from reconciler.values.desired import Workload
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import WorkloadMemory
from reconciler.values.observed import State
from reconciler.values.outcomes import Failed
from reconciler.values.plans import Action, ApplyWorkload, PrepareAdapter, Reason, RemoveWorkload, effect_key
from reconciler.values.readings import Seen
from reconciler.values.records import EffectResult
from reconciler.values.work import InFlight, WorkItem, work_key
from tests.makers import (
    HEIGHT,
    NOW,
    ROOM,
    adapter,
    capacity_of,
    desired,
    lease,
    lease_id,
    market,
    planning_input,
    remembered,
    running,
    workload,
)

FILE = workload()
CHANGED = workload(image="other")


def flying(*actions: Action, is_running: bool = True) -> tuple[InFlight, ...]:
    keys = [(action, work_key(action)) for action in actions]
    return tuple(
        InFlight(WorkItem(key, action.describe(), action), NOW, is_running) for action, key in keys if key
    )


def applying(file: Workload = FILE) -> ApplyWorkload:
    return ApplyWorkload(file, digest_of(file), "leased, not deployed")


def given(file: Workload = FILE, *actions: Action, is_running: bool = True) -> PlanningInput:
    made = planning_input(market(leases=[lease()]), desired(file))
    return replace(made, in_flight=flying(*actions, is_running=is_running))


def ended(*actions: Action, observed: bool = False) -> PlanningInput:
    """The lease was seen closed at two rising heights."""
    closed = WorkloadMemory(lease_id(), "kubernetes", Phase.STOPPED, HEIGHT - 2, HEIGHT - 1)
    return replace(
        given(FILE, *actions),
        market=planning_input(market(leases=[lease(state=State.CLOSED)]), desired(FILE)).market,
        memory=remembered(workloads={FILE.id: closed}),
        adapters=adapter(running(FILE)) if observed else adapter(),
    )


def actions(inputs: PlanningInput) -> list[Action]:
    return list(plan(inputs).actions)


def test_an_application_in_flight_is_not_repeated() -> None:
    assert [type(each) for each in actions(given())] == [ApplyWorkload]
    assert actions(given(FILE, applying())) == []
    assert actions(given(FILE, applying(), is_running=False)) == []


def test_a_newer_specification_is_applied_while_an_older_one_is_in_flight() -> None:
    [action] = actions(given(CHANGED, applying()))
    assert isinstance(action, ApplyWorkload)
    assert (action.workload.services, action.why) == (CHANGED.services, "its file changed")


def test_a_reverted_specification_is_applied_although_it_runs() -> None:
    """Otherwise the one in flight would be the last to take effect."""
    inputs = replace(given(FILE, applying(CHANGED)), adapters=adapter(running(FILE)))
    assert [type(each) for each in actions(inputs)] == [ApplyWorkload]


def test_drift_is_not_repaired_while_the_specification_is_being_applied() -> None:
    drifted = adapter(running(FILE, drifted=True))
    assert actions(replace(given(), adapters=drifted)) != []
    assert actions(replace(given(FILE, applying()), adapters=drifted)) == []


def test_an_application_in_flight_for_an_ended_lease_is_superseded_by_a_removal() -> None:
    assert actions(ended()) == []
    [action] = actions(ended(applying()))
    assert (type(action), work_key(action)) == (RemoveWorkload, work_key(applying()))


def test_a_removal_in_flight_is_not_repeated() -> None:
    removal = RemoveWorkload("kubernetes", FILE.id, "its lease is closed")
    assert actions(ended(observed=True)) == [removal]
    assert actions(ended(removal, observed=True)) == []


def test_nothing_is_applied_while_a_removal_is_in_flight() -> None:
    made = plan(given(FILE, RemoveWorkload("kubernetes", FILE.id, "it runs on another adapter now")))
    assert made.actions == ()
    assert [hold.reason for hold in made.holds if hold.subject.name == FILE.id] == [Reason.TRY_LATER]


def test_an_adapter_is_prepared_once() -> None:
    view = replace(adapter()["kubernetes"], capacity=Seen(capacity_of(ROOM, quota=None)))
    inputs = replace(given(FILE, applying()), adapters={"kubernetes": view})
    [action] = actions(inputs)
    assert isinstance(action, PrepareAdapter)
    assert actions(replace(inputs, in_flight=flying(applying(), action))) == []


def test_a_full_queue_holds_what_is_not_in_it() -> None:
    files = [workload(number) for number in (1, 2, 3)]
    made = planning_input(market(leases=[lease(number) for number in (1, 2, 3)]), desired(*files))
    inputs = replace(made, in_flight=flying(applying(files[0])), limits=Limits(queued_effects=2))
    found = plan(inputs)
    assert [each.workload.id for each in found.actions if isinstance(each, ApplyWorkload)] == [files[1].id]
    [hold] = [each for each in found.holds if each.reason is Reason.CEILING]
    assert hold.subject.name == files[2].id
    assert "2 effects are in flight on kubernetes" in hold.message


def test_a_result_that_arrives_after_its_lease_ended_changes_nothing() -> None:
    failed = EffectResult(effect_key(applying()), "apply", Failed("Unreachable", "no answer"), NOW)
    assert plan(replace(ended(), results=(failed,))) == plan(ended())
    assert plan(replace(given(), results=(failed,))).memory.retries != {}


def test_a_restart_with_a_thousand_effects_in_flight_asks_for_each_of_them_again() -> None:
    numbers = range(1, 1_001)
    files = [workload(number) for number in numbers]
    made = planning_input(market(leases=[lease(number) for number in numbers]), desired(*files))
    in_flight = flying(*map(applying, files))
    assert plan(replace(made, in_flight=in_flight)).actions == ()
    assert {each.workload.id for each in plan(made).actions if isinstance(each, ApplyWorkload)} == {
        each.id for each in files
    }
