from __future__ import annotations

from tests.devnet.cluster.makers import Stepped, deployment_spec, pod_spec


def test_owned_objects_are_removed_with_their_owner() -> None:
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec(2))
    stepped.step()

    stepped.delete("Deployment", "web")
    stepped.step()

    assert stepped.all("ReplicaSet") == []
    assert stepped.all("Pod") == []


def test_orphans_stay() -> None:
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec(2))
    stepped.step()

    stepped.delete("Deployment", "web", propagationPolicy="Orphan")
    stepped.step()

    assert len(stepped.all("ReplicaSet")) == 1
    assert len(stepped.all("Pod")) == 2


def test_a_namespace_is_removed_after_its_objects() -> None:
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec(2))
    stepped.create("Secret", "s")
    stepped.step()

    stepped.delete("Namespace", "x", namespace="")
    stepped.step()
    assert stepped.get("Namespace", "x")["status"]["phase"] == "Terminating"
    stepped.step(1)

    assert stepped.cluster.get("namespaces", "", "x") is None
    assert not any(stepped.all(kind) for kind in ("Deployment", "ReplicaSet", "Pod", "Secret", "Event"))


def test_a_quotas_status_follows_its_pods() -> None:
    stepped = Stepped()
    stepped.create("ResourceQuota", "q", spec={"hard": {"requests.cpu": "2"}})
    stepped.create("Pod", "p", spec=pod_spec())
    stepped.step()
    assert stepped.get("ResourceQuota", "q")["status"]["used"] == {"requests.cpu": "500m"}

    stepped.delete("Pod", "p")
    stepped.step()

    assert stepped.get("ResourceQuota", "q")["status"]["used"] == {"requests.cpu": "0"}


def test_an_idle_cluster_writes_nothing() -> None:
    stepped = Stepped()
    stepped.create("Deployment", "web", spec=deployment_spec(2))
    stepped.step()
    version = stepped.cluster.store.version

    for _ in range(3):
        stepped.step(60)

    assert stepped.cluster.store.version == version


def test_the_same_writes_make_the_same_cluster() -> None:
    dumps = []
    for _ in range(2):
        stepped = Stepped()
        stepped.create("Deployment", "web", spec=deployment_spec(2))
        stepped.step()
        dumps.append(stepped.cluster.store.dump())

    assert dumps[0] == dumps[1]
