"""Any number of adapters of one kind; one that changes, moves or disappears takes no workload with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.planning.capacity.placement import rendered_for
from reconciler.planning.planner import plan
from reconciler.planning.revisions.disruptions import disruptions
from reconciler.planning.revisions.preview import RevisionChange, preview
from reconciler.values.clusters import KubernetesSettings, NetworkPolicyController
from reconciler.values.desired import AdapterSettings, Desired, Revision, Workload
from reconciler.values.grants import AnsibleGrants, Grants, KubernetesGrants
from reconciler.values.hosts import AnsibleGroup, AnsibleHost, AnsibleSettings, Isolation
from reconciler.values.lifecycle import Phase
from reconciler.values.limits import Limits
from reconciler.values.memory import Memory, WorkloadMemory
from reconciler.values.observed import AdapterView
from reconciler.values.planning_snapshot import PlanningSnapshot
from reconciler.values.plans import ApplyWorkload, Plan, Reason, RemoveWorkload
from reconciler.values.preview import Preview
from reconciler.values.readings import Seen
from tests.makers import (
    NOW,
    adapter,
    desired,
    lease,
    market,
    order,
    planning_input,
    remembered,
    running,
    workload,
)
from tests.planning.pushes import Branch

CLUSTER = KubernetesSettings(network_policy=NetworkPolicyController.OTHER)
RACK = AnsibleSettings(True, (AnsibleGroup("rack", (AnsibleHost("one", "192.0.2.1"),)),))
ENTRY = KubernetesGrants(cluster="east")
HOSTS = AnsibleGrants(True, ("192.0.2.0/24",))
GRANTS = Grants({"east": ENTRY, "west": KubernetesGrants(cluster="west"), "rack": HOSTS})
LIMITS = Limits(grants=GRANTS)
ANYWHERE = workload(adapter="")


def state(*files: Workload, **adapters: AdapterSettings) -> Desired:
    return desired(*files, adapters=adapters)


def view(*there: Workload) -> AdapterView:
    return adapter(*(running(each) for each in there))["kubernetes"]


def known(name: str, file: Workload = ANYWHERE, phase: Phase = Phase.RUNNING) -> Memory:
    entry = WorkloadMemory(file.lease, name, phase, digest=running(file).digest)
    return remembered(workloads={file.id: entry})


def planned(wanted: Desired, **changes: Any) -> Plan:
    return plan(planning_input(market(leases=[lease(1)]), wanted, **{"limits": LIMITS, **changes}))


def effects(made: Plan) -> list[ApplyWorkload | RemoveWorkload]:
    return [each for each in made.actions if isinstance(each, ApplyWorkload | RemoveWorkload)]


def holds(made: Plan, subject: str) -> dict[Reason, str]:
    return {hold.reason: hold.message for hold in made.holds if hold.subject.name == subject}


def test_two_clusters_each_run_their_own() -> None:
    files = (workload(1, adapter="east"), workload(2, adapter="west"))
    made = plan(
        planning_input(
            market(leases=[lease(1), lease(2)]),
            state(*files, east=CLUSTER, west=CLUSTER),
            adapters={"east": view(), "west": view()},
            limits=LIMITS,
        )
    )
    applied = [each.workload.adapter for each in effects(made) if isinstance(each, ApplyWorkload)]
    assert applied == ["east", "west"]


def test_a_renamed_adapter_keeps_what_runs() -> None:
    """The new name finds the objects of the old one, and nothing is applied again."""
    made = planned(state(ANYWHERE, east=CLUSTER), adapters={"east": view(ANYWHERE)}, memory=known("west"))
    assert effects(made) == []
    assert made.memory.workloads[ANYWHERE.id].adapter == "east"
    renamed = replace(ANYWHERE, adapter="east")
    explicit = planned(state(renamed, east=CLUSTER), adapters={"east": view(ANYWHERE)}, memory=known("west"))
    assert effects(explicit) == []


@pytest.mark.parametrize("file", [ANYWHERE, workload(adapter="east")])
def test_a_workload_stays_where_it_ran_when_its_adapter_has_no_file(file: Workload) -> None:
    made = planned(state(file, west=CLUSTER), adapters={"west": view()}, memory=known("east", file))
    assert effects(made) == []
    assert "there is no adapters/east.yaml" in holds(made, file.id)[Reason.ADAPTER_UNKNOWN]
    why = holds(made, "east")[Reason.ADAPTER_UNKNOWN]
    assert f"1 workloads last ran there ({file.id}); they are neither repaired nor removed" in why


def test_a_workload_that_never_began_there_goes_elsewhere() -> None:
    memory = known("east", phase=Phase.PENDING)
    made = planned(state(ANYWHERE, west=CLUSTER), adapters={"west": view()}, memory=memory)
    [action] = effects(made)
    assert isinstance(action, ApplyWorkload)
    assert action.workload.adapter == "west"


@pytest.mark.parametrize("file", [ANYWHERE, workload(adapter="east")])
def test_an_entry_that_is_removed_from_the_host_file_lets_workloads_run_on(file: Workload) -> None:
    limits = replace(LIMITS, grants=Grants({"west": ENTRY}))
    wanted = state(file, east=CLUSTER, west=CLUSTER)
    made = planned(wanted, adapters={"west": view()}, memory=known("east", file), limits=limits)
    assert effects(made) == []
    for subject in ("east", file.id):
        assert (
            "the host file has no entry for adapters/east.yaml" in holds(made, subject)[Reason.ADAPTER_DENIED]
        )


def test_two_files_of_one_namespace_remove_nothing_of_each_other() -> None:
    limits = replace(LIMITS, grants=Grants({"east": ENTRY, "west": ENTRY}))
    file = workload(adapter="east")
    both = {"east": view(file), "west": view(file)}
    made = planned(state(file, east=CLUSTER, west=CLUSTER), adapters=both, limits=limits)
    assert effects(made) == []
    assert Reason.ADAPTER_DENIED in holds(made, "west")
    apart = planned(state(file, east=CLUSTER, west=CLUSTER), adapters=both)
    assert [type(each) for each in effects(apart)] == [RemoveWorkload], "in two clusters, one has moved"


def test_one_machine_under_two_addresses_loses_nothing() -> None:
    """The host file cannot tell; the objects that both adapters show can."""
    file = workload(adapter="east")
    same = {name: adapter(running(file, uids=("u1",)))["kubernetes"] for name in ("east", "west")}
    assert effects(planned(state(file, east=CLUSTER, west=CLUSTER), adapters=same)) == []
    other = {**same, "west": adapter(running(file, uids=("u2",)))["kubernetes"]}
    [removal] = effects(planned(state(file, east=CLUSTER, west=CLUSTER), adapters=other))
    assert removal == RemoveWorkload("west", file.id, "it runs on another adapter now")


def test_a_disabled_adapter_offers_and_removes_nothing() -> None:
    off = replace(CLUSTER, enabled=False)
    ended = workload(1, adapter="east")
    closed = known("east", ended)
    [entry] = closed.workloads.values()
    twice = replace(closed, workloads={ended.id: replace(entry, closed_first=1, closed_again=2)})
    inputs = planning_input(
        market(orders=[order(4)]),
        state(east=off),
        adapters={"east": view(ended)},
        memory=twice,
        limits=LIMITS,
    )
    made = plan(inputs)
    assert effects(made) == []
    [bid] = [hold for hold in made.holds if hold.subject.order is not None and hold.subject.lease is None]
    assert bid.reason is Reason.CLUSTER_UNSEEN
    assert "adapters/east.yaml says enabled: false" in bid.message
    assert "so it is not removed" in holds(made, ended.id)[Reason.ADAPTER_UNKNOWN]


def test_a_lease_without_a_file_has_no_adapter_yet() -> None:
    made = planned(state(east=CLUSTER, west=CLUSTER), adapters={"east": view(), "west": view()})
    assert made.memory.workloads[ANYWHERE.id].adapter == ""
    seen = planned(state(east=CLUSTER, west=CLUSTER), adapters={"east": view(), "west": view(ANYWHERE)})
    assert (seen.memory.workloads[ANYWHERE.id].adapter, effects(seen)) == ("west", [])


def test_without_any_adapter_a_workload_says_what_to_add() -> None:
    made = planned(state(ANYWHERE), adapters={})
    assert "no adapter is configured" in holds(made, ANYWHERE.id)[Reason.ADAPTER_UNKNOWN]


ON_RACK, ON_EAST = workload(1, adapter="rack"), workload(2, adapter="east")
BEFORE = state(ON_RACK, ON_EAST, rack=RACK, east=CLUSTER)
MEMORY = Memory(
    workloads={
        each.id: WorkloadMemory(each.lease, each.adapter, Phase.RUNNING) for each in (ON_RACK, ON_EAST)
    }
)


@pytest.mark.parametrize(
    ("adapters", "words"),
    [
        ({"rack": RACK, "east": CLUSTER, "west": CLUSTER}, []),
        (
            {
                "rack": replace(RACK, observe_every_seconds=3),
                "east": replace(CLUSTER, egress_denied=("::/0",)),
            },
            [],
        ),
        ({"rack": RACK, "west": CLUSTER}, ["leaves {1} without its adapter east"]),
        ({"rack": RACK, "east": replace(CLUSTER, enabled=False)}, ["disables adapter east of {1}"]),
        (
            {"rack": RACK, "east": replace(CLUSTER, namespace="x")},
            ["lets adapter east of {1} exceed the host"],
        ),
        ({"rack": replace(RACK, publish="192.0.2.1"), "east": CLUSTER}, ["replaces {0}"]),
        ({"rack": replace(RACK, isolation=Isolation(64)), "east": CLUSTER}, ["replaces {0}"]),
        (
            {"rack": replace(RACK, storage="/srv"), "east": CLUSTER},
            ["lets adapter rack of {0} exceed the host"],
        ),
        ({"rack": CLUSTER, "east": RACK}, ["exceed the host file", "exceed the host file"]),
        ({"rack": RACK, "east": CLUSTER, "copy": RACK}, []),
    ],
)
def test_a_change_of_an_adapter_file_counts_what_it_stops_moves_or_replaces(
    adapters: dict[str, AdapterSettings], words: list[str]
) -> None:
    after = replace(BEFORE, adapters=adapters)
    found = disruptions(BEFORE, after, MEMORY, GRANTS)
    told = [each.what for _, each in sorted(found.items())]
    assert len(told) == len(words)
    for text, part in zip(told, words, strict=True):
        assert part.format(ON_RACK.id, ON_EAST.id) in text


def test_two_names_of_one_place_count_for_both() -> None:
    grants = Grants({"east": ENTRY, "west": ENTRY})
    file = workload(adapter="east")
    before = state(file, east=CLUSTER)
    found = disruptions(before, state(file, east=CLUSTER, west=CLUSTER), MEMORY, grants)
    assert list(found) == [file.id]


def test_a_changed_adapter_file_is_held_like_a_mass_removal() -> None:
    files = [workload(n, adapter="east") for n in range(1, 4)]
    first = state(*files, east=CLUSTER)
    branch = Branch.of(first, replace(LIMITS, removals_per_revision=2))
    renamed = state(*files, west=CLUSTER)
    made = branch.push(renamed)
    [hold] = [each for each in made.holds if each.reason is Reason.MASS_REMOVAL]
    assert f"leaves {files[0].id} without its adapter east" in hold.message
    assert "provider-daemon approve" in hold.message
    assert branch.passes(replace(first, adapters={"east": CLUSTER, "west": CLUSTER}))
    assert branch.passes(renamed, approve=True)


def test_what_an_adapter_renders_into_its_containers_is_part_of_their_digest() -> None:
    plain, changed = (rendered_for(ON_RACK, each) for each in (RACK, replace(RACK, publish="192.0.2.1")))
    seen = {"rack": AdapterView(Seen({ON_RACK.id: running(plain)}), view().capacity)}
    assert effects(planned(state(ON_RACK, rack=RACK), adapters=seen)) == []
    [action] = effects(planned(state(ON_RACK, rack=replace(RACK, publish="192.0.2.1")), adapters=seen))
    assert isinstance(action, ApplyWorkload)
    assert action.digest == running(changed).digest


def previewed(base: Desired, head: Desired, limits: Limits) -> Preview:
    seen = market(leases=[lease(1), lease(2)])
    views = {"rack": view(ON_RACK), "east": view(ON_EAST)}
    outlook = PlanningSnapshot("p", NOW, seen, views, replace(MEMORY, applied=base.commit), limits)
    return preview(outlook, RevisionChange(Revision(base), Revision(replace(head, commit="d" * 40))))


def test_a_preview_names_the_workloads_of_a_changed_adapter_file_and_the_limit() -> None:
    found = previewed(BEFORE, replace(BEFORE, adapters={"rack": RACK, "north": CLUSTER}), LIMITS)
    [stops] = [each for each in found.warnings if "stopped, moved or replaced" in each]
    assert stops.startswith("1 workload of an active lease is stopped, moved or replaced")
    assert f"leaves {ON_EAST.id} without its adapter east" in stops
    [denied] = found.ceilings
    assert "the host file has no entry for adapters/north.yaml" in denied.message
    strict = previewed(BEFORE, replace(BEFORE, adapters={}), replace(LIMITS, removals_per_revision=1))
    assert Reason.MASS_REMOVAL in {hold.reason for hold in strict.ceilings}


def test_a_preview_of_harmless_settings_names_no_workload() -> None:
    calm = replace(BEFORE, adapters={"rack": replace(RACK, forks=3), "east": CLUSTER, "west": CLUSTER})
    assert previewed(BEFORE, calm, LIMITS).warnings == ()
