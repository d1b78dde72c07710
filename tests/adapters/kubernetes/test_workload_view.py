from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.kubernetes import naming
from reconciler.adapters.kubernetes.namespaces import Namespaces
from reconciler.adapters.kubernetes.views import (
    ForeignPodView,
    NodeView,
    controller_view,
    part_view,
    pod_view,
)
from reconciler.adapters.kubernetes.workload_view import (
    Expected,
    WorkloadObjects,
    capacity_of,
    group_by_workload,
    observed_workload_of,
)
from reconciler.values.desired import Workload
from reconciler.values.machines import Capacity
from reconciler.values.observed import ObservedWorkload
from reconciler.values.readings import Seen, Unseen
from reconciler.values.resources import Resources
from tests.adapters.kubernetes.makers import SPACE, Object, deployments, pod, policies, raw, services
from tests.contracts.adapter_backends import EXPOSED, service, workload

WEB = workload(1, service(ports=EXPOSED), service("db"))


class Fixture:
    """A workload's objects, for a test to modify."""

    def __init__(self, wanted: Workload = WEB, digest: str = "d") -> None:
        self.wanted = wanted
        self.deployments = deployments(wanted, digest)
        self.services = services(wanted, digest)
        self.policies = policies(wanted, digest)
        self.pods = [pod(each, f"p{at}") for at, each in enumerate(self.deployments)]

    def running(self, server_drift: Mapping[str, str] | None = None) -> ObservedWorkload | None:
        group = group_by_workload(
            [controller_view(raw(each)) for each in self.deployments],
            [
                *(part_view(raw(each), "service") for each in self.services),
                *(part_view(raw(each), "networkpolicy") for each in self.policies),
            ],
            [pod_view(raw(each)) for each in self.pods],
        )
        found = group.get(self.wanted.id)
        drift = {(SPACE, part): each for part, each in (server_drift or {}).items()}
        expected = Expected(Namespaces(SPACE), {}, drift)
        return observed_workload_of(self.wanted.id, found, expected) if found else None

    def require_running(self) -> ObservedWorkload:
        found = self.running()
        assert found is not None
        return found


def test_a_complete_workload_is_ready() -> None:
    assert Fixture().running() == ObservedWorkload(
        *(WEB.id, WEB.lease, "d", False, True, 2, 2),
        pods=("p0", "p1"),
        uids=("u", "u"),
        ready_by_service=(("db", 1), ("web", 1)),
        volumes=(("db", ()), ("web", ())),
    )


def test_ready_replicas_are_counted_by_service() -> None:
    """Neither an unready pod, nor one that ends, nor one of an earlier specification counts."""
    shown = Fixture(workload(1, service(count=4), service("db")))
    web = shown.deployments[0]
    shown.pods += [pod(web, f"more{at}") for at in range(3)]
    shown.pods[2]["status"]["conditions"][0]["status"] = "False"
    shown.pods[3]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    labels = shown.pods[4]["metadata"]["labels"]
    shown.pods[4]["metadata"]["labels"] = {**labels, naming.SPEC: "earlier"}

    found = shown.require_running()

    assert (found.ready, found.ready_by_service) == (False, (("db", 1), ("web", 1)))


def test_ready_requires_deployments_and_pods() -> None:
    shown = Fixture()
    shown.pods[0]["status"]["conditions"][0]["status"] = "False"
    assert (shown.require_running().ready, shown.require_running().replicas_ready) == (False, 1)

    shown = Fixture()
    shown.deployments[0]["status"]["readyReplicas"] = 0
    assert not shown.require_running().ready


def test_a_missing_part_is_drift_and_a_missing_deployment_is_not_ready() -> None:
    shown = Fixture()
    shown.services.clear()
    assert (shown.require_running().drifted, shown.require_running().ready) == (True, True)

    shown = Fixture()
    del shown.deployments[1], shown.pods[1]
    assert (shown.require_running().drifted, shown.require_running().ready) == (True, False)


def test_a_surplus_part_is_drift() -> None:
    shown = Fixture()
    extra = deployments(workload(1, service("old")))[0]
    extra["metadata"]["annotations"]["virtengine.com/parts"] = ""
    shown.deployments.append(extra)

    assert shown.require_running().drifted


def test_a_partly_applied_workload_has_no_digest() -> None:
    shown = Fixture()
    shown.services = services(WEB, "older")

    assert shown.require_running().digest == ""


def test_server_drift_is_no_drift() -> None:
    shown = Fixture()
    shown.deployments[0]["spec"]["template"]["spec"]["containers"][0]["image"] = "mirror/web:1"
    name = shown.deployments[0]["metadata"]["name"]
    difference = controller_view(raw(shown.deployments[0])).drift

    assert shown.require_running().drifted
    found = shown.running({f"deployment/{name}": difference})
    assert found is not None
    assert not found.drifted


def test_a_workload_without_replicas_is_paused() -> None:
    shown = Fixture(workload(1, paused=True))
    shown.pods.clear()

    found = shown.require_running()

    assert (found.paused, found.ready, found.replicas, found.drifted) == (True, False, 0, False)


