from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.adapters.kubernetes import objects
from reconciler.adapters.kubernetes.namespaces import quota_manifest
from reconciler.adapters.kubernetes.views import (
    controller_view,
    foreign_pod_view,
    node_view,
    object_meta,
    part_view,
    pod_requests,
    pod_view,
    quota_view,
)
from reconciler.values.resources import MB, Resources
from tests.adapters.kubernetes.makers import SPACE, deployments, pod, raw, services
from tests.contracts.adapter_backends import EXPOSED, lease, service, workload

ROOM = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "100Gi", "nvidia.com/gpu": "2", "pods": "110"}
READY = {"type": "Ready", "status": "True"}


def test_a_deployment_shows_its_rollout() -> None:
    wanted = workload(1, service(count=2))

    view = controller_view(raw(deployments(wanted)[0]))

    assert (view.meta.workload, view.meta.lease, view.meta.digest) == (wanted.id, lease(1), "d")
    assert (view.replicas, view.ready, view.rolled_out, view.drift, view.failure) == (2, 2, True, "", "")


def test_a_status_of_an_older_generation_is_ignored() -> None:
    found = deployments(workload(1))[0]
    found["metadata"]["generation"] = 2

    assert not controller_view(raw(found)).rolled_out


def test_drift_is_measured_against_the_applied_annotation() -> None:
    found = deployments(workload(1))[0]
    found["spec"]["template"]["spec"]["containers"][0]["image"] = "evil:1"
    assert "image" in controller_view(raw(found)).drift

    found["metadata"]["annotations"]["virtengine.com/applied"] = "{"
    assert controller_view(raw(found)).drift == "unreadable"

    del found["metadata"]["annotations"]["virtengine.com/applied"]
    assert controller_view(raw(found)).drift == "unmarked"


def test_an_address_from_the_server_is_no_drift() -> None:
    found = services(workload(1, service(ports=EXPOSED)))[0]
    found["spec"]["clusterIP"] = "10.96.0.9"

    view = part_view(raw(found), "service")

    assert view.drift == ""


@pytest.mark.parametrize("note", ["", "nonsense", "virtengine1other/1/1/1/virtengine1provider"])
def test_a_lease_that_does_not_match_the_label_is_ignored(note: str) -> None:
    found = deployments(workload(1))[0]
    found["metadata"]["annotations"]["virtengine.com/lease"] = note

    assert controller_view(raw(found)).meta.lease is None


def test_an_object_without_labels_has_no_workload() -> None:
    assert object_meta(objects.Metadata(name="x")).lease is None


def test_a_pod_shows_why_it_waits() -> None:
    found = pod(deployments(workload(1))[0], ready=False, reason="ImagePullBackOff", message="no")

    view = pod_view(raw(found))

    assert (view.ready, view.node, view.finished) == (False, "node-0", False)
    assert view.requests == Resources(100, 64 * MB, 128 * MB)
    assert view.containers[0].waiting == objects.Waiting("ImagePullBackOff", "no")


def test_an_unschedulable_pod_has_a_message() -> None:
    found = pod(deployments(workload(1))[0], ready=False)
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
    found["status"] = {"phase": "Pending", "conditions": [condition]}

    assert pod_view(raw(found)).unschedulable == "0/1 nodes"


def test_init_containers_count_if_they_request_more() -> None:
    def container(cpu: str, restart: str = "") -> objects.Container:
        return objects.Container("c", objects.ResourceRequirements({"cpu": cpu}), restart)

    spec = objects.PodSpec(
        "n",
        [container("1"), container("500m")],
        [container("2"), container("100m", "Always")],
        {"cpu": "10m"},
    )

    assert pod_requests(spec).cpu_milli == 2010


@pytest.mark.parametrize(
    ("phase", "cpu"), [("Running", 1000), ("Pending", 1000), ("Succeeded", 0), ("Failed", 0)]
)
def test_a_finished_foreign_pod_takes_nothing(phase: str, cpu: int) -> None:
    containers = [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]
    found = {
        "metadata": {"name": "p"},
        "spec": {"nodeName": "n", "containers": containers},
        "status": {"phase": phase},
    }

    assert foreign_pod_view(raw(found)).requests.cpu_milli == cpu


@pytest.mark.parametrize(
    ("spec", "conditions", "usable"),
    [
        ({}, [READY], True),
        ({}, [{"type": "Ready", "status": "Unknown"}], False),
        ({}, [], False),
        ({"unschedulable": True}, [READY], False),
        ({"taints": [{"effect": "NoSchedule"}]}, [READY], False),
        ({"taints": [{"effect": "PreferNoSchedule"}]}, [READY], True),
    ],
)
def test_a_node_offers_its_allocatable_resources(
    spec: dict[str, Any], conditions: list[Any], usable: bool
) -> None:
    found = {
        "metadata": {"name": "n"},
        "spec": spec,
        "status": {"allocatable": ROOM, "conditions": conditions},
    }

    offers = node_view(raw(found)).allocatable

    assert offers == (Resources(4000, 8 << 30, 100 << 30, 2) if usable else None)


def test_our_quota_is_read_as_written() -> None:
    given = Resources(63_500, 123_456_789, 2 << 40, 0)

    assert quota_view(raw(quota_manifest(SPACE, given))) == given


def test_a_changed_quota_is_none() -> None:
    found = quota_manifest(SPACE, Resources(1, 2, 3, 4))
    del found["spec"]["hard"]["requests.memory"]
    assert quota_view(raw(found)) is None

    found = quota_manifest(SPACE, Resources(1, 2, 3, 4))
    found["spec"]["hard"]["limits.cpu"] = "9"
    assert quota_view(raw(found)) is None


def test_invalid_json_is_an_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        pod_view(b'{"metadata": {')


def test_a_node_shows_its_public_ranges_and_the_runtimes_with_user_namespaces() -> None:
    found = {
        "metadata": {"name": "n"},
        "spec": {"podCIDRs": ["10.244.0.0/24", "2001:db8:7::/64"]},
        "status": {
            "addresses": [{"type": "ExternalIP", "address": "203.0.113.7"}, {"address": "n"}],
            "runtimeHandlers": [
                {"name": "", "features": {"userNamespaces": True}},
                {"name": "kata", "features": {}},
                {"name": "bare"},
            ],
        },
    }
    view = node_view(raw(found))
    assert view.ranges == ("2001:db8:7::/64", "203.0.113.7/32")
    assert view.user_namespaces == frozenset({""})
