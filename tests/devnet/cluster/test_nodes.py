from __future__ import annotations

import pytest

from reconciler.devnet.cluster.deployments import is_ready
from reconciler.devnet.cluster.nodes import NodeSize
from reconciler.devnet.cluster.tables import pod_status
from tests.devnet.cluster.makers import US, Stepped, pod_spec, target

SMALL = NodeSize(cpu="1", memory="1Gi", storage="10Gi")


def test_pods_are_bound_to_the_node_with_the_most_room() -> None:
    stepped = Stepped(SMALL, SMALL)
    for name in "abc":
        stepped.create("Pod", name, spec=pod_spec())
        stepped.step()

    assert [pod["spec"]["nodeName"] for pod in stepped.all("Pod")] == ["node-0", "node-1", "node-0"]


def test_an_unschedulable_pod_is_reported_and_bound_later() -> None:
    stepped = Stepped(SMALL)
    stepped.create("Pod", "big", spec=pod_spec(cpu="900m"))
    stepped.create("Pod", "late", spec=pod_spec(cpu="900m"))
    stepped.step()

    condition = stepped.get("Pod", "late")["status"]["conditions"][0]
    assert (condition["reason"], condition["message"]) == (
        "Unschedulable",
        "0/1 nodes are available: 1 Insufficient cpu.",
    )
    stepped.delete("Pod", "big")
    stepped.step()
    assert stepped.get("Pod", "late")["spec"]["nodeName"] == "node-0"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"unschedulable": True}, "unschedulable"),
        ({"taints": [{"key": "a", "effect": "NoSchedule"}]}, "untolerated taint"),
    ],
)
def test_a_cordoned_node_gets_no_pods(change: dict[str, object], why: str) -> None:
    stepped = Stepped()
    stepped.writes.update(target("Node", "node-0"), lambda live: live | {"spec": change}, US)
    stepped.create("Pod", "p", spec=pod_spec())
    stepped.step()

    assert why in stepped.get("Pod", "p")["status"]["conditions"][0]["message"]


@pytest.mark.parametrize(
    ("image", "after_seconds", "status"),
    [
        ("nginx:1", 0, "Running"),
        ("slow", 1, "Running"),
        ("missing", 0, "ErrImagePull"),
        ("missing", 2, "ImagePullBackOff"),
        ("crash", 1, "CrashLoopBackOff"),
    ],
)
def test_the_image_name_selects_the_pods_lifecycle(image: str, after_seconds: float, status: str) -> None:
    stepped = Stepped()
    stepped.create("Pod", "p", spec=pod_spec(image))
    stepped.step()
    stepped.step(after_seconds)

    assert pod_status(stepped.get("Pod", "p")) == status
    assert is_ready(stepped.get("Pod", "p")) == (image == "nginx:1")


def test_a_slow_pod_becomes_ready_after_its_time() -> None:
    stepped = Stepped()
    stepped.create("Pod", "p", spec=pod_spec("slow"))
    stepped.step()
    stepped.step(4)
    assert not is_ready(stepped.get("Pod", "p"))

    stepped.step(1)

    assert is_ready(stepped.get("Pod", "p"))


def test_a_pod_waits_for_the_secret_that_it_refers_to() -> None:
    stepped = Stepped()
    spec = pod_spec()
    spec["containers"][0]["env"] = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    stepped.create("Pod", "p", spec=spec)
    stepped.step()
    assert pod_status(stepped.get("Pod", "p")) == "CreateContainerConfigError"

    stepped.create("Secret", "s", stringData={"k": "v"})
    stepped.step(1)

    assert is_ready(stepped.get("Pod", "p"))


def test_a_pod_terminates_and_a_stubborn_one_after_its_grace_period() -> None:
    stepped = Stepped(ending_seconds=2)
    stepped.create("Pod", "p", spec=pod_spec())
    stepped.create("Pod", "q", spec=pod_spec("stubborn"))
    stepped.step()
    stepped.delete("Pod", "p")
    stepped.delete("Pod", "q", gracePeriodSeconds=10)
    stepped.step(1)
    assert [pod_status(pod) for pod in stepped.all("Pod")] == ["Terminating", "Terminating"]

    stepped.step(2)
    assert [pod["metadata"]["name"] for pod in stepped.all("Pod")] == ["q"]
    stepped.step(10)

    assert stepped.all("Pod") == []


def test_a_force_deleted_pod_is_removed_at_once() -> None:
    stepped = Stepped(ending_seconds=2)
    stepped.create("Pod", "p", spec=pod_spec())
    stepped.step()

    stepped.delete("Pod", "p", gracePeriodSeconds=0)

    assert stepped.all("Pod") == []