def test_pods_without_a_deployment_are_being_removed() -> None:
    shown = Fixture()
    shown.deployments.clear()
    shown.services.clear()
    assert not shown.require_running().removing, "its policies are still to be removed"
    shown.policies.clear()

    found = shown.require_running()

    assert (found.removing, found.ready, found.lease, found.drifted) == (True, False, WEB.lease, False)


def test_a_workload_without_its_policies_has_drifted() -> None:
    shown = Fixture()
    assert not shown.require_running().drifted
    for each in (*shown.deployments, *shown.services):
        notes = each["metadata"]["annotations"]
        parts = notes["virtengine.com/parts"].split(",")
        notes["virtengine.com/parts"] = ",".join(p for p in parts if not p.startswith("networkpolicy"))
    shown.policies.clear()

    assert shown.require_running().drifted


def test_a_changed_policy_is_drift() -> None:
    shown = Fixture()
    shown.policies[0]["spec"] = {**shown.policies[0]["spec"], "ingress": [{}]}

    assert shown.require_running().drifted


def test_a_deployment_that_is_being_deleted_is_being_removed() -> None:
    shown = Fixture()
    shown.deployments[0]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert shown.require_running().removing


def test_any_object_can_name_the_lease() -> None:
    shown = Fixture()
    everything: list[Object] = [*shown.deployments, *shown.services, *shown.policies]
    for each in everything:
        del each["metadata"]["annotations"]["virtengine.com/lease"]
    assert shown.require_running().lease == WEB.lease

    for each in shown.pods:
        each["metadata"]["annotations"] = {}
    assert shown.running() is None


def test_groups_are_the_same_only_with_identical_objects() -> None:
    view = controller_view(raw(deployments(WEB)[0]))
    other = controller_view(raw(deployments(WEB)[0]))

    assert WorkloadObjects([view]).same(WorkloadObjects([view]))
    assert not WorkloadObjects([view]).same(WorkloadObjects([other]))
    assert not WorkloadObjects([view]).same(WorkloadObjects([view, other]))


NODES = [
    NodeView("a", Resources(4000, 400, 40, 4)),
    NodeView("b", Resources(2000, 200, 20)),
    NodeView("c", None),
]


def seen_capacity(*parts: Any) -> Capacity:
    reading = capacity_of(*parts)
    assert isinstance(reading, Seen), reading
    return reading.view


@pytest.mark.parametrize(
    ("reported", "figure"),
    [
        (Resources(4000, gpu=2**64), "18446744073709551616 gpu"),
        (Resources(4000, -1), "-1 memory"),
        (Resources(10**12), "1000000000000 cpu"),
    ],
)
def test_a_node_with_absurd_figures_makes_the_capacity_unseen(reported: Resources, figure: str) -> None:
    reading = capacity_of([*NODES, NodeView("odd", reported)], [], [], None)
    assert isinstance(reading, Unseen)
    assert f"machine odd reports {figure}" in reading.why


def test_negative_requests_add_no_capacity() -> None:
    assert seen_capacity(NODES, [], [ForeignPodView("a", Resources(-5000))], None).total.cpu_milli == 6000


def test_capacity_is_that_of_ready_nodes_less_foreign_pods() -> None:
    strangers = [
        ForeignPodView("a", Resources(1000, 100)),
        ForeignPodView("c", Resources(9, 9)),
        ForeignPodView("", Resources(7)),
    ]

    capacity = seen_capacity(NODES, [], strangers, Resources(1))

    assert capacity.total == Resources(5000, 500, 60, 4)
    assert [each.free for each in capacity.machines] == [
        Resources(3000, 300, 40, 4),
        Resources(2000, 200, 20),
    ]
    assert capacity.quota == Resources(1)


def test_our_pods_reduce_free_resources_but_not_capacity() -> None:
    ours = pod_view(
        raw(
            pod(deployments(WEB)[0])
            | {
                "spec": {
                    "nodeName": "a",
                    "containers": [{"name": "c", "resources": {"requests": {"cpu": "500m"}}}],
                }
            }
        )
    )

    capacity = seen_capacity(NODES, [ours], [], None)

    assert capacity.total.cpu_milli == 6000
    assert capacity.machines[0].free.cpu_milli == 3500
    assert capacity.machines[0].held == {WEB.id: (Resources(500),)}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5000)), max_size=8))
def test_an_overcommitted_node_does_not_reduce_others(loads: list[tuple[str, int]]) -> None:
    capacity = seen_capacity(NODES, [], [ForeignPodView(name, Resources(cpu)) for name, cpu in loads], None)

    taken = {name: sum(cpu for where, cpu in loads if where == name) for name in "ab"}
    assert capacity.total.cpu_milli == max(4000 - taken["a"], 0) + max(2000 - taken["b"], 0)


def test_terminating_and_outdated_pods_are_not_listed() -> None:
    shown = Fixture()
    stale = deployments(workload(1, service(image="old:1"), service("db")), "d")
    shown.pods.append(pod(stale[0], "former"))
    assert (found := shown.running()) is not None
    assert found.pods == ("p0", "p1")
    shown.pods[0]["metadata"]["deletionTimestamp"] = "2026-11-24T10:00:00Z"
    assert (found := shown.running()) is not None
    assert found.pods == ("p1",)
