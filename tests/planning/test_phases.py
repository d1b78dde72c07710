"""What somebody takes away is said; what we take away ourselves is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.planning.planner import plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.values.addresses import AddressKind, ServiceAddress
from reconciler.values.desired import Workload
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.memory import Memory, WorkloadMemory
from reconciler.values.observed import AdapterView, ObservedWorkload, State
from reconciler.values.plans import Plan, Transition
from reconciler.values.readings import Unseen
from tests.makers import (
    adapter,
    desired,
    lease,
    lease_id,
    market,
    planning_input,
    remembered,
    running,
    workload,
)

WEB = workload()
KEY = workload_id(lease_id())
POD = "web-5c9f-a"


def look(memory: Memory, shown: ObservedWorkload | None, file: Workload = WEB) -> Plan:
    adapters = adapter(*([shown] if shown else []))
    return plan(planning_input(market(leases=[lease()]), desired(file), adapters=adapters, memory=memory))


def shown(*pods: str, **changes: Any) -> ObservedWorkload:
    return running(WEB, pods=pods, **changes)


def losses(found: Plan) -> list[Transition]:
    removed = (step for step in found.transitions if "removed" in step.trigger)
    return [step for step in removed if step.from_phase is step.to_phase]


def begun() -> Memory:
    return look(Memory(), shown(POD)).memory


def test_a_deleted_pod_is_reported_once() -> None:
    found = look(begun(), shown("web-5c9f-b"))
    (loss,) = losses(found)
    assert loss.trigger == f"pod {POD} was removed by someone else"
    assert (loss.to_phase, loss.detail) == (Phase.RUNNING, "a replacement is running")
    assert losses(look(found.memory, shown("web-5c9f-b"))) == []


def test_while_no_other_runs_it_is_being_started() -> None:
    found = look(begun(), shown(ready=False, replicas_ready=0))
    assert [(loss.to_phase, loss.detail) for loss in losses(found)] == [
        (Phase.DEPLOYING, "a replacement is starting")
    ]


def test_addresses_are_remembered_while_the_adapter_is_unseen() -> None:
    address = ServiceAddress("web", AddressKind.PORT, "", 80, 31080)
    seen = look(Memory(), shown(POD, addresses=(address,))).memory
    unseen = {"kubernetes": AdapterView(Unseen("hangs"), Unseen("hangs"))}
    inputs = planning_input(market(leases=[lease()]), desired(WEB), adapters=unseen, memory=seen)
    assert plan(inputs).memory.workloads[KEY].addresses == (address,)
    assert look(seen, None).memory.workloads[KEY].addresses == ()


def test_a_long_list_is_cut() -> None:
    many = look(Memory(), shown("a", "b", "c", "d", "e")).memory
    assert losses(look(many, shown()))[0].trigger == "pod a, b, c and 2 more was removed by someone else"


def test_what_goes_with_its_specification_is_no_loss() -> None:
    """A new specification, a pause, a whole workload that somebody deleted: each is told otherwise."""
    memory = begun()
    newer = replace(WEB, services=(replace(WEB.services[0], image="web:2"),))
    assert losses(look(memory, running(newer, pods=("new",)), newer)) == []
    paused = replace(WEB, paused=True)
    assert losses(look(memory, running(paused, replicas_ready=0, replicas=0), paused)) == []
    assert losses(look(memory, None)) == []


def test_a_cluster_that_is_not_seen_loses_nothing() -> None:
    given = planning_input(market(leases=[lease()]), desired(WEB), adapters={}, memory=begun())
    assert losses(plan(given)) == []


def terminated(**changes: Any) -> PlanningInput:
    done = WorkloadMemory(lease_id(), "kubernetes", Phase.TERMINATED, 1, 2)
    seen = market(leases=[lease(state=State.CLOSED)])
    made = planning_input(seen, desired(), memory=remembered(workloads={KEY: done}), adapters=adapter())
    return replace(made, **changes)


def test_what_is_there_again_is_not_forgotten_and_won_anew() -> None:
    given = terminated(adapters=adapter(running(workload())))
    made = plan(given)
    assert made.transitions == ()
    assert KEY in made.memory.workloads


def test_a_record_stays_while_the_repository_is_unseen() -> None:
    assert KEY in plan(terminated(desired=Unseen("gone"))).memory.workloads
    assert KEY not in plan(terminated()).memory.workloads


def test_a_phase_stays_while_its_adapter_or_its_lease_is_unseen() -> None:
    kept = remembered(workloads={KEY: WorkloadMemory(lease_id(), "kubernetes", Phase.RUNNING)})
    blind = planning_input(market(leases=[lease()]), desired(workload()), memory=kept, adapters={})
    silent = planning_input(Unseen("down"), desired(workload()), memory=kept)
    for given in (blind, silent):
        assert plan(given).memory.workloads[KEY].phase is Phase.RUNNING
        assert plan(given).transitions == ()
