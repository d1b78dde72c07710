"""With several adapters: a workload goes where its file or its order says, else where it fits, and stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.planning.capacity.placement import rendered_for
from reconciler.planning.memory_update import recall
from reconciler.planning.planner import derive, plan
from reconciler.planning.planning_input import PlanningInput
from reconciler.planning.revisions.admission import admit
from reconciler.values.desired import AdapterSettings, Workload
from reconciler.values.hosts import AnsibleSettings
from reconciler.values.ids import workload_id
from reconciler.values.lifecycle import Phase
from reconciler.values.machines import Machine
from reconciler.values.memory import WorkloadMemory
from reconciler.values.observed import AdapterView, ObservedWorkload, Trouble
from reconciler.values.plans import ApplyWorkload, Reason, RemoveWorkload
from reconciler.values.readings import Reading, Seen, Unseen
from reconciler.values.resources import Attribute, Resources
from tests.makers import (
    CLUSTER,
    ROOM,
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

ADAPTERS: dict[str, AdapterSettings] = {
    "kubernetes": CLUSTER,
    "ansible": AnsibleSettings(enabled=True),
}
ANYWHERE = workload(adapter="")
KEY = workload_id(lease_id())
TINY = Resources(10, 1 << 20, 1 << 20)
SILENT = Unseen("it does not answer")


def cluster(*there: ObservedWorkload, node: Resources = ROOM, **changes: Any) -> AdapterView:
    view = AdapterView(Seen({r.id: r for r in there}), Seen(capacity_of(node)))
    return replace(view, **changes)


def hosts(
    *there: ObservedWorkload, free: Resources = ROOM, attributes: tuple[Attribute, ...] = (), **changes: Any
) -> AdapterView:
    machines = (Machine("one", free, attributes=attributes), Machine("two", TINY))
    capacity = capacity_of(free, TINY, machines=machines, workloads_are_whole=True)
    return replace(AdapterView(Seen({r.id: r for r in there}), Seen(capacity)), **changes)


def given(file: Workload = ANYWHERE, attributes: tuple[Attribute, ...] = (), **changes: Any) -> PlanningInput:
    both = {"kubernetes": cluster(), "ansible": hosts()}
    seen = market(leases=[lease(attributes=attributes)])
    made = planning_input(seen, desired(file, adapters=ADAPTERS), adapters=both)
    return replace(made, **changes)


def chosen(made: PlanningInput) -> str:
    [action] = [a for a in plan(made).actions if isinstance(a, ApplyWorkload)]
    return action.workload.adapter


def known(adapter: str, phase: Phase = Phase.PENDING, digest: str = "") -> Any:
    return remembered(workloads={KEY: WorkloadMemory(lease_id(), adapter, phase, digest=digest)})


def test_a_workload_is_placed_on_the_host_its_file_names() -> None:
    assert chosen(given(workload(adapter="ansible"))) == "ansible"
    assert chosen(given(workload(adapter="kubernetes"))) == "kubernetes"


def test_else_where_its_attributes_say() -> None:
    assert chosen(given(attributes=(("adapter", "ansible"),))) == "ansible"
    eu = {"kubernetes": cluster(), "ansible": hosts(attributes=(("region", "eu"),))}
    assert chosen(given(attributes=(("region", "eu"),), adapters=eu)) == "ansible"
    assert chosen(given(attributes=(("region", "us"),), adapters=eu)) == "kubernetes"


def test_else_where_it_fits() -> None:
    assert chosen(given()) == "kubernetes"
    full = {"kubernetes": cluster(node=TINY), "ansible": hosts()}
    assert chosen(given(adapters=full)) == "ansible"
    assert chosen(given(adapters={"ansible": hosts()})) == "ansible"
    nowhere = {"kubernetes": cluster(node=TINY), "ansible": hosts(free=TINY)}
    assert chosen(given(adapters=nowhere)) == "kubernetes", "which then says why it cannot"


def test_a_host_must_hold_all_of_it_while_a_cluster_takes_it_in_pieces() -> None:
    half = Resources(600, 1 << 30, 1 << 30)
    twice = replace(ANYWHERE, services=(ANYWHERE.services[0], replace(ANYWHERE.services[0], name="db")))
    nodes = cluster(capacity=Seen(capacity_of(half, half)))
    assert chosen(given(twice, adapters={"kubernetes": cluster(node=TINY), "ansible": hosts(free=half)})) == (
        "kubernetes"
    )
    assert chosen(given(twice, adapters={"kubernetes": nodes, "ansible": hosts(free=half)})) == "kubernetes"


def test_it_stays_where_it_is_whatever_fits_better_now() -> None:
    there = running(workload(adapter="ansible"), digest="old")
    full = {"kubernetes": cluster(), "ansible": hosts(there, free=TINY)}
    assert chosen(given(adapters=full)) == "ansible"


def test_it_stays_where_it_was_though_it_is_gone_from_there() -> None:
    full = {"kubernetes": cluster(), "ansible": hosts(free=TINY)}
    assert chosen(given(adapters=full, memory=known("ansible", Phase.DEPLOYING))) == "ansible"
    assert chosen(given(adapters=full, memory=known("ansible"))) == "kubernetes", "it never began there"


@pytest.mark.parametrize("reading", [SILENT, Seen({})])
def test_a_workload_is_not_moved_while_its_adapter_is_unavailable(reading: Reading[Any]) -> None:
    views = {"kubernetes": cluster(), "ansible": hosts(free=TINY, workloads=reading)}
    made = plan(given(adapters=views, memory=known("ansible")))
    applied = [a.workload.adapter for a in made.actions if isinstance(a, ApplyWorkload)]
    assert applied == ([] if reading == SILENT else ["kubernetes"])


def test_the_old_copy_is_removed_after_the_move() -> None:
    file = workload(adapter="ansible")
    old, new = running(workload()), running(rendered_for(file, ADAPTERS["ansible"]))
    moving = given(file, adapters={"kubernetes": cluster(old), "ansible": hosts()})
    assert [type(a) for a in plan(moving).actions] == [ApplyWorkload]
    starting = {"kubernetes": cluster(old), "ansible": hosts(replace(new, ready=False))}
    assert plan(given(file, adapters=starting)).actions == ()
    moved = plan(given(file, adapters={"kubernetes": cluster(old), "ansible": hosts(new)}))
    assert moved.actions == (RemoveWorkload("kubernetes", KEY, "it runs on another adapter now"),)


def test_nothing_changes_if_every_file_names_its_adapter() -> None:
    inputs = given(workload(), market=SILENT)
    memory = recall(inputs)
    admission = admit(inputs, memory)
    assert derive(inputs, memory, admission).desired is admission.desired


def test_the_orders_attributes_go_along() -> None:
    made = given(attributes=(("region", "eu"),))
    [action] = [a for a in plan(made).actions if isinstance(a, ApplyWorkload)]
    assert action.workload.attributes == (("region", "eu"),)


def test_an_adapter_that_is_switched_off_is_left_alone() -> None:
    off = desired(workload(adapter="ansible"), adapters={"ansible": AnsibleSettings(enabled=False)})
    made = plan(replace(given(), desired=planning_input(wanted=off).desired))
    assert made.actions == ()
    assert Reason.ADAPTER_UNKNOWN in {h.reason for h in made.holds if h.subject.name == KEY}


def test_known_leases_are_repaired_on_a_host_while_the_chain_is_unavailable() -> None:
    file = rendered_for(workload(adapter="ansible"), ADAPTERS["ansible"])
    ran = known("ansible", Phase.RUNNING, running(file).digest)
    silent = given(file, market=Unseen("down"), memory=ran)
    assert chosen(silent) == "ansible"
    never = replace(silent, memory=known("ansible", Phase.PENDING))
    assert plan(never).actions == ()
    dead = replace(silent, adapters={"ansible": hosts(running(file, drifted=True, ready=False))})
    assert chosen(dead) == "ansible"
    cluster_only = given(workload(), market=Unseen("down"), memory=known("kubernetes", Phase.RUNNING))
    assert plan(cluster_only).actions == ()


def test_a_machine_that_is_not_well_is_a_condition_of_its_own() -> None:
    trouble = Trouble("HostKeyChanged", "host two: its key is another", "see why")
    made = plan(given(adapters={"ansible": hosts(unavailable_machines=(trouble,))}))
    [hold] = [h for h in made.holds if h.subject.name == "ansible"]
    assert hold.reason is Reason.CLUSTER_UNSEEN
    assert "HostKeyChanged: host two: its key is another; see why" in hold.message
