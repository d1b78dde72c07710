from __future__ import annotations

from reconciler.devnet.cluster.resource_totals import pod_amounts, quota_used, refuse_over_quota
from tests.devnet.cluster.makers import Stepped, deployment_spec, pod_spec

HARD = {"requests.cpu": "1", "limits.memory": "1Gi", "pods": "2", "services": "5"}


def test_pod_sums_follow_creation_and_removal() -> None:
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec(2))
    stepped.step()
    tallies = stepped.writes.tallies

    assert tallies.in_namespace("x")["requests.cpu"] == 1
    assert tallies.on_node("node-0")["pods"] == 2

    stepped.delete("Deployment", "web")
    stepped.step()

    assert tallies.in_namespace("x")["requests.cpu"] == 0
    assert tallies.on_node("node-0")["pods"] == 0


def test_a_quota_shows_what_is_used() -> None:
    stepped = Stepped()
    quota = stepped.create("ResourceQuota", "q", spec={"hard": HARD})
    stepped.create("Pod", "p", spec=pod_spec())
    stepped.create("Service", "s", spec={"ports": [{"port": 1}]})

    used = quota_used(stepped.cluster.store, stepped.writes.tallies, quota)

    assert used == {"requests.cpu": "500m", "limits.memory": "256Mi", "pods": "1", "services": "1"}


def test_a_quota_refusal_names_resource_and_amount() -> None:
    stepped = Stepped()
    stepped.create("ResourceQuota", "q", spec={"hard": HARD})
    stepped.create("Pod", "p", spec=pod_spec())
    pod = {"metadata": {"name": "p2", "namespace": "x"}, "spec": pod_spec(cpu="600m")}
    pod["spec"]["containers"][0]["resources"]["requests"] = {"cpu": "600m"}

    why = refuse_over_quota(stepped.cluster.store, stepped.writes.tallies, pod)

    assert (
        why
        == "exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=500m, limited: requests.cpu=1"
    )


def test_a_quota_requires_requests_and_limits() -> None:
    stepped = Stepped()
    stepped.create("ResourceQuota", "q", spec={"hard": HARD})
    pod = {"metadata": {"name": "p", "namespace": "x"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}

    why = refuse_over_quota(stepped.cluster.store, stepped.writes.tallies, pod)

    assert why == "failed quota: q: must specify limits.memory,requests.cpu"


def test_an_ended_pod_uses_no_resources() -> None:
    assert pod_amounts({"status": {"phase": "Succeeded"}, "spec": pod_spec()}) == {}
