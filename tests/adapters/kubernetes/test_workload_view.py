from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.kubernetes.views import (
    ForeignPodView,
    NodeView,
    deployment_view,
    pod_view,
    policy_view,
    service_view,
)
from reconciler.adapters.kubernetes.workload_view import Pieces, capacity_of, gather, running_of
from reconciler.values.desired import Workload
from reconciler.values.observed import Running
from reconciler.values.resources import Resources
from tests.adapters.kubernetes.makers import Object, deployments, pod, policies, raw, services
from tests.contracts.adapter_worlds import EXPOSED, service, workload

WEB = workload(1, service(ports=EXPOSED), service("db"))


class Shown:
    """A workload's objects, for a test to spoil."""

    def __init__(self, wanted: Workload = WEB, digest: str = "d") -> None:
        self.wanted = wanted
        self.deployments = deployments(wanted, digest)
        self.services = services(wanted, digest)
        self.policies = policies(wanted, digest)
        self.pods = [pod(each, f"p{at}") for at, each in enumerate(self.deployments)]

    def running(self, tolerated: Mapping[str, str] | None = None) -> Running | None:
        pieces = gather(
            [deployment_view(raw(each)) for each in self.deployments],
            [service_view(raw(each)) for each in self.services],
            [policy_view(raw(each), {}) for each in self.policies],
            [pod_view(raw(each)) for each in self.pods],
        )
        found = pieces.get(self.wanted.id)
        return running_of(self.wanted.id, found, tolerated or {}) if found else None

    def sure(self) -> Running:
        found = self.running()
        assert found is not None
        return found


def test_a_whole_workload_runs() -> None:
    assert Shown().running() == Running(WEB.id, WEB.lease, "d", False, True, 2, 2, pods=("p0", "p1"))


def test_ready_needs_deployments_and_pods_both() -> None:
    shown = Shown()
    shown.pods[0]["status"]["conditions"][0]["status"] = "False"
    assert (shown.sure().ready, shown.sure().replicas_ready) == (False, 1)

    shown = Shown()
    shown.deployments[0]["status"]["readyReplicas"] = 0
    assert not shown.sure().ready


def test_a_missing_part_is_drift_and_a_missing_deployment_is_not_ready() -> None:
    shown = Shown()
    shown.services.clear()
    assert (shown.sure().drifted, shown.sure().ready) == (True, True)

    shown = Shown()
    del shown.deployments[1], shown.pods[1]
    assert (shown.sure().drifted, shown.sure().ready) == (True, False)


def test_a_part_too_many_is_drift() -> None:
    shown = Shown()
    extra = deployments(workload(1, service("old")))[0]
    extra["metadata"]["annotations"]["virtengine.com/parts"] = ""
    shown.deployments.append(extra)

    assert shown.sure().drifted


def test_half_applied_has_no_digest() -> None:
    shown = Shown()
    shown.services = services(WEB, "older")

    assert shown.sure().digest == ""


def test_what_the_cluster_itself_makes_of_it_is_tolerated() -> None:
    shown = Shown()
    shown.deployments[0]["spec"]["template"]["spec"]["containers"][0]["image"] = "mirror/web:1"
    name = shown.deployments[0]["metadata"]["name"]
    difference = deployment_view(raw(shown.deployments[0])).projection

    assert shown.sure().drifted
    found = shown.running({f"deployment/{name}": difference})
    assert found is not None
    assert not found.drifted


def test_paused_is_seen_from_its_replicas() -> None:
    shown = Shown(workload(1, paused=True))
    shown.pods.clear()

    found = shown.sure()

    assert (found.paused, found.ready, found.replicas, found.drifted) == (True, False, 0, False)


def test_pods_that_outlive_their_deployment_are_still_being_removed() -> None:
    shown = Shown()
    shown.deployments.clear()
    shown.services.clear()
    assert not shown.sure().removing, "its policies are still to be removed"
    shown.policies.clear()

    found = shown.sure()

    assert (found.removing, found.ready, found.lease, found.drifted) == (True, False, WEB.lease, False)


def test_a_workload_without_its_policies_has_drifted_though_an_earlier_version_made_none() -> None:
    shown = Shown()
    assert not shown.sure().drifted
    for each in (*shown.deployments, *shown.services):
        notes = each["metadata"]["annotations"]
        parts = notes["virtengine.com/parts"].split(",")
        notes["virtengine.com/parts"] = ",".join(p for p in parts if not p.startswith("networkpolicy"))
    shown.policies.clear()

    assert shown.sure().drifted


def test_a_policy_that_somebody_opened_is_drift() -> None:
    shown = Shown()
    shown.policies[0]["spec"] = {**shown.policies[0]["spec"], "ingress": [{}]}

    assert shown.sure().drifted


def test_a_deployment_that_is_being_deleted_is_being_removed() -> None:
    shown = Shown()
    shown.deployments[0]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert shown.sure().removing


def test_any_object_can_name_the_lease_and_without_one_nothing_is_shown() -> None:
    shown = Shown()
    everything: list[Object] = [*shown.deployments, *shown.services, *shown.policies]
    for each in everything:
        del each["metadata"]["annotations"]["virtengine.com/lease"]
    assert shown.sure().lease == WEB.lease

    for each in shown.pods:
        each["metadata"]["annotations"] = {}
    assert shown.running() is None


def test_pieces_are_the_same_only_when_nothing_moved() -> None:
    view = deployment_view(raw(deployments(WEB)[0]))
    other = deployment_view(raw(deployments(WEB)[0]))

    assert Pieces([view]).same(Pieces([view]))
    assert not Pieces([view]).same(Pieces([other]))
    assert not Pieces([view]).same(Pieces([view, other]))


NODES = [
    NodeView("a", Resources(4000, 400, 40, 4)),
    NodeView("b", Resources(2000, 200, 20)),
    NodeView("c", None),
]


def test_capacity_is_what_ready_nodes_have_less_strangers() -> None:
    strangers = [
        ForeignPodView("a", Resources(1000, 100)),
        ForeignPodView("c", Resources(9, 9)),
        ForeignPodView("", Resources(7)),
    ]

    capacity = capacity_of(NODES, [], strangers, Resources(1))

    assert capacity.total == Resources(5000, 500, 60, 4)
    assert capacity.nodes == (Resources(3000, 300, 40, 4), Resources(2000, 200, 20))
    assert capacity.quota == Resources(1)


def test_our_own_pods_take_room_of_a_node_and_no_capacity() -> None:
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

    capacity = capacity_of(NODES, [ours], [], None)

    assert capacity.total.cpu_milli == 6000
    assert capacity.nodes[0].cpu_milli == 3500


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5000)), max_size=8))
def test_an_overbooked_node_takes_nothing_from_another(loads: list[tuple[str, int]]) -> None:
    capacity = capacity_of(NODES, [], [ForeignPodView(name, Resources(cpu)) for name, cpu in loads], None)

    taken = {name: sum(cpu for where, cpu in loads if where == name) for name in "ab"}
    assert capacity.total.cpu_milli == max(4000 - taken["a"], 0) + max(2000 - taken["b"], 0)


def test_pods_that_are_going_or_of_a_former_specification_are_not_named() -> None:
    shown = Shown()
    stale = deployments(workload(1, service(image="old:1"), service("db")), "d")
    shown.pods.append(pod(stale[0], "former"))
    assert (found := shown.running()) is not None
    assert found.pods == ("p0", "p1")
    shown.pods[0]["metadata"]["deletionTimestamp"] = "2026-11-24T10:00:00Z"
    assert (found := shown.running()) is not None
    assert found.pods == ("p1",)
