from __future__ import annotations

import pytest

from reconciler.devnet.cluster.deployments import is_ready
from reconciler.devnet.cluster.kinds import Object
from reconciler.devnet.cluster.nodes import NodeSize
from tests.devnet.cluster.makers import US, Stepped, deployment_spec, target

TIGHT = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}


def change(stepped: Stepped, spec: Object) -> None:
    stepped.writes.update(target("Deployment", "web"), lambda live: live | {"spec": spec}, US)


def images(stepped: Stepped) -> list[str]:
    pods = [pod for pod in stepped.all("Pod") if not pod["metadata"].get("deletionTimestamp")]
    return sorted(pod["spec"]["containers"][0]["image"] for pod in pods)


def test_a_deployment_creates_and_counts_its_pods() -> None:
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec(3))
    stepped.step()

    status = stepped.get("Deployment", "web")["status"]
    assert (status["replicas"], status["readyReplicas"], status["updatedReplicas"]) == (3, 3, 3)
    assert status["observedGeneration"] == 1
    assert {c["type"]: c["status"] for c in status["conditions"]} == {
        "Available": "True",
        "Progressing": "True",
    }
    assert all(is_ready(pod) for pod in stepped.all("Pod"))


def test_a_lost_pod_is_replaced_under_another_name() -> None:
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec())
    stepped.step()
    first = stepped.all("Pod")[0]["metadata"]["name"]

    stepped.delete("Pod", first)
    stepped.step()

    assert [pod["metadata"]["name"] == first for pod in stepped.all("Pod")] == [False]


def test_scaling_down_removes_unready_pods_first() -> None:
    stepped = Stepped(NodeSize(cpu="1"))
    stepped.create("Deployment", "web", spec=deployment_spec(3))
    stepped.step()
    assert sum(is_ready(pod) for pod in stepped.all("Pod")) == 2

    change(stepped, deployment_spec(2))
    stepped.step()

    assert [is_ready(pod) for pod in stepped.all("Pod")] == [True, True]


@pytest.mark.parametrize("strategy", [None, TIGHT, {"type": "Recreate"}])
def test_a_new_template_replaces_every_pod(strategy: Object | None) -> None:
    more: Object = {"strategy": strategy} if strategy else {}
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec(3, **more))
    stepped.step()

    change(stepped, deployment_spec(3, "nginx:2", **more))
    stepped.step()

    assert images(stepped) == ["nginx:2"] * 3
    assert stepped.get("Deployment", "web")["status"]["updatedReplicas"] == 3


def test_a_rollout_without_surge_never_exceeds_its_replicas() -> None:
    stepped = Stepped()
    stepped.create("ResourceQuota", "q", spec={"hard": {"pods": "3"}})
    stepped.create("Deployment", "web", spec=deployment_spec(3, strategy=TIGHT))
    stepped.step()

    change(stepped, deployment_spec(3, "nginx:2", strategy=TIGHT))
    for _ in range(5):
        stepped.step(1)

    assert images(stepped) == ["nginx:2"] * 3


def test_a_rollout_of_unready_pods_stops() -> None:
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec(3, strategy=TIGHT))
    stepped.step()

    change(stepped, deployment_spec(3, "missing", strategy=TIGHT))
    stepped.step(10)

    assert images(stepped) == ["missing", "nginx:1", "nginx:1"]


def test_a_pod_refused_by_a_quota_is_reported_and_created_later() -> None:
    stepped = Stepped()
    stepped.create("ResourceQuota", "q", spec={"hard": {"pods": "1"}})
    stepped.create("Deployment", "web", spec=deployment_spec(2))
    stepped.step()
    stepped.step(5)

    failure = stepped.get("Deployment", "web")["status"]["conditions"][-1]
    assert (failure["type"], failure["reason"]) == ("ReplicaFailure", "FailedCreate")
    assert "exceeded quota: q" in failure["message"]
    assert any(event["reason"] == "FailedCreate" for event in stepped.all("Event"))

    stepped.writes.update(
        target("ResourceQuota", "q"), lambda live: live | {"spec": {"hard": {"pods": "2"}}}, US
    )
    stepped.step()
    assert stepped.get("Deployment", "web")["status"]["readyReplicas"] == 2
